//! Background tasks that panicked and have not run since: a server without its signer or its sweeper is not ready.

use std::{
    any::Any,
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The longest time that a task which panics again and again is left alone.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Those that have fallen.
#[derive(Debug, Default)]
pub(crate) struct Fallen(Mutex<BTreeSet<&'static str>>);

impl Fallen {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.lock().iter().copied().collect()
    }

    pub(crate) fn falls(&self, task: &'static str) {
        self.lock().insert(task);
    }

    pub(crate) fn runs(&self, task: &'static str) {
        self.lock().remove(task);
    }
}

/// How long a task rests that ticks every `period` and has panicked so many times in a row.
pub(crate) fn rest(period: Duration, panics: u32) -> Duration {
    period.saturating_mul(2_u32.saturating_pow(panics)).min(LONGEST_REST.max(period))
}

/// What a panic says.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_doubles_up_to_a_minute() {
        let second = Duration::from_secs(1);
        assert_eq!([1, 2, 3, 5].map(|panics| rest(second, panics).as_secs()), [2, 4, 8, 32]);
        assert_eq!(rest(second, 6), LONGEST_REST);
        assert_eq!(rest(second, 9_999), LONGEST_REST);
        assert_eq!(rest(2 * LONGEST_REST, 1), 2 * LONGEST_REST);
    }
}
