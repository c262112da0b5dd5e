//! What `hoc verify` does: checks a bundle or a log with a public key, and nothing else.
//!
//! No store, no network, no clock, no async. Whoever calls hands over bytes, or what gives them from their beginning as
//! often as they are read, keys that came another way, and what else they ask; the answer is a [`Report`] with each
//! check and one [`Word`]. What the checks are built from is in `proof` and `rules`, the same code that sealed.
//!
//! Invariants: nothing inside a bundle is trusted before a given key has signed for it; whatever is wrong inside a
//! bundle is in the report, never an error, never a panic.

mod beside;
mod bundle;
mod checks;
mod document;
mod first;
mod input;
mod json;
pub mod log;
mod reader;
mod report;
mod shown;
mod statement;
mod time;

pub use bundle::{NotABundle, NotRead, Options, bundle, held, stream};
pub use input::{BadLine, Row, Seen, rows, seen};
pub use report::{Check, Report, Word};
pub use shown::shown;
pub use time::canonical_time;
