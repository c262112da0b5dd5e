//! What this process saw of a log and the store does not have any more, and under which name an installation signs.

use drivers::{ReadTx, SeenHead};
use proof::checkpoint::{Checkpoint, LogOrigin};

use super::{outside::outside, signs::installation};
use crate::{
    errors::Error,
    ports::{Depth, OutsideCheckpoint, Statement},
    spine::Spine,
};

/// Writes down outside what this process saw of a log and the store does not have any more. So everybody learns of it
/// who looks there: `hoc doctor`, the next start, and whoever verifies. Whether it stands there now, or there is no
/// such place.
pub(crate) async fn keep_seen(spine: &Spine, slug: &str, seen: &SeenHead) -> Result<bool, Error> {
    let kept = outside(spine, seen.tenant, slug, seen.log, Depth::Recent).await;
    let its_tenant = seen.tenant.to_string();
    let says =
        |kept: &Statement| kept.origin.tenant_id == its_tenant && kept.place() >= (seen.epoch, seen.size);
    if kept.notes.iter().any(|(kept, _)| says(kept)) {
        return Ok(true);
    }
    let installation = name(spine, &spine.read().await?).await?;
    let SeenHead { tenant, log, epoch, size, root } = seen.clone();
    let origin = LogOrigin { installation, tenant_id: tenant.to_string(), log, epoch };
    let note = signed(spine, &Checkpoint { origin: origin.to_string(), size, root })?;
    let outside = OutsideCheckpoint {
        tenant: slug.to_owned(),
        log: log.as_str(),
        tree_size: size,
        note,
        grown: Vec::new(),
    };
    let mut is_kept = spine.sinks().is_empty();
    for sink in spine.sinks() {
        match sink.write_down(&outside).await {
            Ok(()) => is_kept = true,
            Err(err) => {
                tracing::error!(error = &err as &dyn std::error::Error, tenant = %slug, %log, "what the store lost was not written down outside it");
            }
        }
    }
    Ok(is_kept)
}

pub(super) fn signed(spine: &Spine, statement: &Checkpoint) -> Result<String, Error> {
    statement.sign(spine.signing_key()).map_err(|err| Error::Internal(err.to_string()))
}

/// The name under which the installation signs: the one that its first start gave it.
pub(super) async fn name(spine: &Spine, store: &ReadTx) -> Result<String, Error> {
    let stored = installation(spine, store).await?;
    Ok(stored.map_or_else(|| spine.settings().installation.clone(), |stored| stored.name))
}
