//! The calendar by which a tenant's budgets reset: days, weeks and months of its zone, and what becomes of open windows
//! when the zone changes.
//!
//! A window that is open at a change stays open, with all that was used in it. It ends with the first window boundary
//! of the new zone that is not before its own end. So no budget opens earlier than it would have, or twice. After that,
//! the windows are those of the new zone.

use chrono::{DateTime, TimeDelta, Utc};

use crate::zone::Zone;

/// How long after it is made a change counts. Until then a replica that has not heard of it counts in the same windows
/// as one that has, so it takes no lock to be exact: a replica knows of a change within a second.
const NOTICE: TimeDelta = TimeDelta::seconds(60);

/// What budgets reset by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The longest that one takes, in any zone.
    pub(crate) const fn longest(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::days(2),
            Self::Week => TimeDelta::days(8),
            Self::Month => TimeDelta::days(32),
        }
    }
}

/// A window that was open when the zone changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneChange {
    /// The zone before.
    pub before: Zone,
    /// When the window began.
    pub start: DateTime<Utc>,
    /// It ends where the new zone begins a window, and not before this.
    pub not_before: DateTime<Utc>,
    /// When the window before it began, where that was left open by a change before.
    pub began: Option<DateTime<Utc>>,
}

/// A zone, and what changes to it left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: Zone,
    changes: [Option<ZoneChange>; 3],
}

impl From<Zone> for Calendar {
    fn from(zone: Zone) -> Self {
        Self { zone, changes: [None; 3] }
    }
}

impl Calendar {
    /// The same, with a window that was open at a change.
    #[must_use]
    pub fn with(mut self, period: Period, change: Option<ZoneChange>) -> Self {
        self.changes[period as usize] = change;
        self
    }

    /// What the last change left open; it may be over by now.
    #[must_use]
    pub fn change(&self, period: Period) -> Option<ZoneChange> {
        self.changes[period as usize]
    }

    /// The window that holds the instant: its first instant, and the next window's.
    #[must_use]
    pub fn window(&self, period: Period, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let Some(change) = self.change(period) else { return self.zone.window(period, now) };
        let end = self.ends(period, &change);
        match change.began {
            _ if now >= end => self.zone.window(period, now),
            _ if now >= change.start => (change.start, end),
            Some(began) if now >= began => (began, change.start),
            _ => change.before.window(period, now),
        }
    }

    /// The calendar after a change to another zone.
    #[must_use]
    pub fn moved(&self, to: Zone, now: DateTime<Utc>) -> Self {
        let at = now + NOTICE;
        let left_open = |period: Period| {
            let open = self.change(period).filter(|change| now < self.ends(period, change));
            if let Some(open) = open
                && at < self.ends(period, &open)
            {
                // The change before has not come through yet: the same window, open at least until this one counts.
                return ZoneChange { not_before: open.not_before.max(at), ..open };
            }
            let (start, end) = self.zone.window(period, at);
            ZoneChange { before: self.zone, start, not_before: end, began: open.map(|open| open.start) }
        };
        Self { zone: to, changes: Period::ALL.map(|period| Some(left_open(period))) }
    }

    fn ends(&self, period: Period, change: &ZoneChange) -> DateTime<Utc> {
        let (start, end) = self.zone.window(period, change.not_before);
        if start == change.not_before { start } else { end }
    }
}

impl Zone {
    fn window(self, period: Period, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        match period {
            Period::Day => self.day(now),
            Period::Week => self.week(now),
            Period::Month => self.month(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZONES: [&str; 6] = [
        "UTC",
        "Asia/Tokyo",
        "Pacific/Midway",
        "Pacific/Kiritimati",
        "America/Havana",
        "Australia/Lord_Howe",
    ];

    fn zone(name: &str) -> Zone {
        Zone::parse(name).expect("is a zone")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("is a time")
    }

    #[test]
    fn an_open_day_stays_open_until_a_new_one_begins_at_or_after_its_end() {
        for (to, end) in [
            // Midnight in Tokyo is 15:00 UTC; the first that is not before the end of the UTC day is tomorrow's.
            ("Asia/Tokyo", "2026-11-28T15:00:00Z"),
            ("America/Havana", "2026-11-28T05:00:00Z"),
            ("Africa/Abidjan", "2026-11-28T00:00:00Z"),
        ] {
            let calendar = Calendar::from(Zone::UTC).moved(zone(to), at("2026-11-27T10:00:00Z"));
            let open = (at("2026-11-27T00:00:00Z"), at(end));
            for now in [open.0, at("2026-11-27T15:30:00Z"), open.1 - TimeDelta::microseconds(1)] {
                assert_eq!(calendar.window(Period::Day, now), open, "{to} {now}");
            }
            assert_eq!(calendar.window(Period::Day, open.1), zone(to).day(open.1), "{to}");
            let before = at("2026-11-26T23:59:59Z");
            assert_eq!(
                calendar.window(Period::Day, before),
                Zone::UTC.day(before),
                "what was decided before is of its day"
            );
        }
    }

    #[test]
    fn a_change_that_is_taken_back_in_its_window_was_none() {
        let utc = Calendar::from(Zone::UTC);
        let now = at("2026-11-27T10:00:00Z");
        let back = utc.moved(zone("Asia/Tokyo"), now).moved(Zone::UTC, now + TimeDelta::hours(2));
        for hours in 0..72 {
            let now = now + TimeDelta::hours(hours);
            for period in Period::ALL {
                assert_eq!(back.window(period, now), utc.window(period, now), "{now}");
            }
        }
    }

    proptest! {
        #[test]
        fn however_the_zone_changes_no_window_opens_twice_or_early(
            changes in prop::collection::vec((0..ZONES.len(), 1..200_i64), 1..12),
            start in 1_780_000_000..1_800_000_000_i64,
            period in prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month)],
        ) {
            // A quarter of an hour a step; a change after so many.
            let mut now = DateTime::from_timestamp(start, 0).expect("is a time");
            let mut calendar = Calendar::from(Zone::UTC);
            let mut last: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
            let mut opened = Vec::new();
            for (to, steps) in changes {
                for _ in 0..steps {
                    now += TimeDelta::minutes(15);
                    let window = calendar.window(period, now);
                    prop_assert!(window.0 <= now && now < window.1);
                    if last.is_none_or(|last| last.0 != window.0) {
                        prop_assert!(!opened.contains(&window.0), "{} is opened again", window.0);
                        // It begins where the one before ended, and that was at least as long as any of its kind.
                        prop_assert!(last.is_none_or(|last| last.1 <= window.0), "{last:?} {window:?}");
                        opened.push(window.0);
                    }
                    last = Some(window);
                }
                let stale = calendar;
                calendar = calendar.moved(zone(ZONES[to]), now);
                // Whoever has not heard of it yet counts in the same windows.
                for seconds in [0, 1, 59] {
                    let soon = now + TimeDelta::seconds(seconds);
                    prop_assert_eq!(calendar.window(period, soon).0, stale.window(period, soon).0);
                }
                // A change may move the end of what is open: back to where it was, if the first zone comes back.
                last = last.map(|_| calendar.window(period, now));
            }
        }
    }
}
