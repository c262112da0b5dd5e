//! What a model call cost, by the price book: where neither provider nor caller says it.
//!
//! The book is a dated copy of a public data set (`cargo xtask prices` refreshes it). A model that is not in it, or that
//! is paid by something that we do not know of the call, has no cost: unknown is never zero.

mod book;
mod names;
mod places;
mod seller;
mod words;

use std::sync::LazyLock;

use self::book::{Book, Price};

static BOOK: LazyLock<Option<Book>> = LazyLock::new(|| Book::read(include_str!("book.json")));

/// The call that is priced: what is said of who answered it, and the name of the model, all as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// What an instrumentation or a caller names the provider.
    pub provider: Option<&'a str>,
    /// Where the call went: a host, with or without a port, or a URL.
    pub address: Option<&'a str>,
    /// The model; of several names the one that answered.
    pub model: &'a str,
    /// When it was answered, in minutes of the day in UTC: some sellers ask for more at some hours.
    pub minute: Option<u16>,
}

/// What a call used. What was read from a cache and what was written to one is within what went in, and what is kept for
/// an hour within what was written; reasoning is within what came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub cache_write_hour: u64,
    pub reasoning: u64,
}

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

#[cfg(test)]
mod tests;
