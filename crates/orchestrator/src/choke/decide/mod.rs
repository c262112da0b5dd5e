//! Walks a group's calls in their order, over its working state, in memory.

pub(super) mod end;
pub(super) mod gates;
pub(super) mod intervene;
pub(super) mod permit;
pub(super) mod record;
pub(super) mod start;

use super::{
    call::Answer,
    prepare::{Call, CallKind},
    state::{State, given::Given, kept},
};
use crate::errors::Error;

/// Decides calls that go together: each in order, none after the first that is not granted what it asked.
pub(super) fn item(state: &mut State, calls: &[Call]) -> Vec<Option<Answer>> {
    let mut refused = false;
    let decide = |call: &Call| {
        if refused {
            return None;
        }
        let answer = one(state, call, None);
        refused = answer.is_err();
        Some(answer)
    };
    calls.iter().map(decide).collect()
}

/// Decides calls that stand alone: all of them, in order.
pub(super) fn each(state: &mut State, calls: &[Call]) -> Vec<Option<Answer>> {
    calls.iter().map(|call| Some(one(state, call, None))).collect()
}

/// Decides a call that was answered while the store was down: as it was decided then, and not anew.
pub(super) fn again(state: &mut State, call: &Call, given: &Given) -> Answer {
    one(state, call, Some(given))
}

fn one(state: &mut State, call: &Call, given: Option<&Given>) -> Answer {
    if let Some(told) = kept::told(state, call) {
        return told;
    }
    let answer = decide(state, call, given);
    kept::decided(state, call, &answer);
    answer
}

fn decide(state: &mut State, call: &Call, given: Option<&Given>) -> Answer {
    let answer = match &call.what {
        CallKind::Start(start) => return start::start(state, &call.caller, start),
        CallKind::Trace(start) => return start::trace(state, &call.caller, start),
        CallKind::Kill(run, kill) => return intervene::kill(state, &call.caller, *run, kill),
        CallKind::Permit(request) => permit::permit(state, &call.caller, request, given),
        CallKind::Record(step) => record::record(state, &call.caller, step, given),
        CallKind::End(run, how) => end::end(state, &call.caller, *run, how),
    };
    if matches!(answer, Err(Error::RunKilled { .. } | Error::StepHalted(_))) {
        intervene::told(state, &call.caller, call.run_id());
    }
    answer
}
