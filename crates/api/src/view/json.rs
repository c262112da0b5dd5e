//! What was kept as JSON text, given back as the JSON it is.

use serde::Serialize;
use serde_json::value::RawValue;

/// Stored JSON text, written as it is: its numbers stay exact. Text that is no JSON is written as a string.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Kept(Box<RawValue>);

impl From<String> for Kept {
    fn from(text: String) -> Self {
        let quoted = |text: &str| serde_json::value::to_raw_value(text);
        let raw = RawValue::from_string(text.clone()).or_else(|_| quoted(&text));
        Self(raw.unwrap_or_else(|_| unreachable!("a string is JSON")))
    }
}

impl utoipa::PartialSchema for Kept {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::AnyValue)
            .description(Some("Any JSON, as it was given (after redaction)."))
            .into()
    }
}

impl utoipa::ToSchema for Kept {}
