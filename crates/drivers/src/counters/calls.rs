//! What counters say of calls to models: in all, and by day and hour and agent. A call is counted once, however many
//! steps tell of it.

use std::collections::HashMap;

use entities::{
    activity::runs,
    logs::llm_run_records::{self as llm_runs, Column},
};
use models::{
    counters::Counted,
    ids::{RunId, TenantId},
    logs::{ExecutionStatus, LlmRunFilter, LlmRunRecord},
};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryResult, QuerySelect as _,
    QueryTrait as _, Select, Value,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};

use super::{
    counted, kind, numbered,
    span::{Names, Piece, Span, among, hour},
    spared, tally_at, words_of, yes,
};
use crate::{
    StoreError,
    cells::{Cell, TABLE, Tally},
    conn::Conn,
    field::put,
    read,
    tally::legible_word,
};

/// The columns that the words of a kind are of.
const COLUMNS: [&str; 4] = ["provider", "model", "execution_status", "is_synthetic"];

/// The name of the agent that is asked beside the columns of a call.
const AGENT: &str = "agent_of_call";

fn runs_of(tenant: TenantId) -> Select<runs::Entity> {
    runs::Entity::find().filter(runs::Column::TenantId.eq(tenant.0))
}

/// What a call is, as counters tell it.
pub(super) struct Called<'c> {
    pub(super) tenant: TenantId,
    pub(super) agent: &'c str,
    pub(super) hour: &'c str,
    pub(super) provider: Option<&'c str>,
    pub(super) model: Option<&'c str>,
    pub(super) status: &'c str,
    pub(super) is_synthetic: bool,
}

impl Called<'_> {
    /// The counters of the call.
    pub(super) fn cells(&self) -> [Cell; 5] {
        let of_kind = kind(&[self.provider, self.model, Some(self.status), Some(yes(self.is_synthetic))]);
        // Those of an agent tell no kinds apart: nobody asks for both, and each with each would be many.
        let of_agent = kind(&[]);
        let day = day_of(self.hour);
        let cell = |counted, place: &str, part: &str, kind: &str| Cell {
            tenant: self.tenant,
            counted,
            place: place.to_owned(),
            part: part.to_owned(),
            kind: kind.to_owned(),
        };
        [
            cell(Counted::Calls, "", "", &of_kind),
            cell(Counted::CallsOfDay, day, "", &of_kind),
            cell(Counted::CallsOfHour, self.hour, "", &of_kind),
            cell(Counted::AgentCallsOfDay, day, self.agent, &of_agent),
            cell(Counted::AgentCallsOfHour, self.hour, self.agent, &of_agent),
        ]
    }
}

/// The day of an hour.
fn day_of(hour: &str) -> &str {
    hour.split('T').next().unwrap_or(hour)
}

/// Counts calls that are added, those that count. `agents` has that of each of their runs.
pub(crate) fn add(
    conn: &Conn,
    calls: &[LlmRunRecord],
    agents: &HashMap<RunId, String>,
) -> Result<(), StoreError> {
    let [counting, in_doubt] = conn.counters().counting(calls);
    let counting = counting.into_iter().map(|call| (call, tally_of(call)));
    for (call, tally) in counting.chain(in_doubt.into_iter().map(|call| (call, DOUBT))) {
        let agent = agents.get(&call.run_id).ok_or_else(|| StoreError::Corrupt {
            table: "llm_run_records",
            row: call.id.to_string(),
            why: "the agent of its run is not said".to_owned(),
        })?;
        let called = Called {
            tenant: call.tenant,
            agent,
            hour: &hour(call.created_at),
            provider: call.provider.as_deref(),
            model: call.model.as_deref(),
            status: call.execution_status.as_str(),
            is_synthetic: call.is_synthetic,
        };
        conn.counters().add(called.cells(), tally);
    }
    Ok(())
}

