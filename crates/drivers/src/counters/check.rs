//! Holds counters against what they count, a day at a time, and counts anew.
//!
//! A day's counters are held against the runs that started on it and the calls that were recorded on it; those of
//! months and of no time against the sum of the days. All of one round is read from one moment, so what is written
//! meanwhile makes no difference.

use chrono::{Days, NaiveDate, NaiveTime};
use models::{
    counters::{Counted, Miscount},
    ids::TenantId,
};
use sea_orm::{DbBackend, QueryResult, Statement, Value};

use super::{
    Counters, CountersReads, NUMBERS, numbered, over, sums, tally_at,
    there::{self, Tallies, next_of},
};
use crate::{
    StoreError,
    cells::{Cell, TABLE, Tally},
    tally::value,
};

/// What one round looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The counters of a day, UTC.
    Day(NaiveDate),
    /// Those of months, and of no time.
    Whole,
}

/// The earliest of what is counted itself.
const NEXT_ROWS: [&str; 2] = [
    "SELECT MIN(started_at) FROM runs WHERE tenant_id = $1 AND started_at >= $2",
    "SELECT MIN(created_at) FROM llm_run_records WHERE tenant_id = $1 AND created_at >= $2",
];

impl CountersReads<'_> {
    /// The next day after another, or the first, of which there is anything to hold against something.
    pub async fn next_day(
        self,
        tenant: TenantId,
        after: Option<NaiveDate>,
    ) -> Result<Option<NaiveDate>, StoreError> {
        let from = match after {
            Some(after) => match after.checked_add_days(Days::new(1)) {
                Some(next) => Some(next),
                None => return Ok(None),
            },
            None => None,
        };
        let mut days: Vec<NaiveDate> = Vec::new();
        for sql in over::next() {
            let name = from.map_or_else(String::new, |day| day.to_string());
            let rows = self.rows(&sql, vec![tenant.0.into(), name.into()]).await?;
            let least = rows.first().map(|row| value::<Option<String>>(TABLE, row, 0)).transpose()?.flatten();
            days.extend(least.map(|name| date(&name)).transpose()?);
        }
        for sql in NEXT_ROWS {
            let midnight = from.unwrap_or_else(first_day).and_time(NaiveTime::MIN).and_utc();
            let rows = self.rows(sql, vec![tenant.0.into(), midnight.into()]).await?;
            let least = rows
                .first()
                .map(|row| value::<Option<chrono::DateTime<chrono::Utc>>>(TABLE, row, 0))
                .transpose()?
                .flatten();
            days.extend(least.map(|at| at.date_naive()));
        }
        Ok(days.into_iter().min())
    }

    /// The counters of a round that do not say what is there, by name; none is good.
    pub async fn miscounts(self, tenant: TenantId, round: Round) -> Result<Vec<Miscount>, StoreError> {
        Ok(self.differences(tenant, round).await?.iter().map(|(cell, by)| told(cell, by)).collect())
    }

    /// What there is, less what the counters say.
    async fn differences(self, tenant: TenantId, round: Round) -> Result<Tallies, StoreError> {
        let mut differences = self.there(tenant, round).await?;
        for (cell, tally) in self.said(tenant, round).await? {
            *differences.entry(cell).or_default() += -tally;
        }
        differences.retain(|_, by| *by != Tally::default());
        Ok(differences)
    }

    /// What the counters of a round would say.
    async fn there(self, tenant: TenantId, round: Round) -> Result<Tallies, StoreError> {
        match round {
            Round::Day(day) => there::of_day(self.conn, tenant, day).await,
            Round::Whole => self.of_days(tenant).await,
        }
    }

    /// What they say, each shard by itself.
    async fn said(self, tenant: TenantId, round: Round) -> Result<Vec<(Cell, Tally)>, StoreError> {
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
                    place: value(TABLE, &row, 1)?,
                    part: value(TABLE, &row, 2)?,
                    kind: value(TABLE, &row, 3)?,
                };
                said.push((cell, tally_at(&row, 4)?));
            }
        }
        Ok(said)
    }

    /// What the counters of days say together.
    async fn of_days(self, tenant: TenantId) -> Result<Tallies, StoreError> {
        let mut found = Tallies::new();
        for (whole, of_days, place) in [
            (Counted::Runs, Counted::RunsOfDay, ""),
            (Counted::RunsOfMonth, Counted::RunsOfDay, "substr(place, 1, 7)"),
            (Counted::AgentRuns, Counted::AgentRunsOfDay, "place"),
            (Counted::Calls, Counted::CallsOfDay, ""),
        ] {
            for (cell, tally) in self.sums_of_days(tenant, (whole, of_days), place).await? {
                *found.entry(cell).or_default() += tally;
            }
        }
        Ok(found)
    }

    /// What the counters of days say together, by a part of their place, if any.
    async fn sums_of_days(
        self,
        tenant: TenantId,
        (whole, of_days): (Counted, Counted),
        place: &str,
    ) -> Result<Vec<(Cell, Tally)>, StoreError> {
        let by_place = !place.is_empty();
        let place = if by_place { place } else { "kind" };
        let sql = format!(
            "SELECT {place}, kind, {} FROM {TABLE} WHERE tenant_id = $1 AND counted = '{of_days}' GROUP BY 1, 2",
            sums(self.conn.backend())
        );
        let rows = self.rows(&sql, vec![tenant.0.into()]).await?;
        rows.iter()
            .map(|row| {
                let place = if by_place { value(TABLE, row, 0)? } else { String::new() };
                let kind = value(TABLE, row, 1)?;
                Ok((Cell { tenant, counted: whole, place, part: String::new(), kind }, tally_at(row, 2)?))
            })
            .collect()
    }

    async fn rows(self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, StoreError> {
        self.conn.rows(numbered(self.conn, sql, values)).await
    }
}

