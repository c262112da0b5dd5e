//! How many answers are packed at once.
//!
//! Whoever has no key may ask for some answers too, as often as it likes, and to pack one costs a thousand times what
//! it costs to ask. A plain answer is right as well, so nobody waits for a place.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places of those who pack.
#[derive(Clone, Debug)]
pub(crate) struct Packers {
    of_held: Arc<Semaphore>,
    of_unheld: Arc<Semaphore>,
}

impl Packers {
    /// So many places for answers that are counted while they are packed, and one for those of which the plain form is
    /// too long for that. More of these at once would be bytes that nobody counts.
    pub(super) fn of(places: usize) -> Self {
        Self { of_held: Arc::new(Semaphore::new(places)), of_unheld: Arc::new(Semaphore::new(1)) }
    }

    /// A place for an answer that is counted meanwhile or not; none where others have them all.
    pub(super) fn place(&self, is_held: bool) -> Option<SemaphorePermit<'_>> {
        let places = if is_held { &self.of_held } else { &self.of_unheld };
        places.try_acquire().ok()
    }
}

impl Default for Packers {
    /// More than there are cores would be no faster.
    fn default() -> Self {
        Self::of(available_parallelism().map_or(1, NonZero::get))
    }
}
