//! What the operations on runs have in common: one call through the choke point, and what its answer must be.

use models::activity::Run;

use crate::{
    choke::{Answer, Done, call::Recorded, prepare::Call},
    context::CallContext,
    errors::Error,
    repeats::Repeat,
    spine::Spine,
};

/// Puts a call through the choke point, unless it repeats one whose answer is at hand.
pub(super) async fn one(spine: &Spine, ctx: &CallContext, call: Call) -> Answer {
    let repeat = Repeat::of(spine, ctx, &call);
    if let Some(repeat) = &repeat
        && let Some(told) = repeat.answer(ctx).await
    {
        return Ok(told);
    }
    let mut answers = spine.choke().submit(spine, &ctx.tenant, vec![call]).await?;
    let answer = answers.pop().flatten();
    let answer =
        answer.unwrap_or_else(|| Err(Error::Internal("the choke point answered nothing".to_owned())));
    if let (Some(repeat), Ok(done)) = (repeat, &answer) {
        repeat.keep(spine, ctx, done);
    }
    answer
}

/// The step that an answer must be.
pub(super) fn recorded(answer: Answer) -> Result<Recorded, Error> {
    match answer? {
        Done::Recorded(recorded) => Ok(*recorded),
        other => Err(unexpected(&other)),
    }
}

/// The run that an answer must be, as it ended.
pub(super) fn ended(answer: Answer) -> Result<Run, Error> {
    match answer? {
        Done::Ended(run) => Ok(*run),
        other => Err(unexpected(&other)),
    }
}

/// A key that was used for another kind of call is a conflict before this; so this cannot be, and is said if it is.
pub(super) fn unexpected(done: &Done) -> Error {
    let what = match done {
        Done::Started(..) => "a start",
        Done::Granted(_) => "a permit",
        Done::Recorded(_) => "a step",
        Done::Ended(_) => "an end",
        Done::Reported { .. } => "a span",
        Done::Traced(_) => "a trace",
        Done::Killed(_) => "a kill",
    };
    Error::Internal(format!("the choke point answered with {what}"))
}
