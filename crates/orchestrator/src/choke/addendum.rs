//! What comes to a run after it was sealed: an addendum, which is a trace of its own with a leaf of its own.
//!
//! The receipt stays what it is. Late records go on counting where the sealed ones end, late steps are chained to the
//! SEALED leaf, and each group that brings some is sealed at once by an ADDENDUM leaf over all that came late so far.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    activity::{EvidenceHealth, Late, RunState as LifeState},
    ids::{RunId, TraceId},
    logs::Trace,
};
use proof::{
    hash::Hash,
    leaves::{AddendumLeaf, RunLeaf},
    records::RecordKind,
    run_ranges::RunRanges,
    words::{Assurance, StepKind, TraceStatus},
};

use super::{
    prepare::PreparedStep,
    standing::refresh,
    state::{LateState, RunState, State},
    usage,
};
use crate::errors::Error;

/// Makes an addendum ready for each sealed run that spans are reported of, or that calls have `passed` of. It is stored
/// only if one of them is new.
pub(super) async fn load(
    state: &mut State,
    tx: &Tx,
    spans: &BTreeSet<RunId>,
    passed: &BTreeSet<RunId>,
) -> Result<(), StoreError> {
    let sealed = |run: &&RunState| {
        let reported = run.run.is_reported() && spans.contains(&run.run.id);
        run.run.state == LifeState::Completed && (reported || passed.contains(&run.run.id))
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

/// Counts what a late step spent, where it counts: beside the totals that were sealed.
pub(super) fn spend(run: &mut RunState, step: &PreparedStep, counts: bool) {
    let (input, output, cost) = step.usage();
    run.trace.step_count += 1;
    let late = run.run.late.get_or_insert_with(Late::default);
    late.step_count += 1;
    if !counts {
        return;
    }
    run.trace.cost_known &= step.cost_known();
    usage::add(&mut late.input_tokens, input);
    usage::add(&mut late.output_tokens, output);
    usage::add(&mut late.cost_nanousd, cost);
    late.cost_unknown |= !step.cost_known();
    match step.report.kind {
        StepKind::LlmCall => late.llm_call_count += 1,
        StepKind::ToolCall => late.tool_call_count += 1,
        _ => {}
    }
}

/// Seals the addenda that the group has made.
pub(super) fn seal(state: &mut State) -> Result<(), Error> {
    let made = state.runs.values().filter(|run| run.changed && run.late.is_some());
    let mut made: Vec<RunId> = made.map(|run| run.run.id).collect();
    made.sort_unstable();
    let now = state.now;
    for id in made {
        let run = state.run_mut(id)?;
        let Some(sealed_leaf) = run.late.as_ref().map(|late| late.sealed_leaf) else { continue };
        let ranges = &run.trace.ranges;
        let root_hash = ranges.kind(RecordKind::Step).root();
        let leaf = AddendumLeaf {
            tenant_id: run.run.tenant.to_string(),
            run_id: id.to_string(),
            trace_id: run.trace.id.to_string(),
            addendum_of: run.run.trace_id.to_string(),
            number: run.run.late.as_ref().map_or(0, |late| late.addenda),
            sealed_leaf: sealed_leaf.to_string(),
            root_hash: root_hash.to_string(),
            chain_head: run.trace.chain_head.to_string(),
            records_root: ranges.records_root().to_string(),
            record_counts: ranges.counts(),
            added_at: models::time::text(now),
        };
        let gap = ranges.next(RecordKind::Gap) > 0;
        run.trace.status = TraceStatus::Completed;
        run.trace.root_hash = Some(root_hash);
        run.trace.completed_at = Some(now);
        // A late permit counts no step, and is late all the same.
        let late = run.run.late.get_or_insert_with(Late::default);
        late.addenda += 1;
        late.trace_id = run.trace.id.to_string();
        if gap {
            lower(run, now);
        }
        state.new.leaves.push((id, RunLeaf::Addendum(leaf)));
    }
    Ok(())
}

/// What a gap costs a run, however late it comes. The receipt goes on saying what held when it was made.
fn lower(run: &mut RunState, now: DateTime<Utc>) {
    let late = run.run.late.get_or_insert_with(Late::default);
    if run.run.assurance != Assurance::Reported {
        late.sealed_assurance = Some(run.run.assurance);
        run.run.assurance = Assurance::Reported;
    }
    run.run.evidence_health = run.run.evidence_health.max(EvidenceHealth::Degraded);
    refresh(run, now);
}
