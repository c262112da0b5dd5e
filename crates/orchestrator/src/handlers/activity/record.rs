//! Recording a step.

use models::ids::RunId;

use super::submit::{one, recorded};
use crate::{
    aside::aside,
    choke::{
        call::{Recorded, StepReport},
        prepare::Call,
    },
    context::CallContext,
    errors::Error,
    spine::Spine,
};

/// `activity.record`: records a step and enforces. The answer follows the commit.
#[tracing::instrument(name = "activity.record", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn record(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    report: StepReport,
) -> Result<Recorded, Error> {
    let call = aside(report.weight(), || Call::record(ctx, run, report))?;
    recorded(one(spine, ctx, call).await)
}
