//! Canonical bytes, hashes and the record types that are hashed: what a run's evidence *is*.
//!
//! The code that seals is the code that verifies: the server and `hoc verify` both call this crate,
//! so it is pure. Invariants: no I/O, no clock, no randomness, and nothing of ours below it.
//!
//! Read in this order: [`canonical`] and [`hash`] say how any value becomes one hash; [`records`],
//! [`definitions`] and [`leaves`] say what is hashed; [`merkle`] and [`run_ranges`] how hashes become one root;
//! [`segment`] how a run's records are kept, [`contents`] how their texts are, apart from them; [`keys`], [`note`],
//! [`checkpoint`], [`dsse`] and [`statement`] how a root is signed; [`bundle`] how all of it travels.

pub mod bundle;
pub mod canonical;
pub mod checkpoint;
pub mod contents;
pub mod definitions;
pub mod dsse;
pub mod forms;
pub mod hash;
pub mod hmac;
pub mod keys;
pub mod leaves;
pub mod merkle;
pub mod note;
pub mod records;
pub mod run_ranges;
pub mod segment;
pub mod statement;
pub mod tagged;
pub mod tally;
mod told;
pub mod words;
