//! What counters say of runs: in all and by when they started, of all agents together and of each.

use std::{collections::HashMap, fmt::Write as _};

use models::{
    activity::{RiskLevel, Run, RunCounts, RunFilter, RunState, Standing},
    counters::Counted,
    ids::TenantId,
};
use sea_orm::Value;

use super::{
    counted, numbered,
    span::{Names, Piece, Span, day},
    spared, sum,
    words::{COLUMNS, WORDS, Words, at_risk},
    words_of, yes,
};
use crate::{
    StoreError,
    asked::{Asked, asked},
    cells::{Cell, TABLE, Tally},
    conn::Conn,
    tally::{legible_word, value},
};

/// One more run, or one less, of each kind that it is of as it `stands`.
pub(crate) fn add(conn: &Conn, run: &Run, stands: &Standing, number: i64) {
    conn.counters().add(cells(run, stands), Tally { number, ..Tally::default() });
}

/// A run that may stand otherwise than before.
pub(crate) fn moved(conn: &Conn, run: &Run, before: &Standing, now: &Standing) {
    if now != before {
        add(conn, run, before, -1);
        add(conn, run, now, 1);
    }
}

/// The counters of a run.
fn cells(run: &Run, stands: &Standing) -> [Cell; 5] {
    let level = stands.risk_level.as_str();
    let words = Words {
        state: stands.state.as_str().into(),
        status: stands.status.as_str().into(),
        risk_level: level.into(),
        at_risk: at_risk(level, stands.incident_count > 0, stands.policy_violation),
        source: run.source.as_str().into(),
        is_synthetic: run.is_synthetic,
        integrity_status: stands.integrity_status.as_str().into(),
        evidence_health: stands.evidence_health.as_str().into(),
        latency_bucket: stands.latency_bucket.as_str().into(),
        assurance: stands.assurance.as_str().into(),
        project_id: run.project_id.as_deref().map(Into::into),
        provider_type: run.provider_type.as_deref().map(Into::into),
        key_id: run.key_id,
    };
    of_kind(run.tenant, (&run.agent_id, &day(run.started_at)), &words.kind())
}

/// The counters of runs of an agent that started on a day.
pub(super) fn of_kind(tenant: TenantId, (agent, day): (&str, &str), kind: &str) -> [Cell; 5] {
    let cell = |counted, place: &str, part: &str| Cell {
        tenant,
        counted,
        place: place.to_owned(),
        part: part.to_owned(),
        kind: kind.to_owned(),
    };
    [
        cell(Counted::Runs, "", ""),
        cell(Counted::RunsOfMonth, month_of(day), ""),
        cell(Counted::RunsOfDay, day, ""),
        cell(Counted::AgentRuns, agent, ""),
        cell(Counted::AgentRunsOfDay, agent, day),
    ]
}

/// The month of a day.
fn month_of(day: &str) -> &str {
    day.rsplit_once('-').map_or(day, |(month, _)| month)
}

/// What a filter asks of the words of a kind. Agent and time say which counters are asked; a conversation has none.
fn wanted(filter: &RunFilter) -> [Option<String>; WORDS] {
    let mut asked: HashMap<&str, String> =
        asked(filter).map(|(column, asked)| (column, word(asked))).collect();
    COLUMNS.map(|column| asked.remove(column))
}

/// As a kind has it.
fn word(asked: Asked<'_>) -> String {
    match asked {
        Asked::Word(word) => word.to_owned(),
        Asked::Is(it_is) => yes(it_is).to_owned(),
        Asked::Text(text) => text.to_owned(),
        Asked::Key(key) => key.to_string(),
    }
}

