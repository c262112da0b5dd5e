//! Runs that are traces: opened by the first of their spans that arrives, each span recorded once, whichever key of the
//! tenant reports it. The key that opened the run is the one that can end it.

use chrono::{DateTime, Duration, Utc};
use models::{
    activity::{ReportedEnd, Run},
    ids::RunId,
    logs::{StepKey, contested_span},
};
use proof::{
    tally::Tally,
    words::{RunStatus, TerminationReason},
};

use super::{Ending, RunState, State};
use crate::{
    choke::prepare::{Call, CallKind, Caller, PreparedStep},
    errors::Error,
    report::PartOf,
};

/// Where a span stands among those of its trace.
pub(in crate::choke) enum SpanPlace {
    /// It is recorded.
    Taken,
    /// It is new, to be recorded under this key.
    Free(Option<String>),
}

/// Whether the span is recorded already: first truth wins. Another span of the same id by the same key is a conflict;
/// by another key it is a span of its own, for whoever knows a trace knows ids of its spans before they are reported.
pub(in crate::choke) fn place_of(
    state: &State,
    caller: &Caller,
    step: &PreparedStep,
) -> Result<SpanPlace, Error> {
    let Some(span) = &step.report.idempotency_key else { return Ok(SpanPlace::Free(None)) };
    state.readable(&(step.run_id, StepKey::Span(span.clone())))?;
    let known = |key: &str| state.step_keys.get(&(step.run_id, StepKey::Span(key.to_owned())));
    let Some(first) = known(span) else { return Ok(SpanPlace::Free(Some(span.clone()))) };
    let reporter = caller.reporter();
    let own = contested_span(span, reporter.as_deref());
    state.readable(&(step.run_id, StepKey::Span(own.clone())))?;
    let of_caller = if first.reported_by == reporter { Some(first) } else { known(&own) };
    match of_caller {
        _ if first.is_of(step.request_hash) => Ok(SpanPlace::Taken),
        Some(step_of_caller) if step_of_caller.is_of(step.request_hash) => Ok(SpanPlace::Taken),
        Some(_) => Err(Error::IdempotencyConflict { key: span.clone() }),
        None => Ok(SpanPlace::Free(Some(own))),
    }
}

/// The second place to look for the spans among `calls` whose id is another key's, and other than what that one said.
pub(in crate::choke) fn contested<'c>(
    state: &State,
    calls: impl Iterator<Item = &'c Call>,
) -> Vec<(RunId, StepKey)> {
    let place = |call: &Call| {
        let CallKind::Record(step) = &call.what else { return None };
        let span = step.report.idempotency_key.as_ref().filter(|_| step.is_span)?;
        let first = state.step_keys.get(&(step.run_id, StepKey::Span(span.clone())))?;
        let reporter = call.caller.reporter();
        let is_other = first.reported_by != reporter && !first.is_of(step.request_hash);
        is_other.then(|| (step.run_id, StepKey::Span(contested_span(span, reporter.as_deref()))))
    };
    calls.filter_map(place).collect()
}

/// The key of the parent of a span that says that it is in another process.
pub(in crate::choke) fn remote_parent(step: &PreparedStep) -> Option<(RunId, StepKey)> {
    let parent = step.report.external_parent_span_id.clone().filter(|_| step.report.parent_is_remote)?;
    Some((step.run_id, StepKey::Span(parent)))
}

/// Whether a span ends its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::choke) enum Root {
    No,
    Yes,
    /// Its parent is this one, which is in another process and not in the trace: there may be nobody who would tell of
    /// it.
    Unless(String),
}

pub(in crate::choke) fn root(state: &State, step: &PreparedStep) -> Root {
    let report = &step.report;
    if report.external_parent_span_id.is_none() || report.external_parent_span_id == report.external_span_id {
        return Root::Yes;
    }
    let is_here =
        |parent: &(RunId, StepKey)| state.step_keys.contains_key(parent) || state.lost.contains_key(parent);
    match remote_parent(step).filter(|parent| !is_here(parent)) {
        Some((_, parent)) => Root::Unless(parent.text().to_owned()),
        None => Root::No,
    }
}

