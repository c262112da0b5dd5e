//! Runs that are traces: opened by the first of their spans that arrives, each span recorded once, whichever key of the
//! tenant reports it. The key that opened the run is the one that can end it.

use chrono::{DateTime, Duration, Utc};
use models::{activity::ReportedEnd, ids::RunId, logs::contested_span};
use proof::words::{RunStatus, TerminationReason};

use super::{
    Answer, Done,
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

/// The root span ends the run, once nothing has come for a while: its children may still be on their way. Only the key
/// that opened the run can end it: to any other, its root is a span like all.
pub(super) fn note_end(
    run: &mut RunState,
    caller: &Caller,
    step: &PreparedStep,
    now: DateTime<Utc>,
    quiet: Duration,
) {
    if !caller.opened(run.run.key_id) {
        return;
    }
    let report = &step.report;
    if report.external_parent_span_id.is_none() && run.run.reported_end.is_none() {
        let status = if step.failed() { RunStatus::Failed } else { RunStatus::Succeeded };
        run.run.reported_end = Some(ReportedEnd { status, duration_ms: report.duration_ms });
        if step.failed() {
            run.run.error_message.clone_from(&report.outcome_code);
        }
    }
    if run.run.reported_end.is_some() {
        run.run.seal_due_at = Some(now + quiet);
    }
}

/// How a run ends whose root span has ended.
pub(super) fn ending(run: &RunState) -> Option<Ending> {
    let end = run.run.reported_end?;
    let reason = match end.status {
        RunStatus::Failed => TerminationReason::SystemFailure,
        _ => TerminationReason::Completed,
    };
    Some(Ending { status: end.status, reason, error: run.run.error_message.clone() })
}
