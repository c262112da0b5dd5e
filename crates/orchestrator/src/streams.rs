//! Streams of events that are open at this replica: how many there are, and when they must end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

/// The most streams that are open at once; each asks the store a few times a second.
const MOST: usize = 512;

/// What open streams share.
pub(crate) struct Streams {
    closing: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { closing: watch::Sender::new(false), open: Arc::default() }
    }
}

impl Streams {
    /// A place for one more; none where there are too many already.
    pub(crate) fn enter(&self) -> Option<Place> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= MOST {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Place { open: Arc::clone(&self.open), closing: self.closing.subscribe() })
    }

    /// Ends every stream that is open, and each that is opened from now on: the server stops.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// The place of one stream, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    open: Arc<AtomicUsize>,
    closing: watch::Receiver<bool>,
}

impl Place {
    /// Waits; false where the server stops meanwhile.
    pub(crate) async fn rest(&mut self, time: std::time::Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            _ = self.closing.wait_for(|closing| *closing) => false,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
