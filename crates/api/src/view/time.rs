//! Times, as they are written and read.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The years that both stores keep and that have one written form.
pub(crate) const YEARS: RangeInclusive<i32> = 1..=9_999;

/// A moment: RFC 3339, UTC, six decimals. Read with any offset, and cut to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

impl From<Time> for DateTime<Utc> {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&models::time::text(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        let at = DateTime::parse_from_rfc3339(&text).map(|at| models::time::truncate(at.with_timezone(&Utc)));
        at.ok().filter(|at| YEARS.contains(&at.year())).map(Self).ok_or_else(|| {
            // In an address a plus stands for a blank: the hint is for what is a time with a plus there.
            let with_plus = text.rsplit_once(' ').map(|(time, offset)| format!("{time}+{offset}"));
            let was_plus = with_plus.is_some_and(|time| DateTime::parse_from_rfc3339(&time).is_ok());
            let hint = if was_plus { "; write + as %2B in an address" } else { "" };
            D::Error::custom(format!("`{text}` is no RFC 3339 time, such as 2026-01-31T23:59:59Z{hint}"))
        })
    }
}

impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn any_offset_in_utc_out() {
        let read = |text: &str| serde_json::from_value::<Time>(text.into());
        let time = read("2026-01-01T02:00:00.1234567+02:00").expect("a time");
        assert_eq!(serde_json::to_string(&time).expect("text"), "\"2026-01-01T00:00:00.123456Z\"");
        assert!(read("0000-01-01T00:00:00Z").is_err() && read("9999-12-31T23:59:59-01:00").is_err());
        let err = read("yesterday").expect_err("no time");
        assert_eq!(err.to_string(), "`yesterday` is no RFC 3339 time, such as 2026-01-31T23:59:59Z");
        let blank = read("2026-01-01T02:00:00 02:00").expect_err("a plus that an address took for a blank");
        assert!(blank.to_string().ends_with("; write + as %2B in an address"), "{blank}");
        let words = read("31 January 2026 12:00").expect_err("no time");
        assert!(words.to_string().ends_with("such as 2026-01-31T23:59:59Z"), "{words}");
    }
}