/// How many runs pass a filter, and at which ends of its time others are to be counted themselves. None where counters
/// cannot tell: of a conversation, which has few runs.
pub(crate) async fn total(
    conn: &Conn,
    tenant: TenantId,
    filter: &RunFilter,
) -> Result<Option<(u64, Vec<Span>)>, StoreError> {
    let span = Span::between(filter.started_after, filter.started_before);
    let Some(span) = span.filter(|_| filter.conversation_id.is_none()) else { return Ok(None) };
    conn.store_counters().await?;
    let wanted = wanted(filter);
    let agent = filter.agent_id.as_deref();
    let (mut total, mut ends) = (0_u64, Vec::new());
    for (counts, names) in pieces(span, agent.is_some(), &mut ends) {
        let passing = passing(&kinds(conn, tenant, counts, (agent, names)).await?, &wanted);
        total = total.saturating_add(passing);
    }
    Ok(Some((total, ends)))
}

/// The counters of a time, and at its ends what has none.
fn pieces(span: Span, of_agent: bool, ends: &mut Vec<Span>) -> Vec<(Counted, Names)> {
    if span == Span::default() {
        return vec![(if of_agent { Counted::AgentRuns } else { Counted::Runs }, Names::default())];
    }
    let cut = if of_agent { span.by_day() } else { span.by_month_and_day() };
    let counters = cut.into_iter().filter_map(|piece| match piece {
        Piece::Months(names) => Some((Counted::RunsOfMonth, names)),
        Piece::Days(names) if of_agent => Some((Counted::AgentRunsOfDay, names)),
        Piece::Days(names) => Some((Counted::RunsOfDay, names)),
        Piece::Hours(_) => None,
        Piece::Rows(end) => {
            ends.push(end);
            None
        }
    });
    counters.collect()
}

/// The words of a kind of runs, and how many there are of it.
type Kind = (Vec<Option<String>>, i64);

/// The kinds of runs that have such counters: of one agent or of all, of these times or in all.
async fn kinds(
    conn: &Conn,
    tenant: TenantId,
    counts: Counted,
    (agent, (from, until)): (Option<&str>, Names),
) -> Result<Vec<Kind>, StoreError> {
    // Of an agent the days stand in the part; they are few, and found by the agent. SQLite is not to go by the days.
    let time = if agent.is_some() { "part || ''" } else { "place" };
    let conditions = [
        ("place =".to_owned(), agent.map(str::to_owned)),
        (format!("{time} >="), from),
        (format!("{time} <"), until),
    ];
    let sum = sum(conn.backend(), "number");
    let mut sql = format!("SELECT kind, {sum} FROM {TABLE} WHERE tenant_id = $1 AND counted = $2");
    let mut values: Vec<Value> = vec![tenant.0.into(), counts.as_str().into()];
    for (condition, wanted) in conditions {
        let Some(wanted) = wanted else { continue };
        values.push(wanted.into());
        let _ = write!(sql, " AND {condition} ${}", values.len());
    }
    // A run that ended leaves 0 of the kind that it was before.
    let _ = write!(sql, " GROUP BY kind HAVING {sum} <> 0");
    let mut kinds = Vec::new();
    for row in conn.rows(numbered(conn, &sql, values)).await? {
        let Some(words) = words_of(&legible_word(TABLE, &row, 0)?) else { continue };
        kinds.push((words, value(TABLE, &row, 1)?));
    }
    Ok(kinds)
}

/// How many runs are of kinds that pass.
fn passing(kinds: &[Kind], wanted: &[Option<String>; WORDS]) -> u64 {
    let passes = |words: &[Option<String>]| {
        wanted
            .iter()
            .enumerate()
            .all(|(n, wanted)| wanted.is_none() || words.get(n).is_some_and(|word| word == wanted))
    };
    let numbers = kinds.iter().filter(|(words, _)| passes(words)).map(|(_, number)| *number);
    counted(numbers.fold(0, i64::saturating_add))
}

/// Of several filters the one that the fewest runs pass, by its column; none where there are not several.
pub(crate) async fn rarest(
    conn: &Conn,
    tenant: TenantId,
    filter: &RunFilter,
) -> Result<Option<&'static str>, StoreError> {
    spared(rarest_of(conn, tenant, filter).await)
}

