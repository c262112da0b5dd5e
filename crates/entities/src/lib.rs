//! L7. The tables, as the store has them: one entity each, by domain. The value that a row keeps is in `models`.
//!
//! `overview` is not here: it owns no table. Drivers name entities, tests of the schema do, and nobody else: who stands above
//! takes values.
//!
//! Invariants: a column is a plain value of the store, or the [`Id`] of something; words, hashes and documents are what they
//! are stored as, and drivers read them. No domain names another.

pub mod account;
pub mod activity;
mod id;
pub mod incidents;
pub mod ledger;
pub mod logs;
pub mod policies;

pub use self::id::Id;