/// What the run is a part of: the first that says it is believed. A session is the conversation only until one is
/// named. Only the key that opened the run says it: that key reads it, and of what others say it reads nothing.
pub(in crate::choke) fn note_part(run: &mut Run, caller: &Caller, of: &PartOf, of_root: bool) {
    if !caller.opened(run.key_id) {
        return;
    }
    // Children end first, and may be of a conversation of their own: the root is of the whole trace, whenever it comes.
    if of_root && run.is_reported() {
        let only_session = run.conversation_id == run.session_id;
        for (known, said) in [
            (&mut run.conversation_id, &of.conversation_id),
            (&mut run.session_id, &of.session_id),
            (&mut run.user_id, &of.user_id),
        ] {
            if said.is_some() {
                known.clone_from(said);
            }
        }
        if only_session && of.conversation_id.is_none() {
            run.conversation_id.clone_from(&run.session_id);
        }
    }
    say_part(run, of);
}

/// The same of what whoever opens the run says at its start.
pub(in crate::choke) fn say_part(run: &mut Run, of: &PartOf) {
    let PartOf { conversation_id, session_id, user_id } = of;
    if conversation_id.is_some() && (run.conversation_id.is_none() || run.conversation_id == run.session_id) {
        run.conversation_id.clone_from(conversation_id);
    }
    if run.session_id.is_none() && session_id.is_some() {
        run.session_id.clone_from(session_id);
    }
    if run.conversation_id.is_none() {
        run.conversation_id.clone_from(&run.session_id);
    }
    if run.user_id.is_none() && user_id.is_some() {
        run.user_id.clone_from(user_id);
    }
}

/// So many spans whose parents are awaited may stand for the root.
const MAX_AWAITING: usize = 64;

/// So many times as long as other traces a trace is waited for whose root is still to come, as it seems.
const LONGER_QUIET: i32 = 10;

/// When a trace is given up whose opener is heard now, and never again: what other keys send keeps it from being
/// silent, but not for good.
pub(in crate::choke) fn given_up_at(state: &State) -> DateTime<Utc> {
    state.now + state.spine.settings().run_abandon_after * LONGER_QUIET
}

/// The key that opened a trace was heard in its run, otherwise than by a span.
pub(in crate::choke) fn heard(state: &mut State, caller: &Caller, run_id: RunId) -> Result<(), Error> {
    let given_up_at = given_up_at(state);
    let run = state.run_mut(run_id)?;
    let is_awaited = run.run.is_reported() && run.run.reported_end.is_none() && run.run.halt_action.is_none();
    if is_awaited && caller.opened(run.run.key_id) {
        run.run.seal_due_at = Some(given_up_at);
    }
    Ok(())
}