impl Counters<'_> {
    /// Makes the counters of a round say what is there; gives those that did not. Until this is committed nobody else
    /// stores a counter, and so nobody commits what one counts.
    pub async fn recount(self, tenant: TenantId, round: Round) -> Result<Vec<Miscount>, StoreError> {
        if self.conn.backend() == DbBackend::Postgres {
            let lock = format!("LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE");
            self.conn.execute(Statement::from_string(DbBackend::Postgres, lock)).await?;
        }
        let miscounts = self.miscounts(tenant, round).await?;
        if miscounts.is_empty() {
            return Ok(miscounts);
        }
        let there = self.there(tenant, round).await?;
        for (condition, values) in conditions(tenant, round) {
            let delete = format!("DELETE FROM {TABLE} WHERE tenant_id = $1 AND {condition}");
            self.conn.execute(numbered(self.conn, &delete, values)).await?;
        }
        for (cell, tally) in there {
            self.conn.counters().add([cell], tally);
        }
        Ok(miscounts)
    }
}

/// Which counters a round looks at; the tenant is bound first.
fn conditions(tenant: TenantId, round: Round) -> Vec<(String, Vec<Value>)> {
    let Round::Day(day) = round else { return vec![(over::of_no_day(), vec![tenant.0.into()])] };
    let of_day = |(condition, has_end): (String, bool)| {
        let mut values: Vec<Value> = vec![tenant.0.into(), day.to_string().into()];
        values.extend(has_end.then(|| Value::from(next_of(day).to_string())));
        (condition, values)
    };
    over::of_day().map(of_day).collect()
}

/// The first day that has a time in a store.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(NaiveDate::MIN)
}

/// The day that a name begins with.
fn date(name: &str) -> Result<NaiveDate, StoreError> {
    let day = name.get(..10).unwrap_or(name);
    day.parse().map_err(|err: chrono::ParseError| StoreError::Corrupt {
        table: TABLE,
        row: name.to_owned(),
        why: format!("it is of no day: {err}"),
    })
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
