//! The forms that texts in records have, known by the names of their members: so the verifier and the tables of
//! `docs/bundle.md` ask the same question.

use crate::hash::Hash;

/// What a member's text must look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    #[default]
    Any,
    /// A time, as [`is_time`] knows it.
    Time,
    /// A hash, as [`Hash`] is written.
    Hash,
}

impl Form {
    /// The form of the text that a member of this name has, where it has one.
    #[must_use]
    pub fn of(member: &str) -> Self {
        if member.ends_with("_at") || matches!(member, "at" | "time") {
            Self::Time
        } else if member.ends_with("_hash")
            || member.ends_with("_digest")
            || matches!(
                member,
                "hash" | "salt" | "root" | "records_root" | "chain_head" | "sealed_leaf" | "commitment"
            )
        {
            Self::Hash
        } else {
            Self::Any
        }
    }

    /// Whether a text has it.
    #[must_use]
    pub fn admits(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Time => is_time(text),
            Self::Hash => text.parse::<Hash>().is_ok(),
        }
    }
}

/// Whether a text is a time as records write it: `2026-01-31T23:59:59.000000Z`, RFC 3339 in UTC with six decimals, and
/// a day that there is. Text of this form orders as time does.
#[must_use]
pub fn is_time(text: &str) -> bool {
    const PATTERN: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
    let Ok(bytes) = <&[u8; 27]>::try_from(text.as_bytes()) else { return false };
    let fits = bytes.iter().zip(PATTERN).all(|(byte, pattern)| match pattern {
        b'0' => byte.is_ascii_digit(),
        mark => byte == mark,
    });
    let number =
        |at: usize, count: usize| bytes[at..at + count].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    fits && (1..=12).contains(&number(5, 2))
        && (1..=days(number(0, 4), number(5, 2))).contains(&number(8, 2))
        && number(11, 2) < 24
        && number(14, 2) < 60
        && number(17, 2) < 60
}

/// How many days a month has.
#[must_use]
pub const fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form() {
        for time in
            ["2026-02-28T23:59:59.000001Z", "2024-02-29T00:00:00.000000Z", "0000-01-01T00:00:00.999999Z"]
        {
            assert!(is_time(time), "{time}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-02-29T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-00T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:60:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.00000Z",
            "2026-01-01T00:00:00.0000000Z",
            "2026-01-01T00:00:00.000000z",
            "2026-01-01 00:00:00.000000Z",
            "2026-01-01T23:00:00.000+01:00Z",
            "+026-01-01T00:00:00.000000Z",
        ] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }
}
