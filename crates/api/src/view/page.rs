//! A page of a list, as it is written.

use models::page::Page;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub(crate) struct PageView<T> {
    /// The entries, in the list's order.
    items: Vec<T>,
    /// Ask with this `cursor` for the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
    /// How many entries pass the filters; only with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

impl<T> PageView<T> {
    /// A page whose entries are views already.
    pub(crate) fn of(page: Page<T>) -> Self {
        let Page { items, next_cursor, has_more, total } = page;
        Self { items, next_cursor: next_cursor.map(|cursor| cursor.to_string()), has_more, total }
    }
}

impl<T, U: From<T>> From<Page<T>> for PageView<U> {
    fn from(page: Page<T>) -> Self {
        Self::of(page.map(U::from))
    }
}
