//! Keyset pages, once for every list.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use proof::hash::Stream;
use uuid::Uuid;

/// Where a page begins: after this row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// In a list that is newest first: the time and id of the last row given.
    Before {
        /// Its time.
        at: DateTime<Utc>,
        /// Its id, whatever its kind.
        id: Uuid,
    },
    /// In a list by index, such as a run's steps: the index of the last row given.
    After(u64),
    /// In a list by urgency, and newest first within one: where the last row given was.
    Ranked {
        /// How urgent it was; 0 is the most.
        rank: u8,
        /// Its time.
        at: DateTime<Utc>,
        /// Its id, whatever its kind.
        id: Uuid,
    },
}

/// Which order a list has, and so which cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// By index.
    Index,
    /// Most urgent first.
    Urgency,
}

/// What is wrong with the paging that a caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The cursor was not made here, or for another list.
    #[error(
        "the cursor is not one that this list gave with these filters: ask for its first page, without a cursor, and \
         then with the `next_cursor` of each page and the same filters"
    )]
    Cursor,
    /// The limit is out of range.
    #[error("limit must be from 1 to {}", PageRequest::MAX_LIMIT)]
    Limit,
}

const BEFORE: u8 = 1;
const AFTER: u8 = 2;
const RANKED: u8 = 3;

const LIST_BYTES: usize = 8;

/// Which list a cursor belongs to: of which tenant, and with which filters. A place in one list is no place in another,
/// even if both have the same order: a walk that went on with other filters would leave entries out in silence.
///
/// This finds mistakes; it is no secret. What a caller may see is decided by the store, by tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListId([u8; LIST_BYTES]);

impl ListId {
    /// Of everything that makes a list the one it is.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut all = Stream::default();
        for part in parts {
            all.update(&(part.len() as u64).to_be_bytes());
            all.update(part.as_bytes());
        }
        let mut first = [0; LIST_BYTES];
        first.copy_from_slice(&all.finish().0[..LIST_BYTES]);
        Self(first)
    }
}

/// A cursor of one list. To a caller it is an opaque text, safe in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCursor {
    /// Where the next page begins.
    pub place: Cursor,
    /// In which list.
    pub list: ListId,
}

impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(26 + LIST_BYTES);
        match self.place {
            Cursor::Before { at, id } => {
                bytes.push(BEFORE);
                bytes.extend(at.timestamp_micros().to_be_bytes());
                bytes.extend(id.as_bytes());
            }
            Cursor::After(index) => {
                bytes.push(AFTER);
                bytes.extend(index.to_be_bytes());
            }
            Cursor::Ranked { rank, at, id } => {
                bytes.extend([RANKED, rank]);
                bytes.extend(at.timestamp_micros().to_be_bytes());
                bytes.extend(id.as_bytes());
            }
        }
        bytes.extend(self.list.0);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl std::str::FromStr for ListCursor {
    type Err = PageError;

    fn from_str(text: &str) -> Result<Self, PageError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| PageError::Cursor)?;
        let (place, list) = bytes.split_last_chunk().ok_or(PageError::Cursor)?;
        let place = match place.split_first() {
            Some((&BEFORE, rest)) => moment(rest).map(|(at, id)| Cursor::Before { at, id }),
            Some((&RANKED, [rank, rest @ ..])) => {
                moment(rest).map(|(at, id)| Cursor::Ranked { rank: *rank, at, id })
            }
            Some((&AFTER, rest)) => {
                rest.try_into().ok().map(|index| Cursor::After(u64::from_be_bytes(index)))
            }
            _ => None,
        };
        Ok(Self { place: place.ok_or(PageError::Cursor)?, list: ListId(*list) })
    }
}

/// A time and an id.
fn moment(bytes: &[u8]) -> Option<(DateTime<Utc>, Uuid)> {
    let (micros, id) = bytes.split_first_chunk::<8>()?;
    let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
    Some((at, Uuid::from_slice(id).ok()?))
}

impl Cursor {
    /// Of which order it is.
    #[must_use]
    pub const fn order(&self) -> Order {
        match self {
            Self::Before { .. } => Order::Newest,
            Self::After(_) => Order::Index,
            Self::Ranked { .. } => Order::Urgency,
        }
    }

    /// Time and id, for a list that is newest first.
    pub fn before(self) -> Result<(DateTime<Utc>, Uuid), PageError> {
        match self {
            Self::Before { at, id } => Ok((at, id)),
            Self::After(_) | Self::Ranked { .. } => Err(PageError::Cursor),
        }
    }

    /// Rank, time and id, for a list by urgency.
    pub fn ranked(self) -> Result<(u8, DateTime<Utc>, Uuid), PageError> {
        match self {
            Self::Ranked { rank, at, id } => Ok((rank, at, id)),
            Self::Before { .. } | Self::After(_) => Err(PageError::Cursor),
        }
    }

    /// The index, for a list by index.
    pub fn after(self) -> Result<u64, PageError> {
        match self {
            Self::After(index) => Ok(index),
            Self::Before { .. } | Self::Ranked { .. } => Err(PageError::Cursor),
        }
    }
}

/// Which page of a list, and whether to count the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u64,
    /// After which row; the list's start without one.
    pub cursor: Option<Cursor>,
    list: ListId,
    /// Counting millions of rows is not free, so it is asked for.
    pub total: bool,
}

