//! The checkpoints of a log.

use models::{
    ledger::Checkpoint,
    page::{Page, PageRequest},
};
use proof::words::LogName;

use crate::{context::CallContext, errors::Error, spine::Spine};

/// `logs.list_checkpoints`: every checkpoint of a log that was stored, newest first.
#[tracing::instrument(name = "logs.list_checkpoints", skip_all, fields(tenant = %ctx.tenant.id, log = %log))]
pub async fn list_checkpoints(
    spine: &Spine,
    ctx: &CallContext,
    log: LogName,
    page: PageRequest,
) -> Result<Page<Checkpoint>, Error> {
    Ok(spine.read().await?.ledger().list_checkpoints(ctx.tenant.id, log, &page).await?)
}
