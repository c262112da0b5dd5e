//! What is looked at of counters, a round after another: each is short, and read from one moment.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use models::{counters::Counted, ids::TenantId};
use sea_orm::{QueryResult, Value};

use super::{
    CountersReads,
    name::{Name, bound},
    numbered, over,
    there::next_of,
};
use crate::{StoreError, cells::TABLE, tally::value};

/// How many rows of agents one round looks at, and what the last of its agents has more.
const PAGE: u32 = 10_000;

/// What one round looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Round {
    /// The counters of a day, UTC.
    Day(NaiveDate),
    /// Those of months, and of no time, but not of agents.
    Whole,
    /// Those of agents over all time: of those after one, until another.
    Agents {
        /// The last agent of the round before, if there was one.
        after: Option<Name>,
        /// The last of this one; of all others, where none is said.
        until: Option<Name>,
        /// The times of their counters that are of no day: looked for once, with the first of these rounds.
        no_days: Vec<Name>,
    },
}

/// The earliest of what is counted itself.
const NEXT_ROWS: [&str; 2] = [
    "SELECT MIN(started_at) FROM runs WHERE tenant_id = $1 AND started_at >= $2",
    "SELECT MIN(created_at) FROM llm_run_records WHERE tenant_id = $1 AND created_at >= $2",
];

impl CountersReads<'_> {
    /// The round after another, or the first; none after the last. Days come first, for what is no day's is held
    /// against them.
    pub async fn next_round(
        self,
        tenant: TenantId,
        after: Option<&Round>,
    ) -> Result<Option<Round>, StoreError> {
        let day = match after {
            None => self.next_day(tenant, None).await?,
            Some(Round::Day(day)) => self.next_day(tenant, Some(*day)).await?,
            Some(Round::Whole) => {
                let no_days = self.of_no_day(tenant, over::of_agents()).await?;
                return self.next_agents(tenant, None, no_days).await.map(Some);
            }
            Some(Round::Agents { until: None, .. }) => return Ok(None),
            Some(Round::Agents { until, no_days, .. }) => {
                return self.next_agents(tenant, until.clone(), no_days.clone()).await.map(Some);
            }
        };
        Ok(Some(day.map_or(Round::Whole, Round::Day)))
    }

    /// The next day after another, or the first, of which there is anything to hold against something. What is of no
    /// day is passed over.
    async fn next_day(
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
        for of in over::of_times() {
            let from = from.map_or_else(String::new, |day| day.to_string());
            let (mut is, mut name) = (">=", Name::from(from.as_str()));
            loop {
                let rows = self.rows(&over::next(of, is), vec![tenant.0.into(), name.value()]).await?;
                let Some(next) = first_name(&rows)? else { break };
                if let Some(day) = next.text().and_then(|text| over::day_of(of.0, text)) {
                    days.push(day);
                    break;
                }
                (is, name) = (">", next);
            }
        }
        for sql in NEXT_ROWS {
            let midnight = from.unwrap_or_else(first_day).and_time(NaiveTime::MIN).and_utc();
            let rows = self.rows(sql, vec![tenant.0.into(), midnight.into()]).await?;
            days.extend(least::<DateTime<Utc>>(&rows)?.map(|at| at.date_naive()));
        }
        Ok(days.into_iter().min())
    }

    /// The agents after one, as many of them as have the rows of one round.
    async fn next_agents(
        self,
        tenant: TenantId,
        after: Option<Name>,
        no_days: Vec<Name>,
    ) -> Result<Round, StoreError> {
        let mut values: Vec<Value> = vec![tenant.0.into()];
        let among = among(after.as_ref(), None, &mut values);
        let last = |counted: Counted, name: &str| {
            format!(
                "SELECT place FROM (SELECT place FROM {TABLE} WHERE tenant_id = $1 AND counted = '{counted}'{among} \
                 ORDER BY place LIMIT 1 OFFSET {PAGE}) AS {name}"
            )
        };
        let sql = format!(
            "SELECT MIN(place) FROM ({} UNION ALL {}) AS v",
            last(Counted::AgentRuns, "v1"),
            last(Counted::AgentRunsOfDay, "v2")
        );
        let until = first_name(&self.rows(&sql, values).await?)?;
        Ok(Round::Agents { after, until, no_days })
    }

    /// Each counter of a time, with the names of times that it has and that are of no day.
    pub(super) async fn of_no_days(self, tenant: TenantId) -> Result<NoDays, StoreError> {
        let mut found = NoDays::new();
        for of in over::of_times() {
            found.push((of, self.of_no_day(tenant, of).await?));
        }
        Ok(found)
    }

    /// The names of times that a counter has and that are of no day. They are found a time after another: whoever
    /// needs them more than once asks once.
    async fn of_no_day(self, tenant: TenantId, of: over::Time) -> Result<Vec<Name>, StoreError> {
        let rows = self.rows(&over::names(of), vec![tenant.0.into()]).await?;
        let mut found = Vec::new();
        for row in rows {
            let name = Name::at(&row, 0)?;
            found.extend(name.filter(|name| name.text().and_then(|text| over::day_of(of.0, text)).is_none()));
        }
        Ok(found)
    }

    pub(super) async fn rows(self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, StoreError> {
        self.conn.rows(numbered(self.conn, sql, values)).await
    }
}

