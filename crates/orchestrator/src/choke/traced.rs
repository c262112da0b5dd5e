//! Runs that are traces: opened by the first of their spans that arrives, each span recorded once.

use chrono::{DateTime, Duration, Utc};
use models::{activity::ReportedEnd, ids::RunId};
use proof::{
    hash::Hash,
    words::{RunStatus, TerminationReason},
};

use super::{
    Answer, Done,
    prepare::{Caller, PreparedStart, PreparedStep},
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

/// Whether the span is recorded already: first truth wins. Another span of the same id is a conflict.
pub(super) fn known_span(
    state: &State,
    run_id: RunId,
    key: Option<&String>,
    request_hash: Hash,
) -> Result<bool, Error> {
    let Some(key) = key else { return Ok(false) };
    let Some(step) = state.step_keys.get(&(run_id, key.clone())) else { return Ok(false) };
    if step.is_of(request_hash) {
        return Ok(true);
    }
    Err(Error::IdempotencyConflict { key: key.clone() })
}

/// The root span ends the run, once nothing has come for a while: its children may still be on their way.
pub(super) fn note_end(run: &mut RunState, step: &PreparedStep, now: DateTime<Utc>, quiet: Duration) {
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
