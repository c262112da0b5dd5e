//! Holds counters against what they count.
//!
//! A day's counters are held against the runs that started on it and the calls that were recorded on it; those of
//! months, of agents and of no time against the sum of the days. All of one round is read from one moment, so what is
//! written meanwhile makes no difference.

use models::{
    counters::{Counted, Miscount},
    ids::TenantId,
};
use sea_orm::Value;

use super::{
    CountersReads, NUMBERS,
    name::{Name, bound},
    over,
    rounds::{NoDays, Round, among, conditions},
    sum, sums, tally_at,
    there::{self, Tallies},
};
use crate::{
    StoreError,
    cells::{Cell, TABLE, Tally},
    tally::{legible_word, value},
};

/// What the counters of a round lack of what there is, or have beyond it, as one moment had it.
#[derive(Debug)]
pub struct Lacking(pub(super) Tallies);

impl Lacking {
    /// Whether they say what is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl CountersReads<'_> {
    /// The counters of a round that do not say what is there, by name; none is good.
    pub async fn miscounts(self, tenant: TenantId, round: &Round) -> Result<Vec<Miscount>, StoreError> {
        let no_days = self.no_days(tenant, round).await?;
        let mut found = Vec::new();
        for ((counted, _), names) in &no_days {
            found.extend(names.iter().map(|name| Miscount {
                counted: *counted,
                name: name.told(),
                differs: "it is of no day".to_owned(),
            }));
        }
        let lacking = self.lacking_but(tenant, round, &no_days).await?;
        found.extend(lacking.0.iter().map(|(cell, by)| told(cell, by)));
        Ok(found)
    }

    /// What of no day a round names, and leaves out of its sums.
    async fn no_days(self, tenant: TenantId, round: &Round) -> Result<NoDays, StoreError> {
        if *round == Round::Whole { self.of_no_days(tenant).await } else { Ok(NoDays::new()) }
    }

    /// What there is, less what the counters of a round say.
    pub async fn lacking(self, tenant: TenantId, round: &Round) -> Result<Lacking, StoreError> {
        let no_days = self.no_days(tenant, round).await?;
        self.lacking_but(tenant, round, &no_days).await
    }

    async fn lacking_but(
        self,
        tenant: TenantId,
        round: &Round,
        no_days: &NoDays,
    ) -> Result<Lacking, StoreError> {
        let mut lacking = match round {
            Round::Day(day) => there::of_day(self.conn, tenant, *day).await?,
            Round::Whole => self.of_days(tenant, no_days).await?,
            Round::Agents { after, until, no_days } => {
                return self.of_agents(tenant, (after.as_ref(), until.as_ref()), no_days).await;
            }
        };
        for (cell, tally) in self.said(tenant, round).await? {
            *lacking.entry(cell).or_default() += -tally;
        }
        lacking.retain(|_, by| *by != Tally::default());
        Ok(Lacking(lacking))
    }

    /// What they say, each shard by itself.
    async fn said(self, tenant: TenantId, round: &Round) -> Result<Vec<(Cell, Tally)>, StoreError> {
        let mut said = Vec::new();
        for (condition, values) in conditions(tenant, round) {
            let sql = format!(
                "SELECT counted, place, part, kind, {} FROM {TABLE} WHERE tenant_id = $1 AND {condition}",
                NUMBERS.join(", ")
            );
            for row in self.rows(&sql, values).await? {
                let counted: String = value(TABLE, &row, 0)?;
                let counted = counted.parse::<Counted>().map_err(|err| StoreError::Corrupt {
                    table: TABLE,
                    row: counted.clone(),
                    why: err.to_string(),
                })?;
                let cell = Cell {
                    tenant,
                    counted,
                    place: legible_word(TABLE, &row, 1)?,
                    part: legible_word(TABLE, &row, 2)?,
                    kind: legible_word(TABLE, &row, 3)?,
                };
                said.push((cell, tally_at(&row, 4)?));
            }
        }
        Ok(said)
    }

    /// What the counters of days say together.
    async fn of_days(self, tenant: TenantId, no_days: &NoDays) -> Result<Tallies, StoreError> {
        let mut found = Tallies::new();
        for (whole, of_days, place) in [
            (Counted::Runs, Counted::RunsOfDay, ""),
            (Counted::RunsOfMonth, Counted::RunsOfDay, "substr(place, 1, 7)"),
            (Counted::Calls, Counted::CallsOfDay, ""),
        ] {
            let of_days = (of_days, "place");
            let names = no_days.iter().find(|(of, _)| *of == of_days).map_or(&[][..], |(_, names)| names);
            for (cell, tally) in self.sums_of_days(tenant, (whole, of_days, names), place).await? {
                *found.entry(cell).or_default() += tally;
            }
        }
        Ok(found)
    }

