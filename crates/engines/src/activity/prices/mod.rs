//! What a model call cost, by the price book: where neither provider nor caller says it.
//!
//! The book is a dated copy of a public data set (`cargo xtask prices` refreshes it). A model that is not in it, or
//! that is paid by something that we do not know of the call, has no cost: unknown is never zero.

mod book;
mod call;
mod names;
mod places;
mod seller;
mod sold;
mod words;

use std::sync::LazyLock;

use self::book::{Book, Price};
pub use self::call::{Call, Tokens};

static BOOK: LazyLock<Option<Book>> = LazyLock::new(|| Book::read(include_str!("book.json")));

/// A cost, and the book that it is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// Nano-USD: the exact sum, rounded once, half up.
    pub cost_nanousd: u64,
    /// Source, version and date of the book.
    pub book: String,
}

/// The cost of a call; none where the book cannot tell, or where it is in doubt who sold the call.
#[must_use]
pub fn price(call: &Call<'_>, tokens: Tokens) -> Option<Priced> {
    let book = BOOK.as_ref()?;
    let cost_nanousd = match book.find(call)? {
        Price::Nothing => 0,
        Price::Of(model) => model.cost(tokens, call.minute)?,
    };
    Some(Priced { cost_nanousd, book: book.name().to_owned() })
}

/// Who sold a call, by the book's word for it, whatever word was told; none where that is in doubt, or where it is
/// somebody whom the book does not have.
#[must_use]
pub fn sold_by(call: &Call<'_>) -> Option<&'static str> {
    seller::of(call, &call.model.trim().to_lowercase()).map(|sold| sold.seller)
}

#[cfg(test)]
mod tests;
