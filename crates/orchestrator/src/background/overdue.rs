//! Answers that were given while the store was down are written when it is back, whether or not their run calls again.

use crate::{errors::Error, handlers::activity, spine::Spine};

/// Writes what is overdue. Where nothing is, the store is not asked.
pub async fn tick(spine: &Spine) -> Result<(), Error> {
    activity::write_overdue(spine).await
}
