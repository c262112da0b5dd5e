//! Time as it is written: UTC, microseconds, one text for one moment.
//!
//! The stores keep microseconds (SQLite whatever it is given), so a time is truncated when it is made, and
//! then equals what is read back and what was hashed.

use chrono::{DateTime, Datelike as _, NaiveDate, SubsecRound as _, Timelike as _, Utc};

/// A text that is not a time in the one form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of the form 2026-01-31T23:59:59.000000Z")]
pub struct TimeError(pub String);

/// As it stands in records and answers: RFC 3339, six decimals, `Z`.
#[must_use]
pub fn text(at: DateTime<Utc>) -> String {
    let mut text = String::with_capacity(27);
    put(&mut text, at.year().unsigned_abs(), 1000);
    for (before, number) in [('-', at.month()), ('-', at.day()), ('T', at.hour()), (':', at.minute())] {
        text.push(before);
        put(&mut text, number, 10);
    }
    text.push(':');
    put(&mut text, at.second(), 10);
    text.push('.');
    put(&mut text, at.nanosecond() % 1_000_000_000 / 1_000, 100_000);
    text.push('Z');
    text
}

/// Writes `number` in decimal, with zeros before it as far as `place`, the place of its first digit.
fn put(text: &mut String, number: u32, mut place: u32) {
    while place > 0 {
        text.push(char::from_digit(number / place % 10, 10).unwrap_or('?'));
        place /= 10;
    }
}

/// Reads the form that [`text`] writes, and no other.
pub fn parse(text: &str) -> Result<DateTime<Utc>, TimeError> {
    read(text).filter(|at| self::text(*at) == text).ok_or_else(|| TimeError(text.to_owned()))
}

/// Reads the digits where they stand; what stands between them is the caller's to compare.
fn read(text: &str) -> Option<DateTime<Utc>> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    let at = date.and_hms_micro_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 26)?)?;
    Some(at.and_utc())
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
