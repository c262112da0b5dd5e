//! What several operations do alike.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use engines::ledger::AuditLedgerService;
use models::page::{Cursor, Page, PageRequest};
use rules::fields::FieldErrors;
use uuid::Uuid;

use crate::{context::CallContext, errors::Error};

/// Makes audit rows in the caller's name.
pub(crate) fn ledger_of(ctx: &CallContext) -> AuditLedgerService {
    AuditLedgerService::new(ctx.actor_type, Some(ctx.actor_id.clone()), ctx.correlation_id.clone())
}

/// What engines and rules refuse, as an operation says it.
pub(crate) fn invalid(refused: FieldErrors) -> Error {
    refused.into()
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
