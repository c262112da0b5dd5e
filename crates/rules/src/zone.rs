//! The tenant's time zone: the hour and day that rules see, and where days, weeks and months begin.

use chrono::{
    DateTime, Datelike as _, Days, Months, NaiveDate, TimeDelta, TimeZone as _, Timelike as _, Utc,
};

use crate::facts::TimeFacts;

/// An IANA time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

/// A name that the IANA database does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no IANA time zone")]
pub struct UnknownZone(pub String);

impl Zone {
    /// Where no other is set.
    pub const UTC: Self = Self(chrono_tz::UTC);

    /// Reads an IANA name, `Europe/Berlin`.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        name.parse().map(Self).map_err(|_| UnknownZone(name.to_owned()))
    }

    /// The time that rules see at that instant.
    #[must_use]
    pub fn time_facts(self, now: DateTime<Utc>) -> TimeFacts {
        let local = now.with_timezone(&self.0);
        TimeFacts {
            hour: u64::from(local.hour()).into(),
            weekday: u64::from(local.weekday().number_from_monday()).into(),
        }
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The day that holds the instant: its first instant, and the next day's.
    pub(crate) fn day(self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let day = self.date(now);
        (self.begins(day), self.begins(day + Days::new(1)))
    }

    /// The week, from Monday.
    pub(crate) fn week(self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let day = self.date(now);
        let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        (self.begins(monday), self.begins(monday + Days::new(7)))
    }

    /// The month that holds the instant: its first instant, and the next month's.
    #[must_use]
    pub fn month(self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let day = self.date(now);
        let first = day - Days::new(u64::from(day.day0()));
        (self.begins(first), self.begins(first + Months::new(1)))
    }

    fn date(self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.0).date_naive()
    }

    /// The first instant of a day. Where clocks skip midnight, that is when the day's first hour begins.
    fn begins(self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(chrono::NaiveTime::MIN);
        // No zone skips more than a day; in quarters of an hour, as zones move.
        (0..=96)
            .filter_map(|quarter| midnight.checked_add_signed(TimeDelta::minutes(15 * quarter)))
            .find_map(|local| self.0.from_local_datetime(&local).earliest())
            .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
    }
}
