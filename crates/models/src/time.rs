//! Time as it is written: UTC, microseconds, one text for one moment.
//!
//! The stores keep microseconds (SQLite whatever it is given), so a time is truncated when it is made, and
//! then equals what is read back and what was hashed.

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, Utc};

/// A text that is not a time in the one form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of the form 2026-01-31T23:59:59.000000Z")]
pub struct TimeError(pub String);

const FORM: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// As it stands in records and answers: RFC 3339, six decimals, `Z`.
#[must_use]
pub fn text(at: DateTime<Utc>) -> String {
    at.format(FORM).to_string()
}

/// Reads the form that [`text`] writes, and no other.
pub fn parse(text: &str) -> Result<DateTime<Utc>, TimeError> {
    NaiveDateTime::parse_from_str(text, FORM)
        .ok()
        .map(|at| at.and_utc())
        .filter(|at| self::text(*at) == text)
        .ok_or_else(|| TimeError(text.to_owned()))
}

/// Without what is finer than a microsecond.
#[must_use]
pub fn truncate(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_one_moment() {
        for form in
            ["2026-11-21T08:09:10.000001Z", "1999-12-31T23:59:59.999999Z", "2026-01-01T00:00:00.000000Z"]
        {
            assert_eq!(text(parse(form).expect("a time")), form);
        }
        for other in [
            "2026-11-21T08:09:10Z",
            "2026-11-21T08:09:10.1Z",
            "2026-11-21T08:09:10.0000001Z",
            "2026-11-21T08:09:10.000001+00:00",
            "2026-11-21 08:09:10.000001Z",
            "2026-13-21T08:09:10.000001Z",
            "",
        ] {
            assert!(parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn finer_than_a_microsecond_is_cut() {
        let at = "2026-01-01T00:00:00.123456789Z".parse::<DateTime<Utc>>().expect("a time");
        assert_eq!(text(truncate(at)), "2026-01-01T00:00:00.123456Z");
        assert_eq!(parse(&text(at)), Ok(truncate(at)));
    }
}
