//! Forgets answers that were kept for repeats, when their day is over: the next write of their tenant does so too, but
//! there may be none.

use crate::{clock_check, errors::Error, spine::Spine};

/// Forgets what is kept no longer at the spine's time, if that can be relied on.
pub async fn tick(spine: &Spine) -> Result<(), Error> {
    if !clock_check::may_sweep(spine).await? || !clock_check::may_forget(spine) {
        return Ok(());
    }
    let tenants = spine.read_first().await?.account().list_tenants().await?;
    for tenant in tenants {
        let tx = spine.begin().await?;
        tx.idempotency().delete_expired(tenant.id, spine.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}
