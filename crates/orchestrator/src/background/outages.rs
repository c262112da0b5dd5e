//! Notices when the store is away, and records it when it is back: from when to when, as this server saw it.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};

use crate::{clock_check, consequences::system_records::record_outage, errors::Error, spine::Spine};

/// What one server saw of its store.
#[derive(Debug, Default)]
pub struct Outages {
    since: Mutex<Option<DateTime<Utc>>>,
}

impl Outages {
    /// Asks the store for something small. An outage that is over is recorded; one that goes on is the error.
    pub async fn tick(&self, spine: &Spine) -> Result<(), Error> {
        if let Err(err) = ask(spine).await {
            if matches!(err, Error::Unavailable(_)) {
                self.since().get_or_insert(spine.now());
                clock_check::hears_from_now(spine);
                spine.credentials().store_is_away(Instant::now());
            }
            return Err(err);
        }
        spine.credentials().store_is_there();
        let began = *self.since();
        if let Some(began) = began {
            clock_check::hears_from_now(spine);
            record_outage(spine, began).await?;
            *self.since() = None;
        }
        Ok(())
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<DateTime<Utc>>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(spine: &Spine) -> Result<(), Error> {
    Ok(spine.read_first().await?.account().installation().await.map(drop)?)
}
