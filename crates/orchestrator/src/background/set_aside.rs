//! Answers that the store refused are tried again now and then: what stood in their way may be gone.

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;

use crate::{errors::Error, handlers::activity, spine::Spine};

/// Each try tells of what is refused again, and its tenant's calls wait for it.
const AGAIN: TimeDelta = TimeDelta::minutes(10);

/// When one server tried last. It begins with what was refused before it started.
#[derive(Debug, Default)]
pub struct SetAside {
    tried: Mutex<Option<TimeDelta>>,
}

impl SetAside {
    /// Tries again where it is time.
    pub async fn tick(&self, spine: &Spine) -> Result<(), Error> {
        if self.is_time(spine.elapsed()) { try_again(spine).await } else { Ok(()) }
    }

    fn is_time(&self, now: TimeDelta) -> bool {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let last = *tried.get_or_insert(now);
        let is_time = now - last >= AGAIN;
        if is_time {
            *tried = Some(now);
        }
        is_time
    }
}

/// Takes back what the store refused, to be written by whoever writes what is overdue.
pub async fn try_again(spine: &Spine) -> Result<(), Error> {
    activity::try_again(spine).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_again_when_that_long_has_passed() {
        let aside = SetAside::default();
        let at = |minutes| aside.is_time(TimeDelta::minutes(minutes));
        assert_eq!([3, 12, 13, 14, 22, 23].map(at), [false, false, true, false, false, true]);
    }
}
