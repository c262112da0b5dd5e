//! A clock that stands still, and ids and secrets that are the same in every run.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Duration, Utc};
use orchestrator::{Clock, Entropy};
use uuid::Uuid;

/// When every test begins: Monday, 2 March 2026, 09:00 UTC.
#[must_use]
pub fn beginning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_442_000, 0).unwrap_or_default()
}

/// Tells the same time until it is told to go on. Only one that is held against others has a steady clock.
#[derive(Debug)]
pub struct FrozenClock(Mutex<(DateTime<Utc>, Option<Duration>)>);

impl Default for FrozenClock {
    fn default() -> Self {
        Self(Mutex::new((beginning(), None)))
    }
}

impl FrozenClock {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time();
        time.0 += by;
        time.1 = time.1.map(|steady| steady + by);
    }

    /// Sets it, as somebody sets a clock: no time passes. From now on it is held against others.
    pub fn set(&self, to: DateTime<Utc>) {
        let mut time = self.time();
        *time = (to, Some(time.1.unwrap_or_default()));
    }

    fn time(&self) -> std::sync::MutexGuard<'_, (DateTime<Utc>, Option<Duration>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> DateTime<Utc> {
        self.time().0
    }

    fn steady(&self) -> Option<Duration> {
        self.time().1
    }
}

/// Counts where others draw: the n-th id is the same in every run. Never outside a test.
#[derive(Debug, Default)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// That of another process: none of its ids is one of the others'.
    #[must_use]
    pub fn of_process(n: u64) -> Self {
        Self(AtomicU64::new(n << 40))
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Entropy for SeededEntropy {
    fn id(&self, now: DateTime<Utc>) -> Uuid {
        let millis = u128::try_from(now.timestamp_millis()).unwrap_or(0);
        // The layout of a UUIDv7: 48 bits of time, version, variant, and the count where it has randomness.
        Uuid::from_u128(millis << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(self.next()))
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0xa5; 32];
        secret[..8].copy_from_slice(&self.next().to_be_bytes());
        secret
    }
}
