//! A tenant as its row says it: its settings, with its key opened, and its calendar, which also goes back into the row.

use chrono::{DateTime, Utc};
use models::account::{self, Tenant, ZoneChanges};
use rules::{
    calendar::{Calendar, Period, ZoneChange},
    zone::Zone,
};

use crate::{context::TenantSettings, errors::Error, spine::Spine};

/// What the choke point must know of a tenant, with its key opened.
pub(crate) fn settings_of(spine: &Spine, tenant: &Tenant) -> Result<TenantSettings, Error> {
    let key = spine.wrapping_key().unwrap(tenant.id, &tenant.key_id, &tenant.wrapped_key);
    Ok(TenantSettings {
        id: tenant.id,
        generation: tenant.policy_generation,
        slug: tenant.slug.clone(),
        time_zone: tenant.time_zone.clone(),
        calendar: calendar_of(tenant),
        capture_mode: tenant.capture_mode,
        failure_mode: tenant.failure_mode,
        permits: tenant.permits,
        block_unknown_cost: tenant.block_unknown_cost,
        key: key.map_err(|err| Error::Internal(err.to_string()))?,
        key_id: tenant.key_id.clone(),
    })
}

/// The calendar by which a tenant's budgets reset.
fn calendar_of(tenant: &Tenant) -> Calendar {
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
pub(crate) fn zone_changes(tenant: &Tenant, to: &str, now: DateTime<Utc>) -> ZoneChanges {
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
