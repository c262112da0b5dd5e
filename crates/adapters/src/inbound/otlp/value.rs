//! Attribute values as texts, numbers and JSON.

use std::borrow::Cow;

use orchestrator::ports::{holds_nothing, json_of};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

use super::{
    nothing::is_no_name,
    wire::{Any, Attribute},
};

/// The largest number that a record holds.
pub(super) const MAX_INTEGER: u64 = 1 << 53;

/// A text that says something.
pub(super) fn text<'v>(value: &'v Any<'_>) -> Option<&'v str> {
    match value {
        Any::Text(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

/// A text that names something: `unknown` and `None` are what stands for a name.
pub(super) fn named<'v>(value: &'v Any<'_>) -> Option<&'v str> {
    text(value).filter(|text| !is_no_name(text))
}

/// A name, which may be a number: 7 and 7.0 are the same one.
pub(super) fn name(value: &Any<'_>) -> Option<String> {
    match value {
        Any::Int(number) => Some(number.to_string()),
        // Each digit of a whole one, which by itself is written with zeros for the last.
        Any::Double(number) if number.fract() == 0.0 && number.abs() < 1e19 => Some(format!("{number:.0}")),
        Any::Double(number) if number.is_finite() => Some(number.to_string()),
        other => named(other).map(|name| name.trim().to_owned()),
    }
}

/// A text, moved out; what is no text, as JSON.
pub(super) fn into_text(value: Any<'_>) -> Option<String> {
    match value {
        Any::Text(text) => Some(text.into_owned()).filter(|text| !text.trim().is_empty()),
        other => serde_json::to_string(&Json(&other)).ok(),
    }
}

/// A text that says something, or the JSON of what has a structure.
pub(super) fn whole<'v>(value: &'v Any<'_>) -> Option<Cow<'v, str>> {
    match value {
        Any::Text(_) => text(value).map(Cow::Borrowed),
        Any::List(_) | Any::Map(_) => serde_json::to_string(&Json(value)).ok().map(Cow::Owned),
        Any::Bool(_) | Any::Int(_) | Any::Double(_) | Any::Bytes(_) => None,
    }
}

/// The first of attributes that says something under one of these names.
pub(super) fn whole_of<'a>(attributes: &'a [Attribute<'_>], keys: &[&str]) -> Option<Cow<'a, str>> {
    let of = |key: &str| {
        let mut named = attributes.iter().filter(|one| one.key == key);
        named.find_map(|one| whole(one.value.as_ref()?))
    };
    keys.iter().find_map(|key| of(key))
}

/// A value as text, whatever it is, where it says something.
pub(super) fn told<'v>(value: &'v Any<'_>) -> Option<Cow<'v, str>> {
    match value {
        Any::Text(text) => Some(Cow::Borrowed(&**text)).filter(|text| !text.is_empty()),
        other => serde_json::to_string(&Json(other)).ok().map(Cow::Owned),
    }
}

/// Whether it is nothing, or holds nothing, by whatever it is written.
pub(super) fn is_hollow(value: &Any<'_>) -> bool {
    match value {
        Any::Text(text) => is_hollow_text(text),
        Any::List(list) => list.iter().all(is_hollow),
        Any::Map(members) => members.iter().all(|one| one.value.as_ref().is_none_or(is_hollow)),
        Any::Bool(_) | Any::Int(_) | Any::Double(_) | Any::Bytes(_) => false,
    }
}

/// A longer text holds something.
const LONGEST_HOLLOW: usize = 256;

/// The same of a text, which may be JSON.
pub(super) fn is_hollow_text(text: &str) -> bool {
    let text = text.trim();
    let is_word = || ["null", "none", "nil", "undefined"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_json = || text.len() <= LONGEST_HOLLOW && text.starts_with(['{', '[', '"']);
    text.is_empty() || is_word() || is_json() && json_of(text).as_ref().is_some_and(holds_nothing)
}

/// The first of texts that holds something; where none does, the first.
pub(super) fn first_full<const N: usize>(texts: [Option<String>; N]) -> Option<String> {
    let mut texts: Vec<String> = texts.into_iter().flatten().collect();
    let at = texts.iter().position(|text| !is_hollow_text(text)).unwrap_or(0);
    (at < texts.len()).then(|| texts.swap_remove(at))
}

/// A number or a text in JSON, as an attribute has it.
pub(super) fn of_json(value: &Value) -> Option<Any<'_>> {
    match value {
        Value::Number(number) => number.as_i64().map(Any::Int).or_else(|| number.as_f64().map(Any::Double)),
        Value::String(text) => Some(Any::Text(Cow::Borrowed(text))),
        _ => None,
    }
}

/// The first name of a list, or the one that the text is.
pub(super) fn first_name<'v>(value: &'v Any<'_>) -> Option<&'v str> {
    if let Any::List(list) = value {
        return list.iter().find_map(named);
    }
    let text = named(value)?;
    let listed = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    // Some join a list to one text.
    listed.or_else(|| text.contains(',').then_some(text)).map_or(Some(text), first_listed)
}

/// The first name of a list that came as its text, by JSON's quotes or by Python's.
fn first_listed(listed: &str) -> Option<&str> {
    let mut names = listed.split(',').map(|name| name.trim().trim_matches(['"', '\'']));
    names.find(|name| !is_no_name(name))
}

/// A count, however it is written: 12, 12.0, "12" and "12.0" are the same one.
pub(super) fn count(value: &Any<'_>) -> Option<u64> {
    let count = match value {
        Any::Int(number) => u64::try_from(*number).ok(),
        Any::Double(number) => whole_number(*number),
        Any::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole_number(text.parse().ok()?))
        }
        _ => None,
    };
    count.filter(|count| *count <= MAX_INTEGER)
}

fn whole_number(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then(|| integer(number)).flatten()
}

/// USD as nano-USD, rounded half up. More than a record holds is as good as none: the cost is not known.
pub(super) fn nano_usd(value: &Any<'_>) -> Option<u64> {
    let nanos = match value {
        Any::Int(number) => u64::try_from(*number).ok()?.checked_mul(1_000_000_000),
        // What is meant is the shortest decimal that is this number.
        Any::Double(number) => nanos(&format!("{number:e}")),
        Any::Text(text) => nanos(text.trim()),
        _ => None,
    };
    nanos.filter(|nanos| *nanos <= MAX_INTEGER)
}

/// Billionths of a decimal number, rounded once, half up.
fn nanos(decimal: &str) -> Option<u64> {
    let (number, exponent) = decimal.split_once(['e', 'E']).unwrap_or((decimal, "0"));
    let exponent = exponent.parse::<i64>().ok()?;
    let is_negative = number.starts_with('-');
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let behind = i64::try_from(fraction.len()).ok()?;
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // So many digits stand before the point once the number is billionths.
    let kept =
        i64::try_from(digits.len()).ok()?.checked_add(exponent)?.checked_sub(behind)?.checked_add(9)?;
    // Less than a tenth of one is none.
    let Ok(kept) = usize::try_from(kept) else { return Some(0) };
    // More than any record holds.
    if kept > 18 {
        return None;
    }
    let nanos = if kept <= digits.len() {
        let half = digits.as_bytes().get(kept).is_some_and(|digit| *digit >= b'5');
        let before = if kept == 0 { 0 } else { digits[..kept].parse::<u64>().ok()? };
        before + u64::from(half)
    } else {
        format!("{digits:0<kept$}").parse().ok()?
    };
    (nanos == 0 || !is_negative).then_some(nanos)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn integer(number: f64) -> Option<u64> {
    (0.0..=9_007_199_254_740_992.0).contains(&number).then_some(number as u64)
}

/// A value as JSON.
pub(super) struct Json<'a>(pub(super) &'a Any<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Any::Text(text) => to.serialize_str(text),
            Any::Bool(value) => to.serialize_bool(*value),
            Any::Int(number) => to.serialize_i64(*number),
            Any::Double(number) if number.is_finite() => to.serialize_f64(*number),
            // JSON has no such number; the JSON of protobuf has its name.
            Any::Double(number) if number.is_nan() => to.serialize_str("NaN"),
            Any::Double(number) => to.serialize_str(if *number > 0.0 { "Infinity" } else { "-Infinity" }),
            Any::Bytes(bytes) => to.serialize_str(&hex(bytes)),
            Any::List(list) => {
                let mut out = to.serialize_seq(Some(list.len()))?;
                for value in list {
                    out.serialize_element(&Json(value))?;
                }
                out.end()
            }
            Any::Map(list) => Members(list).serialize(to),
        }
    }
}

