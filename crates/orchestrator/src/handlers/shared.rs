//! What several operations do alike.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use drivers::StoreError;
use engines::{check::Check, ledger::AuditLedgerService, logs::redact::redact_text};
use models::{
    bounds,
    page::{Cursor, Page, PageRequest},
};
use rules::fields::FieldErrors;
use uuid::Uuid;

use crate::{context::CallContext, errors::Error};

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

/// Makes audit rows in the caller's name.
pub(crate) fn ledger_of(ctx: &CallContext) -> AuditLedgerService {
    AuditLedgerService::new(ctx.actor_type, Some(ctx.actor_id.clone()), ctx.correlation_id.clone())
}

/// What engines and rules refuse, as an operation says it.
pub(crate) fn invalid(refused: FieldErrors) -> Error {
    refused.into()
}

/// A person's note as it may be kept: redacted, and none where it says nothing.
pub(crate) fn note_of(note: Option<String>) -> Result<Option<String>, Error> {
    let Some(note) = note.filter(|note| !note.trim().is_empty()) else { return Ok(None) };
    let mut check = Check::default();
    check.words("/note", Some(&note), bounds::REASON);
    check.done()?;
    Ok(Some(redact_text(&note).value))
}

/// A page of a list that is short enough to be read whole, newest first.
pub(crate) fn page_of<T>(
    mut all: Vec<T>,
    request: &PageRequest,
    place: impl Fn(&T) -> (DateTime<Utc>, Uuid),
) -> Result<Page<T>, Error> {
    let total = request.total.then_some(all.len() as u64);
    all.sort_by_key(|one| Reverse(place(one)));
    if let Some(cursor) = request.cursor {
        let last = cursor.before().map_err(|err| Error::invalid("/cursor", err.to_string()))?;
        all.retain(|one| place(one) < last);
    }
    Ok(Page::cut(all, request, total, |one| {
        let (at, id) = place(one);
        Cursor::Before { at, id }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_list_pages_as_a_long_one() {
        let at = |n: u8| {
            (DateTime::from_timestamp(i64::from(n), 0).expect("a time"), Uuid::from_u128(u128::from(n)))
        };
        let request = |cursor: Option<Cursor>| {
            let mut page = PageRequest::new(Some(2), None, true).expect("a page");
            page.cursor = cursor;
            page
        };
        let first = page_of(vec![1, 3, 2], &request(None), |n| at(*n)).expect("the first page");
        assert_eq!((first.items, first.has_more, first.total), (vec![3, 2], true, Some(3)));
        let next = first.next_cursor.map(|cursor| cursor.place);
        let second = page_of(vec![1, 3, 2], &request(next), |n| at(*n)).expect("the second page");
        assert_eq!((second.items, second.has_more, second.next_cursor), (vec![1], false, None));
        let odd = page_of(vec![1], &request(Some(Cursor::After(1))), |n| at(*n));
        assert!(matches!(odd, Err(Error::Invalid(_))));
    }
}
