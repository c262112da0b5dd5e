//! Attribute values as texts, numbers and JSON.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// The largest number that a record holds.
pub(super) const MAX_INTEGER: u64 = 1 << 53;

/// A text, as it is.
pub(super) fn text(value: &AnyValue) -> Option<&str> {
    match value.value.as_ref()? {
        Value::StringValue(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A text, moved out; what is no text, as JSON.
pub(super) fn into_text(value: AnyValue) -> Option<String> {
    match value.value {
        None => None,
        Some(Value::StringValue(text)) => Some(text).filter(|text| !text.is_empty()),
        other => serde_json::to_string(&Json(&AnyValue { value: other })).ok(),
    }
}

/// The first text of a list, or the text.
pub(super) fn first_text(value: &AnyValue) -> Option<&str> {
    match value.value.as_ref()? {
        Value::ArrayValue(list) => list.values.first().and_then(text),
        _ => text(value),
    }
}

/// A count, however it is written.
pub(super) fn count(value: &AnyValue) -> Option<u64> {
    let count = match value.value.as_ref()? {
        Value::IntValue(number) => u64::try_from(*number).ok(),
        Value::DoubleValue(number) => whole(*number),
        Value::StringValue(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.filter(|count| *count <= MAX_INTEGER)
}

/// USD as nano-USD, rounded half up. More than a record holds is as good as none: the cost is not known.
pub(super) fn nano_usd(value: &AnyValue) -> Option<u64> {
    let usd = match value.value.as_ref()? {
        Value::IntValue(number) => {
            let cost = u64::try_from(*number).ok()?.checked_mul(1_000_000_000)?;
            return (cost <= MAX_INTEGER).then_some(cost);
        }
        Value::DoubleValue(number) => *number,
        Value::StringValue(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // Half up of what is meant: the nearest number to 0.0000000005 lies a hair below it.
    whole((usd * 1e9 + 1e-9).round())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(number: f64) -> Option<u64> {
    (0.0..=9_007_199_254_740_992.0).contains(&number).then_some(number as u64)
}

/// Whether it holds a U+0000 in any text, which no store keeps.
pub(super) fn has_nul(value: &AnyValue) -> bool {
    match &value.value {
        Some(Value::StringValue(text)) => text.as_bytes().contains(&0),
        Some(Value::ArrayValue(list)) => list.values.iter().any(has_nul),
        Some(Value::KvlistValue(list)) => any_nul(&list.values),
        _ => false,
    }
}

/// The same of attributes.
pub(super) fn any_nul(attributes: &[KeyValue]) -> bool {
    attributes.iter().any(|one| one.key.as_bytes().contains(&0) || one.value.as_ref().is_some_and(has_nul))
}

/// A value as JSON.
pub(super) struct Json<'a>(pub(super) &'a AnyValue);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0.value {
            None | Some(Value::StringValueStrindex(_)) => to.serialize_unit(),
            Some(Value::StringValue(text)) => to.serialize_str(text),
            Some(Value::BoolValue(value)) => to.serialize_bool(*value),
            Some(Value::IntValue(number)) => to.serialize_i64(*number),
            Some(Value::DoubleValue(number)) => to.serialize_f64(*number),
            Some(Value::BytesValue(bytes)) => to.serialize_str(&hex(bytes)),
            Some(Value::ArrayValue(list)) => {
                let mut out = to.serialize_seq(Some(list.values.len()))?;
                for value in &list.values {
                    out.serialize_element(&Json(value))?;
                }
                out.end()
            }
            Some(Value::KvlistValue(list)) => Members(&list.values).serialize(to),
        }
    }
}

/// Attributes as a JSON object.
pub(super) struct Members<'a>(pub(super) &'a [KeyValue]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut out = to.serialize_map(Some(self.0.len()))?;
        for KeyValue { key, value, .. } in self.0 {
            match value {
                Some(value) => out.serialize_entry(key, &Json(value))?,
                None => out.serialize_entry(key, &())?,
            }
        }
        out.end()
    }
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
