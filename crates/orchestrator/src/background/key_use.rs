//! Writes down when keys were last used: now and then for all of them, not at each call.

use crate::{errors::Error, spine::Spine};

/// Writes down the keys that were used since the last tick.
pub async fn tick(spine: &Spine) -> Result<(), Error> {
    let used = spine.credentials().take_used();
    if used.is_empty() {
        return Ok(());
    }
    let tx = spine.begin().await?;
    for (tenant, (keys, at)) in used {
        tx.account().touch_keys(tenant, &keys, at).await?;
    }
    Ok(tx.commit().await?)
}