/// Takes back the calls of steps that no longer count, as many of them as have been counted: the store does not say of
/// these steps yet that they do not. `counting` are the calls that count.
pub(crate) async fn take_back(
    conn: &Conn,
    tenant: TenantId,
    counting: Select<llm_runs::Entity>,
    steps: &[(RunId, u64)],
) -> Result<(), StoreError> {
    let of_call = Expr::col((runs::Entity, runs::Column::Id)).equals((llm_runs::Entity, Column::RunId));
    let agent = runs_of(tenant).filter(of_call).select_only().column(runs::Column::AgentId).into_query();
    let select = counting.expr_as(SimpleExpr::SubQuery(None, Box::new(agent.into())), AGENT);
    let mut keys: Vec<[Value; 2]> = Vec::with_capacity(steps.len());
    for (run, step) in steps {
        let step: i64 = put(&llm_runs::Entity, "step_index", step)?;
        keys.push([run.0.into(), step.into()]);
    }
    let said = |row: &QueryResult| -> Result<Option<String>, DbErr> { row.try_get("", AGENT) };
    let found = read::by_keys_with(conn, select, [Column::RunId, Column::StepIndex], keys, said).await?;
    for (call, agent) in found {
        let called = Called {
            tenant,
            agent: agent.as_deref().unwrap_or_default(),
            hour: &hour(call.created_at),
            provider: call.provider.as_deref(),
            model: call.model.as_deref(),
            status: &call.execution_status,
            is_synthetic: call.is_synthetic,
        };
        let used = [call.cost_nanousd, call.input_tokens, call.output_tokens];
        conn.counters().add(called.cells(), -tally(call.cost_known, used.map(i128::from)));
        let step = u64::try_from(call.step_index).unwrap_or_default();
        if conn.counters().is_in_doubt(tenant, (call.run_id.0, step)) {
            conn.counters().add(called.cells(), DOUBT);
        }
    }
    Ok(())
}

/// A step that came late, tells of another use than what counts, and does not count itself.
const DOUBT: Tally = Tally { number: 0, unknown: 1, cost: 0, input: 0, output: 0 };

fn tally_of(call: &LlmRunRecord) -> Tally {
    tally(call.cost_known, [call.cost_nanousd, call.input_tokens, call.output_tokens].map(i128::from))
}

/// One call.
fn tally(cost_known: bool, [cost, input, output]: [i128; 3]) -> Tally {
    Tally { number: 1, unknown: i64::from(!cost_known), cost, input, output }
}

/// What calls are added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// All of them together.
    All,
    /// As `2026-01-31`.
    Day,
    /// Provider and model.
    Model,
}

/// What one sum is of: a day, or provider and model.
pub(crate) type Key = (Option<String>, Option<String>);

/// What was used in whole days or hours; of other pieces, nothing.
pub(crate) async fn sums(
    conn: &Conn,
    tenant: TenantId,
    piece: Piece,
    by: By,
) -> Result<Vec<(Key, Tally)>, StoreError> {
    let (counts, names) = match piece {
        Piece::Days(names) => (Counted::CallsOfDay, names),
        Piece::Hours(names) => (Counted::CallsOfHour, names),
        Piece::Months(_) | Piece::Rows(_) => return Ok(Vec::new()),
    };
    let column = match by {
        By::All => "counted",
        By::Day => "substr(place, 1, 10)",
        By::Model => "kind",
    };
    let found = sums_by(conn, tenant, (counts, names), column).await?;
    let key = |of: String| -> Option<Key> {
        Some(match by {
            By::All => (None, None),
            By::Day => (Some(of), None),
            By::Model => {
                let mut words = words_of(&of)?.into_iter();
                (words.next().flatten(), words.next().flatten())
            }
        })
    };
    Ok(found.into_iter().filter_map(|(of, tally)| Some((key(of)?, tally))).collect())
}

