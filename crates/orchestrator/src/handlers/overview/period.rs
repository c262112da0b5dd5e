//! Over which time costs are added up.

use chrono::{DateTime, Duration, Utc};
use models::overview::Period;

use crate::errors::Error;

/// The longest period that is added up.
const LONGEST: Duration = Duration::days(366);

/// What was asked for, else the default; one end alone keeps the other end of the default.
pub(super) fn period(
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    default: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Period, Error> {
    let period = Period { from: from.unwrap_or(default.0), until: until.unwrap_or(default.1) };
    if period.from >= period.until {
        return Err(Error::invalid("/from", "must be before `to`"));
    }
    if period.until - period.from > LONGEST {
        return Err(Error::invalid("/from", "must be at most 366 days before `to`"));
    }
    Ok(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        models::time::parse(text).expect("a time")
    }

    #[test]
    fn a_period_begins_before_it_ends_and_is_at_most_a_year() {
        let default = (at("2026-03-01T00:00:00.000000Z"), at("2026-04-01T00:00:00.000000Z"));
        assert_eq!(period(None, None, default).expect("the default").until, default.1);
        for from in ["2026-04-01T00:00:00.000000Z", "2025-03-01T00:00:00.000000Z"] {
            assert!(period(Some(at(from)), None, default).is_err(), "{from}");
        }
    }
}
