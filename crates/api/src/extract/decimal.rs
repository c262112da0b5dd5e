//! Numbers as they were written: exact decimal text, never a float.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};

/// The largest number that is kept (2^53): what a JSON reader does not round.
const MAX: u128 = 1 << 53;

const TOO_MUCH: &str = "must be at most 9007199254740991, and of USD at most 9007199.254740991";
/// Of a step's USD, which may come up to it: so many nano-USD.
const TOO_DEAR: &str = "must be at most 9007199.254740992 (USD)";

/// An amount of USD, as a JSON number or a string; rounded half up to nano-USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usd {
    /// Nano-USD.
    pub(crate) nanos: u64,
}

/// A number in a unit that its sibling members tell, as a JSON number or a string; rounded half up to billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Billionths of the unit.
    pub(crate) billionths: u128,
}

impl Amount {
    /// As people write a number.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        billionths(text).map(|billionths| Self { billionths })
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = billionths(&text_of(from)?).map_err(|why| if why == TOO_MUCH { TOO_DEAR } else { why });
        let nanos =
            u64::try_from(read.map_err(D::Error::custom)?).ok().filter(|nanos| u128::from(*nanos) <= MAX);
        nanos.map(|nanos| Self { nanos }).ok_or_else(|| D::Error::custom(TOO_DEAR))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::read(&text_of(from)?).map_err(D::Error::custom)
    }
}

/// A number as it was written, in quotes or not.
fn text_of<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(from)?;
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(D::Error::custom),
        Some(b'-' | b'0'..=b'9') => Ok(raw.get().to_owned()),
        _ => Err(D::Error::custom("must be a number, or a string that holds one")),
    }
}

/// A decimal number times a billion, rounded half up.
fn billionths(text: &str) -> Result<u128, &'static str> {
    const NO_NUMBER: &str = "is no decimal number";
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent).ok_or(NO_NUMBER)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(NO_NUMBER);
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    if negative {
        return Err("must not be negative");
    }
    // The digits that count stand before this place; what is beyond is rounded.
    let fraction_length = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let length = i64::try_from(significant.len()).unwrap_or(i64::MAX);
    let place = length.saturating_sub(fraction_length).saturating_add(exponent).saturating_add(9);
    match usize::try_from(place) {
        Err(_) => Ok(0),
        Ok(place) if place > 38 => Err(TOO_MUCH),
        Ok(place) => {
            let kept: u128 = format!("{:0<place$}", &significant[..place.min(significant.len())])
                .parse()
                .or(if place == 0 { Ok(0) } else { Err(NO_NUMBER) })?;
            let up = significant.as_bytes().get(place).is_some_and(|digit| *digit >= b'5');
            Ok(kept + u128::from(up))
        }
    }
}

/// The exponent; one that is out of all bounds as a bound.
fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let bound = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    Some(text.parse().map_or(bound, |exponent: i64| exponent.clamp(i64::MIN / 4, i64::MAX / 4)))
}

impl utoipa::PartialSchema for Usd {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let number =
            ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(9_007_199.0));
        or_text(number, "USD: a number, or a string that holds one. Rounded half up to nine decimals.")
    }
}

impl utoipa::ToSchema for Usd {}

impl utoipa::PartialSchema for Amount {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(0.000_000_001))
            .maximum(Some(9_007_199_254_740_991.0));
        or_text(number, "In the limit type's own unit (USD for cost): a number, or a string that holds one.")
    }
}

impl utoipa::ToSchema for Amount {}

fn or_text(number: ObjectBuilder, description: &str) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    OneOfBuilder::new()
        .item(number)
        .item(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$")),
        )
        .description(Some(description))
        .into()
}

#[cfg(test)]
mod tests {
    use super::{TOO_MUCH, Usd, billionths};

    #[test]
    fn exact_and_rounded_half_up() {
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("-0.000", 0),
            ("1", 1_000_000_000),
            ("0.000000001", 1),
            ("0.0000000005", 1),
            ("0.00000000049999999999999999999999999", 0),
            ("0.0000000014999", 1),
            ("0.0000000015", 2),
            ("0.1", 100_000_000),
            ("0.30000000000000004", 300_000_000),
            ("1e-9", 1),
            ("5E-10", 1),
            ("4e-10", 0),
            ("1.5e3", 1_500_000_000_000),
            ("1e+2", 100_000_000_000),
            ("9007199.254740992", 1 << 53),
            ("1e-999999999999999999999999", 0),
            ("0e999999999999999999999999", 0),
            ("00012.50", 12_500_000_000),
        ];
        for (text, expected) in cases {
            assert_eq!(billionths(text), Ok(expected), "{text}");
        }
        for text in ["", ".", "1.", ".5", "+1", "1e", "1e+", "abc", "1 ", "0x1", "1_000", "NaN", "٣"] {
            assert_eq!(billionths(text), Err("is no decimal number"), "{text}");
        }
        assert_eq!(billionths("-0.0000000001"), Err("must not be negative"));
        assert_eq!(billionths("1e99999999999999999999"), Err(TOO_MUCH));
    }

    #[test]
    fn a_number_or_a_string_and_nothing_else() {
        let read = |json: &str| {
            serde_json::from_str::<Usd>(json).map(|usd| usd.nanos).map_err(|err| err.to_string())
        };
        assert_eq!(read("0.12"), Ok(120_000_000));
        assert_eq!(read("\"0.12\""), Ok(120_000_000));
        assert_eq!(read("9007199.254740992"), Ok(1 << 53));
        for dear in ["9007199.254740993", "1e400", "\"1e30\""] {
            assert_eq!(read(dear), Err("must be at most 9007199.254740992 (USD)".to_owned()), "{dear}");
        }
        for json in ["true", "null", "[]", "{}", "[1]"] {
            let err = read(json).expect_err(json);
            assert!(err.starts_with("must be a number"), "{json}: {err}");
        }
    }
}
