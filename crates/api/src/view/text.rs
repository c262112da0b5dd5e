//! Texts with bounds, as the document shows them. What a text must hold to is decided below; this says it.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// One character at least that is no white space, by Unicode's property: what `\s` is differs from reader to reader.
const NOT_BLANK: &str = "[^\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident up to $longest:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(NOT_BLANK));
                text.min_length(Some(1)).max_length($longest).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

texts! {
    /// A name that a person gives.
    Name up to Some(200);
    /// A label of a step.
    Label up to Some(100);
    /// A person's reason.
    Reason up to Some(4_000);
    /// Any text that says something.
    Words up to None;
}
