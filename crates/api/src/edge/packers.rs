//! How many answers are packed at once.
//!
//! Whoever has no key may ask for some answers too, as often as it likes, and to pack one costs a thousand times what
//! it costs to ask. A plain answer is right as well, so nobody waits for a place.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places of those who pack.
#[derive(Clone, Debug)]
pub(crate) struct Packers(Arc<Semaphore>);

impl Packers {
    pub(super) fn of(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// A place; none where others have them all.
    pub(super) fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.0.try_acquire().ok()
    }
}

impl Default for Packers {
    /// More than there are cores would be no faster.
    fn default() -> Self {
        Self::of(available_parallelism().map_or(1, NonZero::get))
    }
}
