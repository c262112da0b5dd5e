//! What this server remembers for the time that its store is down is held against what other servers do, while it is
//! there.

use crate::{errors::Error, spine::Spine};

/// Looks once. Where nothing is remembered, the store is not asked.
pub async fn tick(spine: &Spine) -> Result<(), Error> {
    spine.choke().look(spine).await
}
