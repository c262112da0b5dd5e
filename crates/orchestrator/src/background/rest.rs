//! Lets go of memory that only makes the next call faster, where the next call does not come.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{errors::Error, spine::Spine};

/// What one server saw of its calls.
#[derive(Debug, Default)]
pub struct Rest {
    calls: AtomicU64,
}

impl Rest {
    /// Lets go of what is remembered of runs and of no use any more; and of what the store keeps of its file, if no
    /// call came to the choke point since then.
    pub async fn tick(&self, spine: &Spine) -> Result<(), Error> {
        spine.choke().forget(spine);
        let calls = spine.choke().calls();
        if self.calls.swap(calls, Ordering::Relaxed) == calls {
            spine.db().rest().await?;
        }
        Ok(())
    }
}