    /// What the counters of days say together, by a part of their place, if any.
    async fn sums_of_days(
        self,
        tenant: TenantId,
        (whole, of_days, no_days): (Counted, over::Time, &[Name]),
        place: &str,
    ) -> Result<Vec<(Cell, Tally)>, StoreError> {
        let by_place = !place.is_empty();
        let place = if by_place { place } else { "kind" };
        let mut values: Vec<Value> = vec![tenant.0.into()];
        let sql = format!(
            "SELECT {place}, kind, {} FROM {TABLE} WHERE tenant_id = $1 AND counted = '{}'{} GROUP BY 1, 2",
            sums(self.conn.backend()),
            of_days.0,
            but(of_days, no_days, &mut values)
        );
        let rows = self.rows(&sql, values).await?;
        rows.iter()
            .map(|row| {
                let place = if by_place { legible_word(TABLE, row, 0)? } else { String::new() };
                let kind = legible_word(TABLE, row, 1)?;
                Ok((Cell { tenant, counted: whole, place, part: String::new(), kind }, tally_at(row, 2)?))
            })
            .collect()
    }

    /// The same of agents, of which only those come back that differ: there may be as many as runs. Of runs there is a
    /// number and nothing else.
    async fn of_agents(
        self,
        tenant: TenantId,
        (after, until): (Option<&Name>, Option<&Name>),
        no_days: &[Name],
    ) -> Result<Lacking, StoreError> {
        let (whole, (of_days, _)) = (Counted::AgentRuns, over::of_agents());
        let mut values: Vec<Value> = vec![tenant.0.into()];
        let among = among(after, until, &mut values);
        let but = but(over::of_agents(), no_days, &mut values);
        let of = |counted: Counted| {
            let number = format!("CASE WHEN counted = '{counted}' THEN number ELSE 0 END");
            sum(self.conn.backend(), &number)
        };
        let (there, said) = (of(of_days), of(whole));
        let sql = format!(
            "SELECT place, kind, {there}, {said} FROM {TABLE} WHERE tenant_id = $1 \
             AND counted IN ('{whole}', '{of_days}'){among}{but} GROUP BY place, kind HAVING {there} <> {said}"
        );
        let mut lacking = Tallies::new();
        for row in self.rows(&sql, values).await? {
            let (place, kind) = (legible_word(TABLE, &row, 0)?, legible_word(TABLE, &row, 1)?);
            let (there, said): (i64, i64) = (value(TABLE, &row, 2)?, value(TABLE, &row, 3)?);
            let cell = Cell { tenant, counted: whole, place, part: String::new(), kind };
            *lacking.entry(cell).or_default() +=
                Tally { number: there.saturating_sub(said), ..Tally::default() };
        }
        Ok(Lacking(lacking))
    }
}

/// The condition that leaves out what a counter says of these times, which are no days.
fn but((counted, column): over::Time, names: &[Name], values: &mut Vec<Value>) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names = names.iter().map(|name| {
        values.push(name.value());
        bound(values.len())
    });
    let names: Vec<String> = names.collect();
    format!(" AND NOT (counted = '{counted}' AND {column} IN ({}))", names.join(", "))
}

/// A counter and by how much what is there differs from it.
fn told(cell: &Cell, by: &Tally) -> Miscount {
    let parts = [cell.place.as_str(), cell.part.as_str(), cell.kind.as_str()];
    let name: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let amounts = [
        ("number", i128::from(by.number)),
        ("number of calls of unknown cost", i128::from(by.unknown)),
        ("cost in nano-USD", by.cost),
        ("input tokens", by.input),
        ("output tokens", by.output),
    ];
    let differs = amounts.iter().filter(|(_, by)| *by != 0).map(|(what, by)| {
        let way = if *by > 0 { "low" } else { "high" };
        format!("the {what} is {} too {way}", by.unsigned_abs())
    });
    Miscount { counted: cell.counted, name: name.join(" "), differs: differs.collect::<Vec<_>>().join(", ") }
}
