//! How long a log is, and what its root is.

use models::ledger::Checkpoint;
use proof::words::LogName;

use crate::{checkpoints, context::CallContext, errors::Error, spine::Spine};

/// `logs.get_checkpoint`: how long a log is and what its root is, signed. The newest; a new one where the log has
/// grown since.
#[tracing::instrument(name = "logs.get_checkpoint", skip_all, fields(tenant = %ctx.tenant.id, log = %log))]
pub async fn get_checkpoint(spine: &Spine, ctx: &CallContext, log: LogName) -> Result<Checkpoint, Error> {
    checkpoints::sign(spine, ctx.tenant.id, &ctx.tenant.slug, log).await
}
