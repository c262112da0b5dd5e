//! Times that a person gives, as records write them.

use proof::forms::is_time;

/// A time that a person gave (`2026-11-21`, `2026-11-21T08:00:00Z`, with or without decimals) as records write it;
/// None if it is no UTC time.
#[must_use]
pub fn canonical_time(text: &str) -> Option<String> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let time = format!("{date}T{clock}.{fraction:0<6}Z");
    (!fraction.is_empty() && is_time(&time)).then_some(time)
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
    }
}
