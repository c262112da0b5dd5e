//! An operation's unit of work, done anew where it lost a race; and how long whoever lost one waits before that.

use std::time::Duration;

use drivers::StoreError;

use crate::{errors::Error, spine::Spine};

/// How often an operation that lost a race is tried again, whole.
const RETRIES: u32 = 5;

/// The longest pause before the first try again; before each next one it is twice as long.
const PAUSE: Duration = Duration::from_millis(4);

/// Does an operation's unit of work, and does it anew if it lost a race: if the store asks for that, or if another unit
/// of work took a key that was free when it was read. The next try finds what the other one stored, and answers by it.
/// If a lock did not come free in time, it is tried once more.
pub(crate) async fn retrying<T, Attempt, Fut>(spine: &Spine, attempt: Attempt) -> Result<T, Error>
where
    Attempt: Fn() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    again(|most| spine.jitter(most), attempt).await
}

/// Waits before what lost that many races before is tried again: those that met each other must not meet again.
pub(crate) async fn pause(spine: &Spine, lost: u32) {
    tokio::time::sleep(spine.jitter(longest(lost))).await;
}

fn longest(lost: u32) -> Duration {
    PAUSE * 2_u32.pow(lost)
}

/// The same with whatever says how much of the longest pause is waited.
async fn again<T, Attempt, Fut>(jitter: impl Fn(Duration) -> Duration, attempt: Attempt) -> Result<T, Error>
where
    Attempt: Fn() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let (mut tries, mut waited) = (0, false);
    loop {
        match attempt().await {
            Err(err) if (tries < RETRIES && is_race(&err)) || (is_locked(&err) && !waited) => {
                waited |= is_locked(&err);
                tracing::debug!(error = &err as &dyn std::error::Error, tries, "lost a race; trying again");
                // Who took a key has committed, and who waited for a lock has waited.
                if has_met_another(&err) {
                    tokio::time::sleep(jitter(longest(tries))).await;
                }
                tries += 1;
            }
            done => return done,
        }
    }
}

fn is_race(err: &Error) -> bool {
    has_met_another(err) || matches!(err, Error::Store(err) if matches!(**err, StoreError::Conflict(_)))
}

/// A deadlock or a serialisation failure: both who met may try again, and would meet again.
fn has_met_another(err: &Error) -> bool {
    matches!(err, Error::Unavailable(err) if err.is_retry())
}

fn is_locked(err: &Error) -> bool {
    matches!(err, Error::Unavailable(err) if err.is_locked())
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, time::Instant};

    use super::*;

    /// Tries what fails so each time; gives how often it was tried, the pauses that were drawn from, and how long it
    /// took.
    async fn tried(failure: fn() -> StoreError) -> (usize, Vec<Duration>, Duration) {
        let (times, drawn) = (RefCell::new(0), RefCell::new(Vec::new()));
        let began = Instant::now();
        let jitter = |most: Duration| {
            drawn.borrow_mut().push(most);
            most / 2
        };
        let failed: Result<(), Error> = again(jitter, || {
            *times.borrow_mut() += 1;
            let err = Error::from(failure());
            async move { Err(err) }
        })
        .await;
        assert!(failed.is_err(), "it never passes");
        (times.into_inner(), drawn.into_inner(), began.elapsed())
    }

    #[tokio::test]
    async fn who_met_another_waits_a_part_of_ever_longer_before_it_tries_again() {
        let (times, drawn, took) = tried(|| StoreError::Retry("a deadlock".into())).await;
        assert_eq!((times, drawn), (6, [4, 8, 16, 32, 64].map(Duration::from_millis).to_vec()));
        assert!(took >= Duration::from_millis(62), "{took:?}: half of each");
    }

    #[tokio::test]
    async fn who_was_waited_for_or_has_committed_is_not_waited_for_again() {
        let locked = tried(|| StoreError::Locked("in vain".into())).await;
        assert_eq!((locked.0, locked.1), (2, Vec::new()));
        let gone = tried(|| StoreError::Unavailable("gone".into())).await;
        assert_eq!((gone.0, gone.1), (1, Vec::new()), "it is no race");
    }
}
