//! What comes late to a sealed run: the addendum that it goes into is made ready, and what it spent is counted there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    activity::{Late, RunState as LifeState},
    ids::{RunId, TraceId},
    logs::Trace,
};
use proof::{
    hash::Hash,
    run_ranges::RunRanges,
    words::{StepKind, TraceStatus},
};

use super::{LateState, RunState, State, sums, trees::Placed};
use crate::choke::prepare::PreparedStep;

/// Makes an addendum ready for each sealed run that spans are reported of, or of which calls were `let_through` in an
/// outage. It is stored only if one of them is new.
pub(in crate::choke) async fn load(
    state: &mut State,
    tx: &Tx,
    spans: &BTreeSet<RunId>,
    let_through: &BTreeSet<RunId>,
) -> Result<(), StoreError> {
    let sealed = |run: &&RunState| {
        let reported = run.run.is_reported() && spans.contains(&run.run.id);
        run.run.state == LifeState::Completed && (reported || let_through.contains(&run.run.id))
    };
    let runs: Vec<RunId> = state.runs.values().filter(sealed).map(|run| run.run.id).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let tenant = state.tenant.id;
    let receipts = tx.ledger().receipts(tenant, &runs).await?;
    let receipts: HashMap<RunId, Hash> =
        receipts.into_iter().map(|leaf| (leaf.run_id, leaf.leaf_hash)).collect();
    let last_of = |run: &RunId| state.runs.get(run)?.run.late.as_ref()?.trace_id.parse().ok();
    let last: Vec<TraceId> = runs.iter().filter_map(last_of).collect();
    let mut before: HashMap<RunId, Trace> = HashMap::new();
    if !last.is_empty() {
        let traces = tx.traces().find_traces(tenant, &last).await?;
        before.extend(traces.into_iter().map(|trace| (trace.run_id, trace)));
    }
    for id in runs {
        let trace_id: TraceId = state.id();
        let now = state.now;
        let Some(run) = state.runs.get_mut(&id) else { continue };
        let missing = |what: &str| StoreError::Corrupt {
            table: "run_log",
            row: id.to_string(),
            why: format!("{what} of the sealed run is not there"),
        };
        let sealed_leaf = *receipts.get(&id).ok_or_else(|| missing("the receipt"))?;
        let last = before.remove(&id);
        if run.run.late.is_some() && last.is_none() {
            return Err(missing("the last addendum"));
        }
        run.late = Some(LateState { sealed: run.trace.ranges.counts(), sealed_leaf });
        run.trace = following(run, last, (trace_id, sealed_leaf), now);
    }
    Ok(())
}

/// A trace that goes on where the last addendum ended, or at the receipt.
fn following(
    run: &RunState,
    last: Option<Trace>,
    (id, sealed_leaf): (TraceId, Hash),
    now: DateTime<Utc>,
) -> Trace {
    let first = || Trace { chain_head: sealed_leaf, ranges: RunRanges::default(), ..run.trace.clone() };
    Trace {
        id,
        addendum_of: Some(run.run.trace_id),
        status: TraceStatus::Running,
        abort_reason: None,
        root_hash: None,
        step_count: 0,
        refused_count: 0,
        tally: BTreeMap::new(),
        failure_count: 0,
        expected_activity: 0,
        expected_provider: 0,
        started_at: now,
        completed_at: None,
        archived_at: None,
        sealed_leaf_index: None,
        ..last.unwrap_or_else(first)
    }
}

/// Counts what a late step spent, where it counts: beside the totals that were sealed. Where one gave way and what
/// stays tells of another use, what all of it cost is not known.
pub(in crate::choke) fn spend(run: &mut RunState, step: &PreparedStep, placed: Placed) {
    let (input, output, cost) = step.usage();
    run.trace.step_count += 1;
    let late = run.run.late.get_or_insert_with(Late::default);
    late.step_count += 1;
    late.cost_unknown |= placed.in_doubt;
    run.trace.cost_known &= !placed.in_doubt;
    if !placed.counts {
        return;
    }
    sums::add(&mut late.input_tokens, input);
    sums::add(&mut late.output_tokens, output);
    let known = sums::add(&mut late.cost_nanousd, cost) && step.cost_known();
    late.cost_unknown |= !known;
    run.trace.cost_known &= known;
    match step.report.kind {
        StepKind::LlmCall => late.llm_call_count += 1,
        StepKind::ToolCall => late.tool_call_count += 1,
        _ => {}
    }
}
