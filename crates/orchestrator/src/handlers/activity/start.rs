//! Beginning a run.

use models::activity::Run;

use super::submit::{one, unexpected};
use crate::{
    aside::aside,
    choke::{Done, call::StartRun, prepare::Call},
    context::CallContext,
    errors::Error,
    spine::Spine,
    verdict::VerdictView,
};

/// A run that began, and the verdict of RUN_START.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// The run.
    pub run: Run,
    /// What was decided.
    pub verdict: VerdictView,
}

/// `activity.start`: opens a run, bound to the policies in force.
#[tracing::instrument(name = "activity.start", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn start(spine: &Spine, ctx: &CallContext, request: StartRun) -> Result<Started, Error> {
    let call = aside(request.weight(), || Call::start(ctx, request))?;
    match one(spine, ctx, call).await? {
        Done::Started(run, verdict) => Ok(Started { run: *run, verdict: *verdict }),
        other => Err(unexpected(&other)),
    }
}
