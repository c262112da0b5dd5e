//! Runs that are traces: opened by the first of their spans that arrives, each span recorded once.

use models::ids::RunId;
use proof::hash::Hash;

use super::{
    Answer, Done,
    prepare::{Caller, PreparedStart},
    start,
    state::State,
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
    if step.record.request_hash.as_deref() == Some(&request_hash.to_string()) {
        return Ok(true);
    }
    Err(Error::IdempotencyConflict { key: key.clone() })
}
