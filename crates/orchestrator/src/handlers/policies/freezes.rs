//! The freezes in force, all at once.

use models::activity::Freeze;

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.freezes`: every freeze that is in force, that of the whole tenant first: for what shows many runs, and
/// says which may go on.
#[tracing::instrument(name = "policies.freezes", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn freezes(spine: &Spine, ctx: &CallContext) -> Result<Vec<Freeze>, Error> {
    Ok(spine.read().await?.activity().freezes(ctx.tenant.id).await?)
}
