//! How much of a processor something takes, for tests that hold one time against another.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time that this thread was on a processor meanwhile: whatever else runs adds nothing to it.
pub(crate) fn spent<T>(work: impl FnOnce() -> T) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let begun = now();
    std::hint::black_box(work());
    now().saturating_sub(begun)
}
