//! What comes in from outside, as it really does.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod captures;
mod deep;
mod details;
mod doubles;
mod failures;
mod kept;
mod names;
mod odd;
mod said;
mod served;
mod spans;
mod tools;
mod usage;
