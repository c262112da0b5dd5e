//! Texts with bounds, as the document shows them. What a text must hold to is decided below; this says it.

use models::bounds;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// One character at least that is no white space, by Unicode's property: what `\s` is differs from reader to reader.
const NOT_BLANK: &str = "[^\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

/// What nobody sees, or what turns what stands beside it: `engines::logs::redact::unmistakable` takes these out of a
/// name, and what is of private use. That is not here: who makes texts by the pattern would draw 140,000 characters
/// each time.
const UNSEEN: &str = "\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}";
/// Blanks. Within a name there are only U+0020, one at a time: nobody sees which they are.
const BLANKS: &str = " \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000";

/// By which somebody or something is told from others: nothing around it or in it that nobody sees.
pub(crate) struct Identity;

/// The same, where it may be empty.
pub(crate) struct IdentityOrEmpty;

/// An agent's id: an identity that no key's pattern of agents is written like.
pub(crate) struct AgentName;

fn identity(pattern: String) -> ObjectBuilder {
    let told = "By which somebody or something is told from others: no blanks around it, within it one U+0020 at a time, and no \
                characters that nobody sees.";
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(bounds::NAME));
    text.pattern(Some(pattern)).description(Some(told))
}

/// What is seen from its first character to its last.
fn seen() -> String {
    seen_without("")
}

/// The same without one character more.
fn seen_without(other: &str) -> String {
    format!("[^{UNSEEN}{BLANKS}{other}]( ?[^{UNSEEN}{BLANKS}{other}])*")
}

impl PartialSchema for Identity {
    fn schema() -> RefOr<Schema> {
        identity(format!("^{}$", seen())).min_length(Some(1)).into()
    }
}

impl PartialSchema for IdentityOrEmpty {
    fn schema() -> RefOr<Schema> {
        identity(format!("^({})?$", seen())).into()
    }
}

impl PartialSchema for AgentName {
    fn schema() -> RefOr<Schema> {
        let told = "An agent's id: no blanks around it, within it one U+0020 at a time, no characters that nobody sees, and no `*`, \
                    which stands for any characters in what a key is bound to.";
        let text = identity(format!("^{}$", seen_without("*"))).min_length(Some(1));
        text.description(Some(told)).into()
    }
}

impl ToSchema for AgentName {}
impl ToSchema for Identity {}
impl ToSchema for IdentityOrEmpty {}

/// The id of an incident.
pub(crate) struct IncidentId;

impl PartialSchema for IncidentId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^inc_[0-9a-f]{32}$")).into()
    }
}

impl ToSchema for IncidentId {}

fn bounded(shortest: usize, longest: usize) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(longest));
    if shortest == 0 { text.into() } else { text.min_length(Some(shortest)).pattern(Some(NOT_BLANK)).into() }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident at least $shortest:literal up to $longest:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                bounded($shortest, $longest)
            }
        }

        impl ToSchema for $name {}
    )+};
}

texts! {
    /// What something is called, or found by. Not blank.
    Name at least 1 up to bounds::NAME;
    /// The same, where it may be empty.
    Word at least 0 up to bounds::NAME;
    /// A person's reason. Not blank.
    Reason at least 1 up to bounds::REASON;
    /// What a person says beside an act.
    Note at least 0 up to bounds::REASON;
    /// What an agent says at length.
    Text at least 0 up to bounds::TEXT;
}
