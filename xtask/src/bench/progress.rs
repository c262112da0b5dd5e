//! Tells a person who waits how far it is.

use std::time::Instant;

/// Whose progress it is, and since when.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    began: Instant,
    who: String,
}

impl Progress {
    pub(super) fn new(began: Instant, who: String) -> Self {
        Self { began, who }
    }

    pub(super) fn say(&self, what: &str) {
        println!("bench: {:>4} s  {}: {what}", self.began.elapsed().as_secs(), self.who);
    }
}