async fn sums_by(
    conn: &Conn,
    tenant: TenantId,
    (counts, names): (Counted, Names),
    column: &str,
) -> Result<Vec<(String, Tally)>, StoreError> {
    let mut values: Vec<Value> = vec![tenant.0.into(), counts.as_str().into()];
    let among = among(names, &mut values);
    let sums = super::sums(conn.backend());
    let sql = format!(
        "SELECT {column}, {sums} FROM {TABLE} WHERE tenant_id = $1 AND counted = $2{among} GROUP BY 1"
    );
    let rows = conn.rows(numbered(conn, &sql, values)).await?;
    rows.iter().map(|row| Ok((legible_word(TABLE, row, 0)?, tally_at(row, 1)?))).collect()
}

/// What a filter asks of the words of a kind. A run and a time say which counters are asked, if any.
fn wanted(filter: &LlmRunFilter) -> [Option<String>; COLUMNS.len()] {
    let LlmRunFilter {
        run_id: _,
        provider,
        model,
        execution_status,
        is_synthetic,
        created_after: _,
        created_before: _,
    } = filter;
    [
        provider.clone(),
        model.clone(),
        execution_status.map(ExecutionStatus::as_str).map(str::to_owned),
        is_synthetic.map(yes).map(str::to_owned),
    ]
}

/// How many calls pass a filter, and at which ends of its time others are to be counted themselves. None where counters
/// cannot tell: of one run.
pub(crate) async fn total(
    conn: &Conn,
    tenant: TenantId,
    filter: &LlmRunFilter,
) -> Result<Option<(u64, Vec<Span>)>, StoreError> {
    let span = Span::between(filter.created_after, filter.created_before);
    let Some(span) = span.filter(|_| filter.run_id.is_none()) else { return Ok(None) };
    conn.store_counters().await?;
    let wanted = wanted(filter);
    let (mut asked, mut ends) = (Vec::new(), Vec::new());
    if span == Span::default() {
        asked.push((Counted::Calls, Names::default()));
    } else {
        for piece in span.by_day_and_hour() {
            match piece {
                Piece::Days(names) => asked.push((Counted::CallsOfDay, names)),
                Piece::Hours(names) => asked.push((Counted::CallsOfHour, names)),
                Piece::Rows(end) => ends.push(end),
                Piece::Months(_) => {}
            }
        }
    }
    let mut number: i64 = 0;
    for counters in asked {
        for (kind, tally) in sums_by(conn, tenant, counters, "kind").await? {
            let Some(words) = words_of(&kind) else { continue };
            let passes = wanted.iter().zip(&words).all(|(wanted, word)| wanted.is_none() || wanted == word);
            number = number.saturating_add(if passes { tally.number } else { 0 });
        }
    }
    Ok(Some((counted(number), ends)))
}

/// Of several filters the one that the fewest calls pass, by its column; none where there are not several, and of one
/// run, which has few.
pub(crate) async fn rarest(
    conn: &Conn,
    tenant: TenantId,
    filter: &LlmRunFilter,
) -> Result<Option<&'static str>, StoreError> {
    spared(rarest_of(conn, tenant, filter).await)
}

async fn rarest_of(
    conn: &Conn,
    tenant: TenantId,
    filter: &LlmRunFilter,
) -> Result<Option<&'static str>, StoreError> {
    let wanted = wanted(filter);
    if filter.run_id.is_some() || wanted.iter().flatten().count() < 2 {
        return Ok(None);
    }
    conn.store_counters().await?;
    let mut numbers = [0_i64; COLUMNS.len()];
    for (kind, tally) in sums_by(conn, tenant, (Counted::Calls, Names::default()), "kind").await? {
        let Some(words) = words_of(&kind) else { continue };
        for ((number, word), wanted) in numbers.iter_mut().zip(words).zip(&wanted) {
            *number = number.saturating_add(if word == *wanted { tally.number } else { 0 });
        }
    }
    let asked = COLUMNS.into_iter().zip(numbers).zip(&wanted).filter(|(_, wanted)| wanted.is_some());
    Ok(asked.min_by_key(|((_, number), _)| *number).map(|((column, _), _)| column))
}
