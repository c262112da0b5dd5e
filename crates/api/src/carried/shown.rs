//! Whether a call has shown a credential that is in force: before that nobody knows whose it is, and it is waited for
//! less long.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether a call has shown a credential that is in force. Who serves the router may put one into a request's
/// extensions, to know it while the call goes on.
#[derive(Clone, Debug, Default)]
pub struct Shown(Arc<AtomicBool>);

impl Shown {
    /// It has now.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    #[must_use]
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
