//! Which steps of a trace count, as the spans of it come in: the tree of each run, kept between groups.
//!
//! [`proof::tally`] decides; here is what follows from it. What a step used is counted once it is known to count, and
//! given back, from the run and from the windows of limits in which it was counted, once another step tells of the
//! same. A tree that another replica has gone on with is read on from where it stands. Of steps that are read that is
//! so which is stored of them: a trace may have been counted by another version of the tally, before the server was
//! exchanged.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use drivers::{StoreError, Tx};
use models::{ids::RunId, logs::Uncounted};
use proof::{records::RecordKind, tally::Told, words::StepKind};

use super::{
    RunState, State, sums,
    trees::{Placed, Reading, Spent},
    usage,
};
use crate::{
    choke::prepare::{Call, CallKind, PreparedStep},
    errors::Error,
};

/// So many steps of a run are read at once: all of a long one would be held beside its tree.
const STEPS_AT_ONCE: u64 = 5_000;

/// Keeps the trees of a committed group as it left them, but those of runs that it sealed. A group that failed keeps
/// none: they are read anew.
pub(in crate::choke) fn keep(state: &mut State) {
    let trees = std::mem::take(&mut state.trees);
    let sealed = state.runs.values().filter(|run| run.ending.is_some());
    let sealed: Vec<RunId> = sealed.map(|run| run.run.id).collect();
    state.spine.choke().trees.keep(state.tenant.id, trees, &sealed);
}

/// Makes the trees ready of the runs that spans are reported of.
pub(in crate::choke) async fn load(
    state: &mut State,
    tx: &Tx,
    runs: impl Iterator<Item = RunId>,
) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    let kept = &state.spine.choke().trees;
    let mut trees = HashMap::new();
    let mut behind: Vec<(RunId, Range<u64>)> = Vec::new();
    for id in runs {
        let Some(run) = state.runs.get(&id) else { continue };
        let next = run.next_index();
        let tree = kept.take(tenant, id).filter(|tree| tree.next <= next).unwrap_or_default();
        if tree.next < next {
            behind.push((id, tree.next..next));
        }
        trees.insert(id, tree);
    }
    let since = |(run, left): &(RunId, Range<u64>)| (*run, Reading::since(left.start));
    let mut readings: HashMap<RunId, Reading> = behind.iter().map(since).collect();
    while !behind.is_empty() {
        let page: Vec<_> = behind.iter().map(|(run, left)| (*run, next_of(left))).collect();
        for step in tx.traces().tree_steps(tenant, &page).await? {
            let sealed = state.runs.get(&step.run_id).and_then(sealed_steps);
            let of_run = trees.get_mut(&step.run_id).zip(readings.get_mut(&step.run_id));
            if let Some((tree, reading)) = of_run {
                tree.read(&step, sealed, reading);
            }
        }
        for (_, left) in &mut behind {
            left.start = next_of(left).end;
        }
        behind.retain(|(_, left)| !left.is_empty());
    }
    state.trees = trees;
    Ok(())
}

/// Those of the steps that are left to read that are read next.
fn next_of(left: &Range<u64>) -> Range<u64> {
    left.start..left.end.min(left.start.saturating_add(STEPS_AT_ONCE))
}

/// So many steps the receipt covers of a run that is sealed.
fn sealed_steps(run: &RunState) -> Option<u64> {
    let late = run.late.as_ref()?;
    Some(late.sealed.get(&RecordKind::Step).copied().unwrap_or(0))
}

/// The windows in which steps were counted that may count no longer, when these calls are recorded.
pub(in crate::choke) fn windows_of<'c>(
    state: &'c State,
    calls: impl Iterator<Item = &'c Call>,
) -> BTreeMap<(RunId, u64), &'c Spent> {
    let mut places = BTreeMap::<RunId, Vec<(Option<&str>, Option<&str>)>>::new();
    for call in calls {
        let CallKind::Record(step) = &call.what else { continue };
        if step.is_span {
            let report = &step.report;
            let place = (report.external_parent_span_id.as_deref(), report.external_span_id.as_deref());
            places.entry(step.run_id).or_default().push(place);
        }
    }
    let mut found = BTreeMap::new();
    for (run, places) in places {
        let Some(tree) = state.trees.get(&run) else { continue };
        let above = tree.tally.counted_above(places.iter().map(|(parent, _)| *parent));
        let below = tree.tally.counted_below(places.iter().map(|(_, span)| *span));
        for at in above.into_iter().chain(below) {
            found.extend(tree.counting.get(&at).map(|spent| ((run, at), spent)));
        }
    }
    found
}

