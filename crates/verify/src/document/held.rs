//! A value as it was read, with its hash: what every part of a document is made of.

use proof::{hash::Hash, tagged::Tagged};
use serde::Deserialize;

use crate::json::{Parser, Wrong};

/// A value and the leaf hash of its canonical bytes.
#[derive(Clone, Debug)]
pub(crate) struct Held<T> {
    pub(crate) value: T,
    pub(crate) hash: Hash,
}

/// What `members` has seen to be there.
pub(super) fn present<T>(member: Option<T>) -> Result<T, Wrong> {
    member.ok_or_else(|| Wrong::new("a member is missing"))
}

pub(super) fn held<'a, T>(
    parser: &mut Parser<'a>,
    read: impl FnOnce(&mut Parser<'a>) -> Result<T, Wrong>,
) -> Result<Held<T>, Wrong> {
    let (value, piece) = parser.piece(read)?;
    Ok(Held { value, hash: piece.hash() })
}

pub(super) fn plain<'a, T: Deserialize<'a>>(parser: &mut Parser<'a>) -> Result<Held<T>, Wrong> {
    held(parser, |parser| T::deserialize(parser))
}

pub(super) fn tagged<T: Tagged>(parser: &mut Parser<'_>) -> Result<Held<T>, Wrong> {
    held(parser, Parser::tagged)
}
