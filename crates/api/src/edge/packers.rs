//! How many answers are packed at once.
//!
//! Whoever has no key may ask for some answers too, as often as it likes, and to pack one costs a thousand times what
//! it costs to ask. A plain answer is right as well, so nobody waits for a place who may have that one.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use orchestrator::spine::WHOLE_RUNS;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// How long an answer waits for the one place of those that nobody counts: gzip packs some 70 MB a second, so others
/// have packed several of them meanwhile.
const TURN: Duration = Duration::from_secs(10);

/// The places of those who pack.
#[derive(Clone, Debug)]
pub(crate) struct Packers {
    of_held: Arc<Semaphore>,
    of_unheld: Arc<Semaphore>,
    /// The places of those who wait for `of_unheld`.
    waiting: Arc<Semaphore>,
}

impl Packers {
    /// So many places for answers that are counted while they are packed, and one for those of which the plain form is
    /// too long for that. More of these at once would be bytes that nobody counts.
    pub(super) fn of(places: usize) -> Self {
        let new = |many| Arc::new(Semaphore::new(many));
        Self { of_held: new(places), of_unheld: new(1), waiting: new(WHOLE_RUNS) }
    }

    /// A place for an answer that is counted meanwhile; none where others have them all.
    pub(super) fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.of_held.try_acquire().ok()
    }

    /// The place for an answer that is counted nowhere. It has no other form that could be sent, and its caller would
    /// have it made anew, so it waits: each in its turn, for by chance whoever asks most often would have the place
    /// nearly always. None where its turn does not come, or where as many wait as whole runs are read.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let _waiting = self.waiting.try_acquire().ok()?;
        timeout(TURN, self.of_unheld.acquire()).await.ok()?.ok()
    }
}

impl Default for Packers {
    /// More than there are cores would be no faster.
    fn default() -> Self {
        Self::of(available_parallelism().map_or(1, NonZero::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_has_its_turn_and_no_more_wait_than_whole_runs_are_read() {
        let packers = Packers::of(1);
        let first = packers.turn().await.expect("nobody packs");
        let mut waiting: Vec<_> = (0..WHOLE_RUNS).map(|_| Box::pin(packers.turn())).collect();
        for turn in &mut waiting {
            assert!(futures::poll!(turn).is_pending());
        }
        assert!(packers.turn().await.is_none(), "so many wait already");
        drop(first);
        assert!(packers.turn().await.is_none(), "who comes now is before none of them");
        for turn in waiting {
            drop(turn.await.expect("it is its turn"));
        }
        assert!(packers.turn().await.is_some());
        assert!(packers.place().is_some(), "what is counted has its own places");
    }
}
