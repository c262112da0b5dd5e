//! Texts with bounds, as the document shows them. What a text must hold to is decided below; this says it.

use models::bounds;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// One character at least that is no white space, by Unicode's property: what `\s` is differs from reader to reader.
const NOT_BLANK: &str = "[^\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

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
