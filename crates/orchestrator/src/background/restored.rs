//! Whether the store is the one that it was: after every change of Postgres, and while nothing is written because it is
//! behind, until somebody has settled that.

use drivers::StoreError;

use crate::{checkpoints::lost::hold_back_if_lost, errors::Error, ports::Depth, spine::Spine};

/// Looks, where there is a reason to.
pub async fn tick(spine: &Spine) -> Result<(), Error> {
    match spine.db().compare_if_moved().await {
        Ok(()) | Err(StoreError::ReadOnly(_)) => {}
        Err(err) => return Err(err.into()),
    }
    if spine.held_back().is_some() {
        hold_back_if_lost(spine, Depth::Recent).await?;
    }
    Ok(())
}
