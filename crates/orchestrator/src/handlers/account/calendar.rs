//! A tenant's calendar, out of what its row says, and back into it.

use chrono::{DateTime, Utc};
use models::account::{self, Tenant, ZoneChanges};
use rules::{
    calendar::{Calendar, Period, ZoneChange},
    zone::Zone,
};

/// The calendar by which a tenant's budgets reset.
pub(super) fn calendar_of(tenant: &Tenant) -> Calendar {
    let ZoneChanges { day, week, month } = &tenant.zone_changes;
    let changes = [(Period::Day, day), (Period::Week, week), (Period::Month, month)];
    let left_open = |change: &account::ZoneChange| ZoneChange {
        before: zone(&change.before),
        start: change.start,
        not_before: change.not_before,
        began: change.began,
    };
    changes.into_iter().fold(Calendar::from(zone(&tenant.time_zone)), |calendar, (period, change)| {
        calendar.with(period, change.as_ref().map(left_open))
    })
}

/// What is open when a tenant's zone changes.
pub(super) fn zone_changes(tenant: &Tenant, to: &str, now: DateTime<Utc>) -> ZoneChanges {
    let calendar = calendar_of(tenant).moved(zone(to), now);
    let change =
        |period| {
            calendar.change(period).map(|ZoneChange { before, start, not_before, began }| {
                account::ZoneChange { before: before.name().to_owned(), start, not_before, began }
            })
        };
    ZoneChanges { day: change(Period::Day), week: change(Period::Week), month: change(Period::Month) }
}

/// A name was checked before it was stored; by a newer time zone database it may be none.
fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap_or(Zone::UTC)
}