/// Finds the step's place among those of its run. What counts no longer is given back at once, so
/// that the step is judged on what is so.
pub(in crate::choke) fn place(
    state: &mut State,
    step: &PreparedStep,
    index: u64,
    reporter: Option<&str>,
) -> Result<Placed, Error> {
    let run_id = step.run_id;
    let Some(tree) = state.trees.get_mut(&run_id) else { return Ok(Placed::ALONE) };
    let run = state.runs.get(&run_id);
    let is_late = run.is_some_and(|run| run.late.is_some());
    let at = run.map_or(state.now, |run| run.counts_at(state.now));
    let (input, output, cost) = step.usage();
    let report = &step.report;
    let llm = report.llm.as_ref();
    let told = Told {
        index,
        span: report.external_span_id.as_deref(),
        parent: report.external_parent_span_id.as_deref(),
        kind: report.kind,
        skill_name: &report.skill_name,
        models: [
            llm.and_then(|llm| llm.model.as_deref()),
            llm.and_then(|llm| llm.model_requested.as_deref()),
        ],
        used: (input, output, cost),
        note: step.cost_note(),
        failed: step.failed(),
        reporter,
    };
    let provider = llm.and_then(|llm| llm.provider.clone());
    let (kind, cost_known) = (report.kind, step.cost_known());
    let spent = Spent { kind, provider, at, input, output, cost, cost_known };
    let was_cut = tree.cut;
    let (placed, gone) = tree.add(told, spent, is_late);
    // Before this step, of which its judgement and its use say the same.
    let known =
        !was_cut && tree.unknown == u64::from(placed.counts && !cost_known) && !tree.tally.leaves_doubt();
    let leave_doubt: Vec<bool> = gone.iter().map(|(at, _)| tree.tally.is_in_doubt(*at)).collect();
    if !placed.counts {
        uncounted(state, run_id, (index, index), placed.in_doubt);
    }
    for ((at, spent), in_doubt) in gone.into_iter().zip(leave_doubt) {
        give_back(state, run_id, &spent)?;
        uncounted(state, run_id, (at, index), in_doubt);
    }
    if !is_late {
        let run = state.run_mut(run_id)?;
        run.run.cost_known = known;
        run.trace.cost_known = known;
    }
    Ok(placed)
}

/// A step that is in no tree takes the next place.
pub(in crate::choke) fn skip(state: &mut State, run_id: RunId, index: u64) {
    if let Some(tree) = state.trees.get_mut(&run_id) {
        tree.next = index + 1;
    }
}

fn uncounted(state: &mut State, run_id: RunId, (step_index, told_by_index): (u64, u64), in_doubt: bool) {
    let (tenant, created_at) = (state.tenant.id, state.now);
    let step = Uncounted { tenant, run_id, step_index, told_by_index, in_doubt, created_at };
    state.new.uncounted.push(step);
}

/// Takes what a step used, and its call, from all that counted it.
fn give_back(state: &mut State, run_id: RunId, spent: &Spent) -> Result<(), Error> {
    let run = &mut state.run_mut(run_id)?.run;
    sums::take(&mut run.input_tokens, spent.input);
    sums::take(&mut run.output_tokens, spent.output);
    sums::take(&mut run.cost_nanousd, spent.cost);
    match spent.kind {
        StepKind::LlmCall => run.llm_call_count = run.llm_call_count.saturating_sub(1),
        StepKind::ToolCall => run.tool_call_count = run.tool_call_count.saturating_sub(1),
        _ => {}
    }
    usage::take_back(state, run_id, spent);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_read_piece_by_piece() {
        let (mut left, mut read) = (7..2 * STEPS_AT_ONCE + 9, Vec::new());
        while !left.is_empty() {
            let next = next_of(&left);
            left.start = next.end;
            read.push(next);
        }
        let [first, second] = [1, 2].map(|pieces| 7 + pieces * STEPS_AT_ONCE);
        assert_eq!(read, [7..first, first..second, second..second + 2]);
    }
}
