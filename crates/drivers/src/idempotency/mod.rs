//! What calls that came with a key were answered, so that a repeat gets the same answer.
//!
//! Permits and steps keep theirs for ever, in their own rows; Redis only answers their repeats earlier. Every other
//! write keeps its answer for a day, in the transaction of its effect.

mod kept;
mod redis;

pub use self::{
    kept::{IdempotencyReads, IdempotencyStore},
    redis::{IdempotencyError, RedisIdempotencyStore},
};

/// What is known of a call by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    New,
    /// It was answered with this.
    Duplicate(Vec<u8>),
    /// Another request was answered under its key.
    Conflict,
}