impl PageRequest {
    /// How many rows, where the caller does not say.
    pub const DEFAULT_LIMIT: u64 = 50;
    /// How many rows at most.
    pub const MAX_LIMIT: u64 = 200;

    /// Of a list that only we page through. Refuses a limit out of range and a cursor that is none.
    pub fn new(limit: Option<u64>, cursor: Option<&str>, total: bool) -> Result<Self, PageError> {
        Self::of(ListId::default(), limit, cursor, total)
    }

    /// Of the list that a caller asked for: a cursor of any other is refused.
    pub fn of(
        list: ListId,
        limit: Option<u64>,
        cursor: Option<&str>,
        total: bool,
    ) -> Result<Self, PageError> {
        let limit = limit.unwrap_or(Self::DEFAULT_LIMIT);
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            return Err(PageError::Limit);
        }
        let cursor: Option<ListCursor> = cursor.map(str::parse).transpose()?;
        if cursor.is_some_and(|cursor| cursor.list != list) {
            return Err(PageError::Cursor);
        }
        Ok(Self { limit, cursor: cursor.map(|cursor| cursor.place), list, total })
    }

    /// The page after this row, as long as any.
    #[must_use]
    pub const fn from(cursor: Cursor) -> Self {
        Self { limit: Self::DEFAULT_LIMIT, cursor: Some(cursor), list: ListId([0; LIST_BYTES]), total: false }
    }

    /// How many rows; from 1 to [`Self::MAX_LIMIT`].
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, cursor: None, list: ListId::default(), total: false }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next_cursor: Option<ListCursor>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// How many rows pass the filters, if that was asked.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// The page that was asked for, from up to `limit + 1` rows: the one too many only tells that there are more.
    #[must_use]
    pub fn cut(
        mut rows: Vec<T>,
        asked: &PageRequest,
        total: Option<u64>,
        place_of: impl Fn(&T) -> Cursor,
    ) -> Self {
        let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = if has_more { rows.last() } else { None };
        let next_cursor = last.map(|row| ListCursor { place: place_of(row), list: asked.list });
        Self { items: rows, next_cursor, has_more, total }
    }

    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, next_cursor, has_more, total } = self;
        Page { items: items.into_iter().map(f).collect(), next_cursor, has_more, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> Cursor {
        let at = "2026-01-01T00:00:00.123456Z".parse().expect("a time");
        Cursor::Before { at, id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_cursor_reads_back_and_needs_no_escaping() {
        let Cursor::Before { at, id } = before() else { panic!("it is one") };
        let ranked = Cursor::Ranked { rank: 3, at, id };
        for place in [before(), Cursor::After(0), Cursor::After(u64::MAX), ranked] {
            let cursor = ListCursor { place, list: ListId::of(&["a list"]) };
            let text = cursor.to_string();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
            assert_eq!(text.parse(), Ok(cursor));
        }
    }

    #[test]
    fn a_cursor_of_another_list_or_none_is_refused() {
        let text = |place| ListCursor { place, list: ListId::default() }.to_string();
        let (before_text, after_text) = (text(before()), text(Cursor::After(1)));
        let unmarked = URL_SAFE_NO_PAD.encode(&URL_SAFE_NO_PAD.decode(&after_text).expect("base64")[..9]);
        for text in ["", "AA", "AQ", "%", &before_text[1..], &format!("{after_text}AA"), &unmarked] {
            assert_eq!(text.parse::<ListCursor>(), Err(PageError::Cursor), "{text}");
        }
        assert_eq!(before().after(), Err(PageError::Cursor));
        assert_eq!(Cursor::After(1).before(), Err(PageError::Cursor));
        let [mine, other] = [["runs", "a=b"], ["runs", "a=c"]].map(|parts| ListId::of(&parts));
        assert_ne!(ListId::of(&["ab", "c"]), ListId::of(&["a", "bc"]));
        let asked = PageRequest::of(mine, Some(1), None, false).expect("a page");
        let next =
            Page::cut(vec![1, 2], &asked, None, |n| Cursor::After(*n)).next_cursor.expect("there is more");
        let text = next.to_string();
        let page = PageRequest::of(mine, None, Some(&text), false).map(|page| page.cursor);
        assert_eq!(page, Ok(Some(Cursor::After(1))));
        assert_eq!(PageRequest::of(other, None, Some(&text), false), Err(PageError::Cursor));
    }

    #[test]
    fn a_limit_is_from_1_to_200() {
        assert_eq!(PageRequest::new(None, None, false).map(|page| page.limit()), Ok(50));
        assert_eq!(PageRequest::new(Some(0), None, false), Err(PageError::Limit));
        assert_eq!(PageRequest::new(Some(201), None, false), Err(PageError::Limit));
    }

    #[test]
    fn the_row_too_many_is_cut_off() {
        let two = PageRequest::new(Some(2), None, false).expect("a page");
        let page = Page::cut(vec![1, 2, 3], &two, None, |n| Cursor::After(*n));
        let next = page.next_cursor.map(|cursor| cursor.place);
        assert_eq!((page.items, next, page.has_more), (vec![1, 2], Some(Cursor::After(2)), true));
        let page = Page::cut(vec![1, 2], &two, Some(2), |n| Cursor::After(*n));
        assert_eq!((page.next_cursor, page.has_more, page.total), (None, false, Some(2)));
    }
}
