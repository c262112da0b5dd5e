//! What there is of a day, as counters would say it.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime};
use models::ids::TenantId;
use sea_orm::{DbBackend, QueryResult, Value};

use super::{
    CALLS, SUMMED,
    calls::Called,
    numbered,
    over::{Over, over},
    runs, sums_of_calls, tally_at,
    words::{COLUMNS, WORDS, Words},
};
use crate::{
    StoreError,
    cells::{Cell, TABLE, Tally},
    conn::Conn,
    tally::{legible, legible_word, value},
};

/// What counters say, or would say.
pub(super) type Tallies = BTreeMap<Cell, Tally>;

/// How the runs of a day stand: the words of their kinds, then the agent, and how many there are.
fn runs_of_day() -> String {
    let words = COLUMNS.join(", ");
    format!(
        "SELECT {words}, agent_id, COUNT(*) FROM runs \
         WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3 GROUP BY {words}, agent_id"
    )
}

/// The runs that started on a day, and the calls that were recorded on it.
pub(super) async fn of_day(conn: &Conn, tenant: TenantId, day: NaiveDate) -> Result<Tallies, StoreError> {
    let mut found = Tallies::new();
    let [from, until] = [day, next_of(day)].map(|day| Value::from(day.and_time(NaiveTime::MIN).and_utc()));
    let asked: Vec<Value> = vec![tenant.0.into(), from, until];
    for row in conn.rows(numbered(conn, &runs_of_day(), asked.clone())).await? {
        let tally = Tally { number: value(TABLE, &row, WORDS + 1)?, ..Tally::default() };
        // Those of months and of no time are looked at by themselves.
        for cell in cells_of_run(tenant, day, &row)?.into_iter().filter(is_of_a_day) {
            *found.entry(cell).or_default() += tally;
        }
    }
    for row in conn.rows(numbered(conn, &calls_of_day(conn.backend()), asked)).await? {
        let tally = tally_at(&row, 6)?;
        for cell in cells_of_call(tenant, &row)?.into_iter().filter(is_of_a_day) {
            *found.entry(cell).or_default() += tally;
        }
    }
    Ok(found)
}

pub(super) fn next_of(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

fn is_of_a_day(cell: &Cell) -> bool {
    matches!(over(cell.counted), Over::Day(_) | Over::Hour)
}

fn cells_of_run(tenant: TenantId, day: NaiveDate, row: &QueryResult) -> Result<[Cell; 5], StoreError> {
    let agent = legible_word("runs", row, WORDS)?;
    Ok(runs::of_kind(tenant, (&agent, &day.to_string()), &Words::of_row(row)?.kind()))
}

/// The calls of a day by hour, agent and what they are. Of those that do not count, the doubt that some leave.
fn calls_of_day(backend: DbBackend) -> String {
    let hour = match backend {
        DbBackend::Postgres => "to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24')",
        _ => "substr(l.created_at, 1, 13)",
    };
    let sums = sums_of_calls();
    format!(
        "SELECT {hour}, r.agent_id, l.provider, l.model, l.execution_status, l.is_synthetic, {sums} \
         FROM {CALLS} JOIN runs r ON r.tenant_id = l.tenant_id AND r.id = l.run_id \
         WHERE l.tenant_id = $1 AND l.created_at >= $2 AND l.created_at < $3 AND {SUMMED} \
         GROUP BY 1, 2, 3, 4, 5, 6"
    )
}

fn cells_of_call(tenant: TenantId, row: &QueryResult) -> Result<[Cell; 5], StoreError> {
    const CALLS: &str = "llm_run_records";
    let (hour, agent) = (legible_word(CALLS, row, 0)?, legible_word(CALLS, row, 1)?);
    let (provider, model) = (legible(CALLS, row, 2)?, legible(CALLS, row, 3)?);
    let status = legible_word(CALLS, row, 4)?;
    let called = Called {
        tenant,
        agent: &agent,
        hour: &hour,
        provider: provider.as_deref(),
        model: model.as_deref(),
        status: &status,
        is_synthetic: value(CALLS, row, 5)?,
    };
    Ok(called.cells())
}
