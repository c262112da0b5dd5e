//! An operation's unit of work, done anew where it lost a race.

use drivers::StoreError;

use crate::errors::Error;

/// How often an operation that lost a race is tried again, whole.
const RETRIES: usize = 5;

/// Does an operation's unit of work, anew where it lost a race: where the store asks for that, and where another took
/// meanwhile a key that was free when it was read. The next try finds what that one stored, and answers by it. Once where
/// a lock did not come free in time.
pub(crate) async fn retrying<T, Attempt, Fut>(attempt: Attempt) -> Result<T, Error>
where
    Attempt: Fn() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let (mut tries, mut waited) = (0, false);
    loop {
        match attempt().await {
            Err(err) if (tries < RETRIES && is_race(&err)) || (is_locked(&err) && !waited) => {
                tries += 1;
                waited |= is_locked(&err);
                tracing::debug!(error = &err as &dyn std::error::Error, tries, "lost a race; trying again");
            }
            done => return done,
        }
    }
}

fn is_race(err: &Error) -> bool {
    match err {
        Error::Unavailable(err) => err.is_retry(),
        Error::Store(err) => matches!(**err, StoreError::Conflict(_)),
        _ => false,
    }
}

fn is_locked(err: &Error) -> bool {
    matches!(err, Error::Unavailable(err) if err.is_locked())
}
