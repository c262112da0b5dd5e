//! Changing how a tenant is captured and governed, beyond its rules and limits.

use chrono::Duration;
use engines::check::Check;
use models::{
    account::{CaptureMode, FailureMode, Permits, Tenant},
    logs::SystemEventType,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::create_tenant::name_and_zone;
use crate::{
    consequences::{
        author::Author,
        system_records::{Event, record},
    },
    context::CallContext,
    errors::Error,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    tenants::zone_changes,
};

/// How long after a change of zone a window may still be open that was open at it: a month that was just extended by
/// another change, and extended again by this one.
const LONGEST_OPEN: Duration = Duration::days(100);

/// What of a tenant's settings is to change; what is not set stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettingsChange {
    /// For people.
    pub name: Option<String>,
    /// Whether content is kept (redacted), or only fingerprints and lengths.
    pub capture_mode: Option<CaptureMode>,
    /// What a step gets that would pass while the store is down.
    pub failure_mode: Option<FailureMode>,
    /// Whether steps without a permit that serves are refused.
    pub permits: Option<Permits>,
    /// An IANA name.
    pub time_zone: Option<String>,
    /// What a limit on cost answers when the cost is not known.
    pub block_unknown_cost: Option<bool>,
}

impl SettingsChange {
    fn check(&self) -> Result<(), Error> {
        let mut check = Check::default();
        name_and_zone(&mut check, self.name.as_deref(), self.time_zone.as_deref());
        Ok(check.done()?)
    }

    fn applied(self, to: &Tenant) -> Tenant {
        Tenant {
            name: self.name.unwrap_or_else(|| to.name.clone()),
            capture_mode: self.capture_mode.unwrap_or(to.capture_mode),
            failure_mode: self.failure_mode.unwrap_or(to.failure_mode),
            permits: self.permits.unwrap_or(to.permits),
            time_zone: self.time_zone.unwrap_or_else(|| to.time_zone.clone()),
            block_unknown_cost: self.block_unknown_cost.unwrap_or(to.block_unknown_cost),
            ..to.clone()
        }
    }
}

/// `account.update_settings`: changes a tenant's settings, on the version that was read. In force at once here, and
/// within a second on every other replica; `context.time` of runs that have started stays in the zone that they are
/// bound to.
#[tracing::instrument(name = "account.update_settings", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn update_settings(
    spine: &Spine,
    ctx: &CallContext,
    version: u64,
    change: SettingsChange,
) -> Result<Tenant, Error> {
    change.check()?;
    let once = Once::of(spine, ctx, "account.update_settings", &(version, &change))?;
    let changed = retrying(spine, || attempt(spine, ctx, &once, version, change.clone())).await;
    let to_fail_closed = change.failure_mode == Some(FailureMode::FailClosed);
    if to_fail_closed && matches!(changed, Err(Error::Unavailable(_) | Error::CommitUnknown(_))) {
        spine.choke().asked_to_fail_closed(spine, ctx.tenant.id);
    }
    let changed = changed?;
    spine.credentials().forget_tenant(ctx.tenant.id);
    spine.choke().changed(spine, &changed);
    Ok(changed)
}

async fn attempt(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    version: u64,
    change: SettingsChange,
) -> Result<Tenant, Error> {
    let (id, now) = (ctx.tenant.id, spine.now());
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let before = tx.account().lock_tenant(id).await?;
    let before = before.ok_or_else(|| Error::not_found("tenant", id))?;
    if before.settings_version != version {
        return Err(Error::PreconditionFailed { current: before.settings_version });
    }
    let mut after = change.applied(&before);
    let details = difference(&before, &after);
    if details.is_empty() {
        return tx.commit(before).await;
    }
    after.policy_generation = tx.account().bump_policy_generation(id).await?;
    after.settings_version += 1;
    if after.time_zone != before.time_zone {
        after.zone_changes = zone_changes(&before, &after.time_zone, now);
        // A window that was open at the change may now end later than its row says.
        tx.policies().keep_windows(id, now, now + LONGEST_OPEN).await?;
    }
    tx.account().save_tenant(&after).await?;
    let names: Vec<&str> = details.keys().map(String::as_str).collect();
    let event = Event {
        component: "account",
        what: SystemEventType::ConfigChange,
        summary: format!("settings of tenant `{}` changed: {}", after.slug, names.join(", ")),
        details: Value::Object(details),
    };
    let record = record(spine, id, event, &Author::from(ctx), now);
    tx.logs().insert_system_records(&[record]).await?;
    tx.commit(after).await
}

/// Each setting that changed, as it was and as it is.
fn difference(before: &Tenant, after: &Tenant) -> Map<String, Value> {
    let told = |tenant: &Tenant| {
        [
            ("name", json!(tenant.name)),
            ("capture_mode", json!(tenant.capture_mode)),
            ("failure_mode", json!(tenant.failure_mode)),
            ("permits", json!(tenant.permits)),
            ("time_zone", json!(tenant.time_zone)),
            ("block_unknown_cost", json!(tenant.block_unknown_cost)),
        ]
    };
    let pairs = told(before).into_iter().zip(told(after));
    let changed = pairs.filter(|((_, before), (_, after))| before != after);
    changed
        .map(|((name, before), (_, after))| (name.to_owned(), json!({ "before": before, "after": after })))
        .collect()
}
