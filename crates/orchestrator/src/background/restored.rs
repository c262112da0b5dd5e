//! While nothing is written because an older backup was restored: whether somebody has accepted that meanwhile.

use crate::{errors::Error, handlers::account::hold_back_if_lost, spine::Spine};

/// Looks again, where nothing is written.
pub async fn tick(spine: &Spine) -> Result<(), Error> {
    if spine.held_back().is_some() {
        hold_back_if_lost(spine).await?;
    }
    Ok(())
}
