//! Account: tenants, their keys, and the installation's own signing keys.
#![expect(missing_docs, reason = "the fields are named by spec 2; the structs say what they are")]

mod agents;
mod answers;

use chrono::{DateTime, Utc};
use proof::{hash::Hash, words::ActorType};
use serde::{Deserialize, Serialize};

pub use self::{agents::AgentNames, answers::KeptAnswer};
use crate::ids::{KeyId, LoginLinkId, SessionId, TenantId};

proof::words! {
    /// What a key may do. `policy` and `auditor` include `viewer`; `admin` is all.
    Role { Agent = "agent", Viewer = "viewer", Operator = "operator", Policy = "policy", Auditor = "auditor",
        Admin = "admin" }

    /// Whose a key is.
    OwnerType { Person = "person", Service = "service" }

    /// Whether content is kept (redacted), or only fingerprints and lengths.
    CaptureMode { Full = "full", Metadata = "metadata" }

    /// Whether a step may come without a permit that serves.
    Permits { Optional = "optional", Required = "required" }

    /// What a step gets that would pass while the store is down: 503, or ALLOW with a recorded gap.
    FailureMode { FailClosed = "fail_closed", Degrade = "degrade" }
}

/// What changes of a tenant's zone left open, for each kind of window; none where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneChanges {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<ZoneChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<ZoneChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<ZoneChange>,
}

/// A window that was open when the zone changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneChange {
    /// The zone before, an IANA name.
    pub before: String,
    /// When the window began.
    pub start: DateTime<Utc>,
    /// It ends at the first window's end of the new zone that is not before this.
    pub not_before: DateTime<Utc>,
    /// When the window before it began, where that was left open by a change before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<DateTime<Utc>>,
}

/// A tenant and how it is governed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub capture_mode: CaptureMode,
    pub failure_mode: FailureMode,
    /// Whether steps without a permit that serves are refused.
    pub permits: Permits,
    /// An IANA name: resets and `context.time` follow it.
    pub time_zone: String,
    /// What a limit on cost answers when the cost is not known: BLOCK if true, else WARN.
    pub block_unknown_cost: bool,
    /// Goes up with every change of what governs the tenant: a rule, a limit, a setting, a freeze, the end of one or of
    /// a key.
    pub policy_generation: u64,
    /// Goes up with every change of the settings.
    pub settings_version: u64,
    /// What the last changes of the zone left open.
    pub zone_changes: ZoneChanges,
    /// The tenant's HMAC key, wrapped by a key that is never in the store.
    pub wrapped_key: Vec<u8>,
    /// The id of that HMAC key, as it stands in records.
    pub key_id: String,
    pub created_at: DateTime<Utc>,
}

/// An API key. The secret itself is never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub tenant: TenantId,
    pub id: KeyId,
    /// What is shown of the key.
    pub prefix: String,
    /// SHA-256 of the 256-bit secret.
    pub secret_hash: Hash,
    pub role: Role,
    /// A named person or service; "another person" compares owners.
    pub owner: String,
    pub owner_type: OwnerType,
    pub scopes: Vec<String>,
    /// The agents that it begins runs as; any where None.
    pub agents: Option<AgentNames>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl ApiKey {
    /// How the Audit Ledger names who acts with it.
    #[must_use]
    pub fn actor_type(&self) -> ActorType {
        match (self.role, self.owner_type) {
            (Role::Agent, _) => ActorType::Agent,
            (_, OwnerType::Person) => ActorType::Human,
            (_, OwnerType::Service) => ActorType::System,
        }
    }

    /// Whether it opens anything at `now`.
    #[must_use]
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

/// Somebody's login to the console: it may what its key may. The secret itself is never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub tenant: TenantId,
    pub id: SessionId,
    /// Revoked or expired, it ends the session.
    pub key_id: KeyId,
    /// SHA-256 of the 256-bit secret.
    pub secret_hash: Hash,
    pub expires_at: DateTime<Utc>,
    /// When its owner logged out.
    pub ended_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl Session {
    /// Whether it opens anything at `now`.
    #[must_use]
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// A link that opens one session of a key, once. The secret itself is never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginLink {
    pub tenant: TenantId,
    pub id: LoginLinkId,
    pub key_id: KeyId,
    /// SHA-256 of the 256-bit secret.
    pub secret_hash: Hash,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// This installation: its name in checkpoints, and the key that it signs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Installation {
    /// The first part of every checkpoint's origin.
    pub name: String,
    /// The active signing key. A server whose key is another refuses to serve.
    pub signing_key_id: String,
    pub created_at: DateTime<Utc>,
}

/// A signing key's public half, published for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningKey {
    pub id: String,
    /// PEM, SubjectPublicKeyInfo.
    pub public_key: String,
    pub created_at: DateTime<Utc>,
    /// None for the active key.
    pub retired_at: Option<DateTime<Utc>>,
}
