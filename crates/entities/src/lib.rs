//! L7. The tables, as the store has them: one entity each, by domain. The value that a row keeps is in `models`.
//!
//! Only drivers and tests of the schema name entities; every other crate takes values. `overview` is not here: it owns
//! no table.
//!
//! Invariants: a column is a plain value of the store, or the [`Id`] of something. Words, hashes and documents are in
//! the form in which they are stored, and drivers read them. No domain names another.

pub mod account;
pub mod activity;
pub mod counts;
mod id;
pub mod incidents;
pub mod jobs;
pub mod ledger;
pub mod logs;
pub mod policies;

pub use self::id::Id;