async fn rarest_of(
    conn: &Conn,
    tenant: TenantId,
    filter: &RunFilter,
) -> Result<Option<&'static str>, StoreError> {
    let wanted = wanted(filter);
    let agent = filter.agent_id.as_deref();
    let several = wanted.iter().flatten().count()
        + usize::from(agent.is_some())
        + usize::from(filter.conversation_id.is_some());
    if several < 2 {
        return Ok(None);
    }
    if filter.conversation_id.is_some() {
        return Ok(Some("conversation_id"));
    }
    conn.store_counters().await?;
    let all = kinds(conn, tenant, Counted::Runs, (None, Names::default())).await?;
    let mut numbers = Vec::with_capacity(several);
    for (n, column) in COLUMNS.into_iter().enumerate() {
        if wanted[n].is_some() {
            let only: [Option<String>; WORDS] =
                std::array::from_fn(|at| if at == n { wanted[n].clone() } else { None });
            numbers.push((passing(&all, &only), column));
        }
    }
    if agent.is_some() {
        let of_agent = kinds(conn, tenant, Counted::AgentRuns, (agent, Names::default())).await?;
        numbers.push((passing(&of_agent, &[const { None }; WORDS]), "agent_id"));
    }
    Ok(numbers.into_iter().min_by_key(|(number, _)| *number).map(|(_, column)| column))
}

/// For Overview: all, LIVE, VIOLATED.
pub(crate) async fn counts(conn: &Conn, tenant: TenantId) -> Result<RunCounts, StoreError> {
    conn.store_counters().await?;
    let kinds = kinds(conn, tenant, Counted::Runs, (None, Names::default())).await?;
    let of = |filter: &RunFilter| passing(&kinds, &wanted(filter));
    Ok(RunCounts {
        total: of(&RunFilter::default()),
        live: of(&RunFilter { state: Some(RunState::Live), ..RunFilter::default() }),
        violated: of(&RunFilter { risk_level: Some(RiskLevel::Violated), ..RunFilter::default() }),
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use models::{
        activity::{EvidenceHealth, LatencyBucket},
        ids::KeyId,
    };
    use proof::words::{Assurance, IntegrityStatus, RunSource, RunStatus};
    use uuid::Uuid;

    use super::*;

    /// What lists filter by and counters do not tell apart, a total would pass over in silence.
    #[test]
    fn every_column_that_a_filter_asks_for_is_told_apart() {
        let text = || Some("x".to_owned());
        let all = RunFilter {
            state: Some(RunState::Live),
            status: Some(RunStatus::ALL[0]),
            risk: Some(true),
            risk_level: Some(RiskLevel::Violated),
            agent_id: text(),
            project_id: text(),
            conversation_id: text(),
            source: Some(RunSource::ALL[0]),
            provider_type: text(),
            is_synthetic: Some(false),
            started_after: Some(DateTime::UNIX_EPOCH),
            started_before: Some(DateTime::UNIX_EPOCH),
            integrity_status: Some(IntegrityStatus::ALL[0]),
            evidence_health: Some(EvidenceHealth::ALL[0]),
            latency_bucket: Some(LatencyBucket::ALL[0]),
            assurance: Some(Assurance::ALL[0]),
            key_id: Some(KeyId(Uuid::nil())),
        };
        // Counters of an agent are others, and a conversation has none.
        let apart = ["agent_id", "conversation_id"];
        let columns = asked(&all).map(|(column, _)| column);
        let passed_over: Vec<&str> =
            columns.filter(|column| !COLUMNS.contains(column) && !apart.contains(column)).collect();
        assert!(passed_over.is_empty(), "{passed_over:?}");
        assert!(wanted(&all).iter().all(Option::is_some), "{:?}", wanted(&all));
    }
}
