//! What a model call cost, by the price book: where neither provider nor caller says it.
//!
//! The book is a dated copy of a public data set (`cargo xtask prices` refreshes it). A model that is not in it, or that
//! is paid by something that we do not know of the call, has no cost: unknown is never zero.

mod book;

use std::sync::LazyLock;

use self::book::{Book, Model, Rates};

static BOOK: LazyLock<Option<Book>> = LazyLock::new(|| serde_json::from_str(include_str!("book.json")).ok());

/// What a call used. Cached tokens, read and written, are within those that went in, reasoning within those that came out;
/// those that are kept for an hour are within those that were written.
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
    /// Nano-USD, rounded to the nearest.
    pub cost_nanousd: u64,
    /// Source, version and date of the book.
    pub book: String,
}

/// The cost of a call; none where the book cannot tell. Names are taken as the data set takes them: with the date of a
/// version, and with the provider before a slash.
#[must_use]
pub fn price(provider: Option<&str>, model: &str, tokens: Tokens) -> Option<Priced> {
    let book = BOOK.as_ref()?;
    let cost = cost(book.find(provider, model)?, tokens)?;
    Some(Priced { cost_nanousd: cost, book: book.name() })
}

/// Millionths of a micro-USD are added up exactly, and rounded once, to nano-USD.
fn cost(model: &Model, tokens: Tokens) -> Option<u64> {
    let rates = model.rates(tokens.input);
    let Rates { input, output, cache_read, reasoning } = rates;
    let cached = cache_read.map_or(0, |_| tokens.cache_read.min(tokens.input));
    let thought = reasoning.map_or(0, |_| tokens.reasoning.min(tokens.output));
    let mut millionths = u128::from(model.request) * 1_000_000;
    for (count, rate) in [
        (tokens.input - cached, input),
        (cached, cache_read),
        (tokens.output - thought, output),
        (thought, reasoning),
    ] {
        // Tokens of a kind that has no price are paid in a way that the book does not know.
        millionths += match rate {
            Some(rate) => u128::from(count) * u128::from(rate),
            None if count == 0 => 0,
            None => return None,
        };
    }
    u64::try_from((millionths + 500) / 1_000).ok()
}

#[cfg(test)]
mod tests;
