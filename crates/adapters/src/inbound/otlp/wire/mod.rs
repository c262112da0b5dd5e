//! The bytes of a request, span by span, as lenient as the two encodings allow: what is odd in one attribute costs that
//! attribute, and what is odd in one span costs its neighbours nothing. Texts are lent from the body where they can be.

mod json;
mod protobuf;

use std::borrow::Cow;

use super::lossy::lossy;

pub(super) use json::{json, text};
pub(super) use protobuf::protobuf;

/// How deep a value of an attribute may be nested. What is deeper is told, and kept as text where its encoding is one.
const MAX_DEPTH: usize = 64;

/// Who takes what a request holds. The spans of a resource come before what is said of it, which may follow them.
pub(super) trait Sink<'b> {
    /// A span, or why it can be none.
    fn span(&mut self, span: Result<Span<'b>, String>);
    /// The spans since the last resource are this one's.
    fn resource(&mut self, attributes: Vec<Attribute<'b>>);
}

/// One span, as it was sent.
#[derive(Debug, Default)]
pub(super) struct Span<'b> {
    pub(super) trace_id: Id<'b, 16>,
    pub(super) id: Id<'b, 8>,
    pub(super) parent_span_id: Id<'b, 8>,
    pub(super) name: Cow<'b, str>,
    pub(super) kind: u64,
    pub(super) start_unix_nano: u64,
    pub(super) end_unix_nano: u64,
    pub(super) flags: u64,
    pub(super) attributes: Vec<Attribute<'b>>,
    pub(super) events: Vec<Event<'b>>,
    pub(super) status_code: u64,
    pub(super) status_message: Cow<'b, str>,
    /// Something of it could not be read, or was not sent.
    pub(super) cut: bool,
}

/// `SPAN_KIND_SERVER`.
pub(super) const SERVER: u64 = 2;
/// `SPAN_KIND_CLIENT`.
pub(super) const CLIENT: u64 = 3;
/// `STATUS_CODE_OK`.
pub(super) const OK: u64 = 1;
/// `STATUS_CODE_ERROR`.
pub(super) const ERROR: u64 = 2;

#[derive(Debug, Default)]
pub(super) struct Event<'b> {
    pub(super) name: Cow<'b, str>,
    pub(super) attributes: Vec<Attribute<'b>>,
}

/// An id of so many bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Id<'b, const N: usize> {
    /// None is given, or one of zeros.
    #[default]
    None,
    Is([u8; N]),
    /// What was given instead.
    Odd(Odd<'b>),
}

/// What is no id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Odd<'b> {
    Bytes(&'b [u8]),
    Text(Cow<'b, str>),
}

impl<'b, const N: usize> Id<'b, N> {
    fn of(bytes: &'b [u8]) -> Self {
        match <[u8; N]>::try_from(bytes) {
            Ok(id) => Self::from(id),
            Err(_) if bytes.iter().all(|byte| *byte == 0) => Self::None,
            Err(_) => Self::Odd(Odd::Bytes(bytes)),
        }
    }
}

impl<const N: usize> From<[u8; N]> for Id<'_, N> {
    fn from(id: [u8; N]) -> Self {
        if id == [0; N] { Self::None } else { Self::Is(id) }
    }
}

#[derive(Debug, Default)]
pub(super) struct Attribute<'b> {
    pub(super) key: Cow<'b, str>,
    pub(super) value: Option<Any<'b>>,
}

impl Attribute<'_> {
    /// Whether there is nothing in it at all: a body may hold millions of those.
    fn is_nothing(&self) -> bool {
        self.key.is_empty() && self.value.is_none()
    }
}

/// The value of an attribute.
#[derive(Debug)]
pub(super) enum Any<'b> {
    Text(Cow<'b, str>),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Cow<'b, [u8]>),
    List(Vec<Any<'b>>),
    Map(Vec<Attribute<'b>>),
}

impl<'b> Any<'b> {
    /// Bytes that are a text are that text: rules read it, and what is secret in it is redacted.
    fn of_bytes(bytes: Cow<'b, [u8]>) -> Self {
        let is_text = str::from_utf8(&bytes).is_ok_and(|read| {
            !read.is_empty()
                && read.chars().all(|next| !next.is_control() || matches!(next, '\n' | '\r' | '\t'))
        });
        match bytes {
            Cow::Borrowed(bytes) if is_text => Self::Text(lossy(bytes)),
            Cow::Owned(bytes) if is_text => Self::Text(Cow::Owned(lossy(&bytes).into_owned())),
            bytes => Self::Bytes(bytes),
        }
    }
}