/// Attributes as a JSON object.
pub(super) struct Members<'a>(pub(super) &'a [Attribute<'a>]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut out = to.serialize_map(Some(self.0.len()))?;
        for Attribute { key, value } in self.0 {
            match value {
                Some(value) => out.serialize_entry(key, &Json(value))?,
                None => out.serialize_entry(key, &())?,
            }
        }
        out.end()
    }
}

/// Attributes as the JSON of an object; where two are of one name, as its text: nobody knows which of them is meant.
pub(super) fn object_of(attributes: &[Attribute<'_>]) -> Value {
    let text = serde_json::to_string(&Members(attributes)).unwrap_or_default();
    json_of(&text).unwrap_or(Value::String(text))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_rounded_once() {
        for (usd, expected) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("0.5", Some(500_000_000)),
            (".5", Some(500_000_000)),
            ("5.", Some(5_000_000_000)),
            ("+1.25e-2", Some(12_500_000)),
            ("12E1", Some(120_000_000_000)),
            ("0.0000000005", Some(1)),
            ("0.0000000004999999999999", Some(0)),
            ("0.00000000149999999999999999999", Some(1)),
            ("0.0000000015", Some(2)),
            ("0.00000000005", Some(0)),
            ("1e-400", Some(0)),
            ("0e400", Some(0)),
            ("9007199.254740992", Some(MAX_INTEGER)),
            ("9007199.254740993", None),
            ("1e400", None),
            ("1e99999999999999999999", None),
            ("-0.5", None),
            ("-1", None),
            ("", None),
            (".", None),
            ("e5", None),
            ("1,5", None),
            ("NaN", None),
            ("inf", None),
            ("--1", None),
        ] {
            assert_eq!(nano_usd(&Any::Text(usd.into())), expected, "{usd}");
        }
        for (usd, expected) in [
            (0.000_000_000_5, Some(1)),
            (0.000_000_000_499_999_999_999_9, Some(0)),
            (0.1 + 0.2, Some(300_000_000)),
            (123_456.789, Some(123_456_789_000_000)),
            (0.0, Some(0)),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(nano_usd(&Any::Double(usd)), expected, "{usd}");
        }
    }
}
