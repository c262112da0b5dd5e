//! Runs that are traces: opened by the first of their spans that arrives, each span recorded once, whichever key of the
//! tenant reports it. The key that opened the run is the one that can end it.

use chrono::{DateTime, Utc};
use models::{
    activity::{ReportedEnd, Run},
    ids::RunId,
    logs::contested_span,
};
use proof::words::{RunStatus, TerminationReason};

use super::{
    Answer, Done,
    call::PartOf,
    prepare::{Call, Caller, PreparedStart, PreparedStep, What},
    start,
    state::{Ending, RunState, State},
};
use crate::errors::Error;

/// Opens the run of a trace, unless the trace has one: the answer says which run it is.
pub(super) fn trace(state: &mut State, caller: &Caller, start: &PreparedStart) -> Answer {
    let Some(trace_id) = &start.request.external_trace_id else {
        return Err(Error::Internal("a trace without its id".to_owned()));
    };
    if let Some(run) = state.traces.get(trace_id) {
        return Ok(Done::Traced(*run));
    }
    match start::begin(state, caller, start)? {
        Done::Started(run, _) => {
            state.traces.insert(trace_id.clone(), run.id);
            Ok(Done::Traced(run.id))
        }
        _ => Err(Error::Internal("a start starts".to_owned())),
    }
}

/// Where a span stands among those of its trace.
pub(super) enum SpanPlace {
    /// It is recorded.
    Taken,
    /// It is new, to be recorded under this key.
    Free(Option<String>),
}

/// Whether the span is recorded already: first truth wins. Another span of the same id by the same key is a conflict;
/// by another key it is a span of its own, for whoever knows a trace knows ids of its spans before they are reported.
pub(super) fn place_of(state: &State, caller: &Caller, step: &PreparedStep) -> Result<SpanPlace, Error> {
    let Some(span) = &step.report.idempotency_key else { return Ok(SpanPlace::Free(None)) };
    let known = |key: &String| state.step_keys.get(&(step.run_id, key.clone()));
    let Some(first) = known(span) else { return Ok(SpanPlace::Free(Some(span.clone()))) };
    let reporter = caller.reporter();
    let own = contested_span(span, reporter.as_deref());
    let of_caller = if first.reported_by == reporter { Some(first) } else { known(&own) };
    match of_caller {
        _ if first.is_of(step.request_hash) => Ok(SpanPlace::Taken),
        Some(step_of_caller) if step_of_caller.is_of(step.request_hash) => Ok(SpanPlace::Taken),
        Some(_) => Err(Error::IdempotencyConflict { key: span.clone() }),
        None => Ok(SpanPlace::Free(Some(own))),
    }
}

/// The second place to look for the spans among `calls` whose id is another key's, and other than what that one said.
pub(super) fn contested<'c>(state: &State, calls: impl Iterator<Item = &'c Call>) -> Vec<(RunId, String)> {
    let place = |call: &Call| {
        let What::Record(step) = &call.what else { return None };
        let span = step.report.idempotency_key.as_ref().filter(|_| step.is_span)?;
        let first = state.step_keys.get(&(step.run_id, span.clone()))?;
        let reporter = call.caller.reporter();
        let is_other = first.reported_by != reporter && !first.is_of(step.request_hash);
        is_other.then(|| (step.run_id, contested_span(span, reporter.as_deref())))
    };
    calls.filter_map(place).collect()
}

/// The key of the parent of a span that says that it is in another process.
pub(super) fn remote_parent(step: &PreparedStep) -> Option<(RunId, String)> {
    let parent = step.report.external_parent_span_id.clone().filter(|_| step.report.parent_is_remote)?;
    Some((step.run_id, parent))
}

/// Whether a span ends its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    No,
    Yes,
    /// Its parent is this one, which is in another process and not in the trace: there may be nobody who would tell of it.
    Unless(String),
}

pub(super) fn root(state: &State, step: &PreparedStep) -> Root {
    if step.report.external_parent_span_id.is_none() {
        return Root::Yes;
    }
    match remote_parent(step).filter(|parent| !state.step_keys.contains_key(parent)) {
        Some((_, parent)) => Root::Unless(parent),
        None => Root::No,
    }
}

/// What the run is a part of: the first that says it is believed. A session is the conversation only until one is named.
/// Only the key that opened the run says it: that key reads it, and of what others say it reads nothing.
pub(super) fn note_part(run: &mut Run, caller: &Caller, of: &PartOf) {
    if !caller.opened(run.key_id) {
        return;
    }
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

/// The root span ends the run, once nothing has come for a while: its children may still be on their way. Only the key
/// that opened the run can end it: to any other, its root is a span like all. Where several may be the root, as their
/// parents are elsewhere, each stands until its parent comes, in whatever order they do.
pub(super) fn note_end(
    run: &mut RunState,
    caller: &Caller,
    step: &PreparedStep,
    root: Root,
    seal_due: DateTime<Utc>,
) {
    if !caller.opened(run.run.key_id) {
        return;
    }
    let report = &step.report;
    let end = |awaits| ReportedEnd {
        status: if step.failed() { RunStatus::Failed } else { RunStatus::Succeeded },
        duration_ms: report.duration_ms,
        awaits,
        error: report.outcome_code.clone().filter(|_| step.failed()),
        others: Vec::new(),
    };
    let stood = run.run.reported_end.take();
    let mut ends: Vec<ReportedEnd> = stood.clone().map(each).unwrap_or_default();
    // What stood for the root has a parent here after all.
    ends.retain(|end| end.awaits.is_none() || end.awaits != report.external_span_id);
    let is_open = ends.first().is_none_or(|first| first.awaits.is_some());
    match root {
        Root::Yes if is_open => ends = vec![end(None)],
        Root::Unless(parent)
            if is_open
                && ends.len() < MAX_AWAITING
                && ends.iter().all(|end| end.awaits.as_ref() != Some(&parent)) =>
        {
            ends.push(end(Some(parent)));
        }
        _ => {}
    }
    let mut ends = ends.into_iter();
    let now = ends.next().map(|first| ReportedEnd { others: ends.collect(), ..first });
    let which = |end: &ReportedEnd| (end.status, end.duration_ms, end.awaits.clone());
    if now.as_ref().map(which) != stood.as_ref().map(which) {
        run.run.error_message = now.as_ref().and_then(|end| end.error.clone());
    }
    if now.is_some() || stood.is_some() {
        run.run.seal_due_at = now.as_ref().map(|_| seal_due);
    }
    run.run.reported_end = now;
}

/// A reported end, and the others that may be it.
fn each(mut end: ReportedEnd) -> Vec<ReportedEnd> {
    let others = std::mem::take(&mut end.others);
    std::iter::once(end).chain(others).collect()
}

/// How a run ends whose root span has ended.
pub(super) fn ending(run: &RunState) -> Option<Ending> {
    let end = run.run.reported_end.as_ref()?;
    let reason = match end.status {
        RunStatus::Failed => TerminationReason::SystemFailure,
        _ => TerminationReason::Completed,
    };
    Some(Ending { status: end.status, reason, error: run.run.error_message.clone() })
}
