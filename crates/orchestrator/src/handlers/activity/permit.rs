//! Asking before an act.

use models::ids::RunId;

use super::submit::{one, unexpected};
use crate::{
    aside::aside,
    choke::{
        Done,
        call::{Granted, PermitRequest},
        prepare::Call,
    },
    context::CallContext,
    errors::Error,
    spine::Spine,
};

/// `activity.permit`: asks before an act. A grant reserves budget until it is used or lapses.
#[tracing::instrument(name = "activity.permit", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn permit(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    request: PermitRequest,
) -> Result<Granted, Error> {
    let call = aside(request.weight(), || Call::permit(ctx, run, request))?;
    match one(spine, ctx, call).await? {
        Done::Granted(granted) => Ok(*granted),
        other => Err(unexpected(&other)),
    }
}
