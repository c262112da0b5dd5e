//! Lengths of time as people write them: `500ms`, `60s`, `10m`, `1h`.

use std::time::Duration;

use anyhow::bail;

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Longer than that, a time that is so far away is none that a store keeps.
const LONGEST: Duration = Duration::from_hours(24 * 3_650);

/// Reads one.
fn parse(text: &str) -> anyhow::Result<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    match (number.parse::<u64>(), unit) {
        (Ok(number), Some((_, ms))) if number.checked_mul(*ms).is_some() => {
            Ok(Duration::from_millis(number * ms))
        }
        _ => bail!("`{text}` is no length of time, such as 500ms, 60s, 10m, 1h or 7d"),
    }
}

/// Reads one that may be nothing.
pub(crate) fn any(text: &str) -> anyhow::Result<Duration> {
    match parse(text)? {
        length if length > LONGEST => bail!("must be at most {}", self::text(LONGEST)),
        length => Ok(length),
    }
}

/// Reads one that is not nothing.
pub(crate) fn some(text: &str) -> anyhow::Result<Duration> {
    match any(text)? {
        Duration::ZERO => bail!("must be longer than nothing"),
        length => Ok(length),
    }
}

/// Writes one, in the largest unit that is exact.
pub(crate) fn text(duration: Duration) -> String {
    let ms = duration.as_millis();
    let exact = |(_, unit): &&(&str, u64)| ms > 0 && ms.is_multiple_of(u128::from(*unit));
    UNITS
        .iter()
        .find(exact)
        .map_or_else(|| "0s".to_owned(), |(name, unit)| format!("{}{name}", ms / u128::from(*unit)))
}

#[cfg(test)]
mod tests {
    use super::{any, parse, some, text};

    #[test]
    fn what_is_written_is_what_was_read() {
        for written in ["500ms", "60001ms", "59s", "10m", "1h", "7d", "0s"] {
            assert_eq!(text(parse(written).expect(written)), written);
        }
        assert_eq!(text(parse("60s").expect("a minute")), "1m");
        for odd in
            ["", "5", "s", "-1s", "1.5s", "1 s", "1S", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(parse(odd).is_err(), "{odd}");
        }
        assert!(some("3650d").is_ok());
        for reads in [some, any] {
            let said = reads("3000000d").expect_err("too long").to_string();
            assert_eq!(said, "must be at most 3650d");
        }
        assert!(any("0s").is_ok() && some("0s").is_err());
    }
}
