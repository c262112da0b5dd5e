//! Answers that were given while the store was down: taken up after a start, and written where no call does it.

use crate::{errors::Error, spine::Spine};

/// `activity.take_up`: takes up answers that an earlier process gave while the store was down, to be written before
/// anything else. Gives how many there are. Once, before anything is served.
#[tracing::instrument(name = "activity.take_up", skip_all)]
pub async fn take_up(spine: &Spine) -> Result<usize, Error> {
    spine.choke().take_up(spine).await
}

/// Writes answers that were given while the store was down, where no later call has done so.
pub(crate) async fn write_overdue(spine: &Spine) -> Result<(), Error> {
    spine.choke().write_overdue(spine).await
}

/// Takes back answers that the store refused, to be tried again.
pub(crate) async fn try_again(spine: &Spine) -> Result<(), Error> {
    let taken = spine.choke().try_again(spine).await?;
    if taken > 0 {
        tracing::info!(answers = taken, "trying again to write what the store refused");
    }
    Ok(())
}
