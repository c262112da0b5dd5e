//! A tenant's settings: the change as it is read, the answer as it is given.

use models::account::Tenant;
use orchestrator::handlers::account::SettingsChange;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::view::{
    Time,
    words::{self, known},
};

/// What is to change. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsChange)]
pub(super) struct SettingsBody {
    /// For people.
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    /// `metadata` keeps no content of agents: fingerprints and lengths only. What is stored already stays.
    capture_mode: Option<words::CaptureMode>,
    /// What a step gets that would pass while the store is down: 503, or ALLOW with a recorded gap.
    failure_mode: Option<words::FailureMode>,
    /// `required`: a step without a permit that serves is refused (`permit_required`).
    permits: Option<words::Permits>,
    /// An IANA name: resets and `context.time` follow it. A budget that is open when it changes stays open, and full
    /// where it was, until a day (week, month) of the new zone begins that is not before the end of its own.
    #[schema(max_length = 256, example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// What a limit on cost answers when the cost is not known: BLOCK if true, else WARN.
    block_unknown_cost: Option<bool>,
}

impl SettingsBody {
    pub(super) fn change(self) -> SettingsChange {
        SettingsChange {
            name: self.name,
            capture_mode: known(self.capture_mode),
            failure_mode: known(self.failure_mode),
            permits: known(self.permits),
            time_zone: self.time_zone,
            block_unknown_cost: self.block_unknown_cost,
        }
    }
}

/// A tenant's settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(super) struct SettingsView {
    tenant_id: String,
    /// Its name in addresses. Never changes.
    slug: String,
    name: String,
    #[schema(value_type = words::CaptureMode)]
    capture_mode: &'static str,
    #[schema(value_type = words::FailureMode)]
    failure_mode: &'static str,
    #[schema(value_type = words::Permits)]
    permits: &'static str,
    time_zone: String,
    block_unknown_cost: bool,
    /// Goes up with every change of a setting; the `ETag`.
    settings_version: u64,
    /// Goes up with every change of a rule, a limit or a setting, with a freeze, and with the end of one or of a key.
    policy_generation: u64,
    created_at: Time,
}

impl From<Tenant> for SettingsView {
    fn from(tenant: Tenant) -> Self {
        Self {
            tenant_id: tenant.id.to_string(),
            slug: tenant.slug,
            name: tenant.name,
            capture_mode: tenant.capture_mode.as_str(),
            failure_mode: tenant.failure_mode.as_str(),
            permits: tenant.permits.as_str(),
            time_zone: tenant.time_zone,
            block_unknown_cost: tenant.block_unknown_cost,
            settings_version: tenant.settings_version,
            policy_generation: tenant.policy_generation,
            created_at: tenant.created_at.into(),
        }
    }
}