/// The root span ends the run, once nothing has come for a while: its children may still be on their way. Only the key
/// that opened the run can end it: to any other, its root is a span like all. Where several may be the root, as their
/// parents are elsewhere, each stands until its parent comes, in whatever order they do.
///
/// A service that was called may report its part at once and its caller only in the end. So where spans of the trace
/// name parents that are still to come, other than those that are elsewhere, the trace is waited for longer. How long
/// is reckoned from the last span of the key that opened the run: by naming parents that never come, another key cannot
/// keep it from being sealed for good.
pub(in crate::choke) fn note_end(
    state: &mut State,
    caller: &Caller,
    step: &PreparedStep,
    root: Root,
    quiet: Duration,
) -> Result<(), Error> {
    let given_up_at = given_up_at(state);
    let tree = state.trees.get(&step.run_id).map(|tree| &tree.tally);
    let run = state
        .runs
        .get_mut(&step.run_id)
        .ok_or_else(|| Error::HalfDone("a span without its run".to_owned()))?;
    if run.run.halt_action.is_some() || run.ending.is_some() {
        // It ends as what halted or ended it says, and when.
        return Ok(());
    }
    let opened = caller.opened(run.run.key_id);
    let stood = run.run.reported_end.take();
    let heard_at = stood.as_ref().and_then(|end| end.heard_at).filter(|_| !opened).unwrap_or(state.now);
    let mut ends: Vec<ReportedEnd> = stood.clone().map(each).unwrap_or_default();
    if root == Root::No
        && let Some(parent) = &step.report.external_parent_span_id
        && let Some(end) = ends.iter_mut().find(|end| end.awaits.as_ref() == Some(parent))
    {
        end.will_come |= !step.report.parent_is_remote;
    }
    if opened {
        stand(&mut ends, step, root, tree);
    }
    let mut ends = ends.into_iter();
    let now =
        ends.next().map(|first| ReportedEnd { heard_at: Some(heard_at), others: ends.collect(), ..first });
    let which = |end: &ReportedEnd| (end.status, end.duration_ms, end.awaits.clone());
    if now.as_ref().map(which) != stood.as_ref().map(which) {
        run.run.error_message = now.as_ref().and_then(|end| end.error.clone());
    }
    let goes_on = now.as_ref().is_some_and(|end| goes_on(end, tree));
    if goes_on || opened {
        let quiet = if goes_on { quiet * LONGER_QUIET } else { quiet };
        run.run.seal_due_at = Some(now.as_ref().map_or(given_up_at, |_| heard_at + quiet));
    }
    run.run.reported_end = now;
    Ok(())
}

/// Lets a span stand for the root, or end what stood for it.
fn stand(ends: &mut Vec<ReportedEnd>, step: &PreparedStep, root: Root, tree: Option<&Tally>) {
    let report = &step.report;
    let end = |awaits, will_come| ReportedEnd {
        status: if step.failed() { RunStatus::Failed } else { RunStatus::Succeeded },
        duration_ms: report.duration_ms,
        awaits,
        will_come,
        error: report.outcome_code.clone().filter(|_| step.failed()),
        heard_at: None,
        others: Vec::new(),
    };
    // What stood for the root has a parent here after all.
    ends.retain(|end| end.awaits.is_none() || end.awaits != report.external_span_id);
    let is_open = ends.first().is_none_or(|first| first.awaits.is_some());
    match root {
        Root::Yes if is_open => *ends = vec![end(None, false)],
        Root::Unless(parent)
            if is_open
                && ends.len() < MAX_AWAITING
                && ends.iter().all(|end| end.awaits.as_ref() != Some(&parent)) =>
        {
            // The step itself is one of them.
            let will_come = tree.is_some_and(|tree| tree.children_of_span(&parent) > 1);
            ends.push(end(Some(parent), will_come));
        }
        _ => {}
    }
}

/// Whether a trace that nobody told the root of seems to go on.
fn goes_on(end: &ReportedEnd, tree: Option<&Tally>) -> bool {
    let all = || std::iter::once(end).chain(&end.others);
    let elsewhere = all().filter(|end| !end.will_come).filter_map(|end| end.awaits.as_deref());
    end.awaits.is_some() && tree.is_some_and(|tree| tree.awaits_others(elsewhere))
}

/// A reported end, and the others that may be it.
fn each(mut end: ReportedEnd) -> Vec<ReportedEnd> {
    end.heard_at = None;
    let others = std::mem::take(&mut end.others);
    std::iter::once(end).chain(others).collect()
}

/// How a run ends whose root span has ended.
pub(in crate::choke) fn ending(run: &RunState) -> Option<Ending> {
    let end = run.run.reported_end.as_ref()?;
    let reason = match end.status {
        RunStatus::Failed => TerminationReason::SystemFailure,
        _ => TerminationReason::Completed,
    };
    Some(Ending { status: end.status, reason, error: run.run.error_message.clone() })
}
