//! The window in which a limit counts: fixed, so that every replica agrees on it.

use chrono::{DateTime, SecondsFormat, Utc};
use proof::{
    definitions::LimitDefinition,
    words::{LimitType, ResetPeriod},
};

use crate::{
    Count,
    calendar::{Calendar, Period},
};

/// From `start` until just before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first instant; the epoch where the limit never resets.
    pub start: DateTime<Utc>,
    /// The next window's first instant; none where the limit never resets.
    pub end: Option<DateTime<Utc>>,
    /// By when it is over, even if the zone changes while it is open; none where the limit never resets.
    pub over_by: Option<DateTime<Utc>>,
}

impl Window {
    /// Milliseconds until the window ends, rounded up; 0 where it does not.
    #[must_use]
    pub fn ends_in_ms(&self, now: DateTime<Utc>) -> Count {
        let micros = self.end.and_then(|end| (end - now).num_microseconds()).unwrap_or(0);
        Count::from(u64::try_from(micros).unwrap_or(0).div_ceil(1_000))
    }

    /// As it stands in records; empty where the limit never resets.
    #[must_use]
    pub fn start_text(&self) -> String {
        if self.end.is_none() {
            return String::new();
        }
        self.start.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

/// The window of a limit at that instant of the server's time: aligned to the epoch for rates and measurements,
/// to the tenant's calendar for budgets that reset.
#[must_use]
pub fn window(limit: &LimitDefinition, now: DateTime<Utc>, calendar: impl Into<Calendar>) -> Window {
    let seconds = match limit.limit_type {
        LimitType::RequestsPerSecond => Some(limit.window_seconds.unwrap_or(1)),
        LimitType::RequestsPerMinute | LimitType::TokensPerMinute => Some(limit.window_seconds.unwrap_or(60)),
        LimitType::RequestsPerHour => Some(limit.window_seconds.unwrap_or(3_600)),
        LimitType::ErrorRatePct => limit.measurement_window_seconds,
        _ => None,
    };
    if let Some(aligned) = seconds.and_then(|seconds| aligned(now, seconds)) {
        return aligned;
    }
    let period = match limit.reset_period {
        Some(ResetPeriod::Daily) => Period::Day,
        Some(ResetPeriod::Weekly) => Period::Week,
        Some(ResetPeriod::Monthly) => Period::Month,
        Some(ResetPeriod::None) | None => {
            return Window { start: DateTime::UNIX_EPOCH, end: None, over_by: None };
        }
    };
    let (start, end) = calendar.into().window(period, now);
    Window { start, end: Some(end), over_by: Some(end + period.longest()) }
}

fn aligned(now: DateTime<Utc>, seconds: u64) -> Option<Window> {
    let length = i64::try_from(seconds).ok().filter(|length| *length > 0)?;
    let start = now.timestamp().div_euclid(length).checked_mul(length)?;
    let end = DateTime::from_timestamp(start.checked_add(length)?, 0)?;
    Some(Window { start: DateTime::from_timestamp(start, 0)?, end: Some(end), over_by: Some(end) })
}
