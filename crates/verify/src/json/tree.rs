//! A value as it was read, whatever it is: for the pieces of a document that somebody has written anew.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::{
    parser::{MemberState, Parser},
    wrong::Wrong,
};

/// A value of the kinds that have canonical bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Text(Cow<'a, str>),
    Array(Vec<Tree<'a>>),
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    pub(crate) fn read(parser: &mut Parser<'a>) -> Result<Self, Wrong> {
        match parser.peek()? {
            b'{' => {
                parser.open(b'{')?;
                let mut state = MemberState::of_any();
                let mut members = Vec::new();
                while let Some(name) = parser.member(&mut state)? {
                    let value = Self::read(parser).map_err(|wrong| wrong.within(&name))?;
                    members.push((name, value));
                }
                parser.close();
                Ok(Self::Object(members))
            }
            b'[' => parser.elements(Self::read).map(Self::Array),
            b'"' => parser.string().map(Self::Text),
            b't' => parser.word("true").map(|()| Self::Bool(true)),
            b'f' => parser.word("false").map(|()| Self::Bool(false)),
            b'n' => parser.word("null").map(|()| Self::Null),
            _ => parser.integer().map(Self::Integer),
        }
    }

    /// The member of this name, if this is an object that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}
