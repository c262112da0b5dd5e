//! Times as records write them: RFC 3339, UTC, six decimals. Text of this form orders as time does.

/// Whether a text is a time as records write it.
pub(crate) fn is_time(text: &str) -> bool {
    canonical_time(text).is_some_and(|time| time == text)
}

/// A time that a person gave (`2026-11-21`, `2026-11-21T08:00:00Z`, with or without decimals) as records write it;
/// None if it is no UTC time.
#[must_use]
pub fn canonical_time(text: &str) -> Option<String> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let digits =
        !fraction.is_empty() && fraction.len() <= 6 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let real = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    if !digits || !real || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(format!("{date}T{clock}.{fraction:0<6}Z"))
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u32; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part =
            parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

const fn days(year: u32, month: u32) -> u32 {
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
    fn a_time_has_one_text() {
        let time = "2026-02-28T23:59:59.000001Z";
        assert_eq!(canonical_time(time).as_deref(), Some(time));
        assert_eq!(canonical_time("2026-11-21").as_deref(), Some("2026-11-21T00:00:00.000000Z"));
        assert_eq!(canonical_time("2024-02-29T08:00:00Z").as_deref(), Some("2024-02-29T08:00:00.000000Z"));
        assert_eq!(canonical_time("2026-11-21T08:00:00.25Z").as_deref(), Some("2026-11-21T08:00:00.250000Z"));
        for wrong in [
            "",
            "yesterday",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "2026-11-21T24:00:00Z",
            "2026-11-21T08:00Z",
            "2026-11-21T08:00:00",
            "2026-11-21T08:00:00+01:00",
            "2026-11-21T08:00:00.0000001Z",
            "2026-11-21T08:00:00.Z",
            "2026-11-21-01",
            "+026-11-21",
        ] {
            assert_eq!(canonical_time(wrong), None, "{wrong}");
        }
        assert!(is_time(time) && !is_time("2026-11-21T08:00:00Z"));
    }
}