/// Counters of times, each with the names of times that it has and that are of no day.
pub(super) type NoDays = Vec<(over::Time, Vec<Name>)>;

/// Which counters a round looks at; the tenant is bound first.
pub(super) fn conditions(tenant: TenantId, round: &Round) -> Vec<(String, Vec<Value>)> {
    let mut values: Vec<Value> = vec![tenant.0.into()];
    match round {
        Round::Whole => vec![(over::of_no_day(), values)],
        Round::Agents { after, until, .. } => {
            let among = among(after.as_ref(), until.as_ref(), &mut values);
            vec![(format!("counted = '{}'{among}", Counted::AgentRuns), values)]
        }
        Round::Day(day) => {
            let of_day = |(condition, has_end): (String, bool)| {
                let mut values: Vec<Value> = vec![tenant.0.into(), day.to_string().into()];
                values.extend(has_end.then(|| Value::from(next_of(*day).to_string())));
                (condition, values)
            };
            over::of_day().map(of_day).collect()
        }
    }
}

/// The condition for agents after one, until another; what is bound for it comes behind the values that are there.
pub(super) fn among(after: Option<&Name>, until: Option<&Name>, values: &mut Vec<Value>) -> String {
    let mut sql = String::new();
    for (is, name) in [(">", after), ("<=", until)] {
        let Some(name) = name else { continue };
        values.push(name.value());
        let _ = write!(sql, " AND place {is} {}", bound(values.len()));
    }
    sql
}

/// The one value of an answer, if there is one.
fn least<T: sea_orm::TryGetable>(rows: &[QueryResult]) -> Result<Option<T>, StoreError> {
    Ok(rows.first().map(|row| value::<Option<T>>(TABLE, row, 0)).transpose()?.flatten())
}

/// The one name of an answer, if there is one.
fn first_name(rows: &[QueryResult]) -> Result<Option<Name>, StoreError> {
    Ok(rows.first().map(|row| Name::at(row, 0)).transpose()?.flatten())
}

/// The first day that has a time in a store.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{ConnectConfig, Db, ReadTx};

    const TENANT: TenantId = TenantId(Uuid::nil());

    /// How many of the statements since the last time go from one time to the next.
    fn walks(read: &ReadTx) -> usize {
        let sent = std::mem::take(&mut *read.conn.heard.lock().expect("listening"));
        sent.iter().filter(|statement| statement.sql.contains("RECURSIVE names")).count()
    }

    testkit::on_both! {
        async fn what_is_of_no_day_is_looked_for_once(db: TestDatabase) {
            let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url()) };
            let db = Db::connect(&config).await.expect("the test's store");
            let read = db.read().await.expect("read");
            let counters = read.counters();
            walks(&read);
            counters.miscounts(TENANT, &Round::Whole).await.expect("held against");
            assert_eq!(walks(&read), over::of_times().count(), "each counter of times once");
            let first = counters.next_round(TENANT, Some(&Round::Whole)).await.expect("a round").expect("of agents");
            assert_eq!(walks(&read), 1);
            let until = Some(Name::from("a"));
            let page = Round::Agents { after: None, until, no_days: Vec::new() };
            counters.next_round(TENANT, Some(&page)).await.expect("a round").expect("of agents");
            for page in [first, page] {
                counters.miscounts(TENANT, &page).await.expect("held against");
                counters.lacking(TENANT, &page).await.expect("held against");
            }
            assert_eq!(walks(&read), 0, "of agents there may be many pages");
        }
    }
}
