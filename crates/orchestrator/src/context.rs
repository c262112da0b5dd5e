//! Who calls, and for whom.

use chrono::{DateTime, Utc};
use models::{
    account::{AgentNames, ApiKey, CaptureMode, FailureMode, Permits, Role},
    ids::{KeyId, TenantId},
};
use proof::{hmac::TenantKey, words::ActorType};
use rules::calendar::Calendar;
use std::sync::Arc;

/// The caller of an operation, as its credential says.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The tenant of the credential. Never from the request.
    pub tenant: Arc<TenantSettings>,
    /// The credential.
    pub key: KeyId,
    /// The agents that it begins runs as.
    pub agents: Agents,
    /// What the caller may do.
    pub role: Role,
    /// AGENT for role agent, HUMAN for a person's key, else SYSTEM.
    pub actor_type: ActorType,
    /// The owner of the credential: a named person or service.
    pub actor_id: String,
    /// When it called, by this server's clock.
    pub came_at: DateTime<Utc>,
    /// Ties what this call causes together, across records: the caller's trace id, or made here.
    pub correlation_id: String,
    /// What the request names as its program, as it came.
    pub user_agent: Option<String>,
    /// A repeat of this call with this key is answered as it was. Of a start, a permit or a step, the request says it.
    pub idempotency_key: Option<String>,
}

/// The agents that a caller begins runs as: any, or those of its key.
#[derive(Clone, Debug, Default)]
pub struct Agents(Option<Arc<ApiKey>>);

impl Agents {
    pub(crate) fn of(key: &Arc<ApiKey>) -> Self {
        Self(key.agents.as_ref().map(|_| Arc::clone(key)))
    }

    /// The names that the caller is bound to, where the agent is not among them.
    pub(crate) fn without(&self, agent_id: &str) -> Option<&AgentNames> {
        self.0.as_ref()?.agents.as_ref().filter(|names| !names.cover(agent_id))
    }
}

impl CallContext {
    /// An agent sees the runs made with its own key only.
    #[must_use]
    pub fn sees_only_own_runs(&self) -> bool {
        self.role == Role::Agent
    }

    /// Whether what happened to the installation is shown: it holds nothing of a tenant, and tells how the server is
    /// run.
    #[must_use]
    pub fn sees_installation(&self) -> bool {
        matches!(self.role, Role::Operator | Role::Auditor | Role::Admin)
    }
}

/// What the choke point must know of a tenant, read with the credential.
#[derive(Clone)]
pub struct TenantSettings {
    /// The tenant.
    pub id: TenantId,
    /// Rises with each change of what governs the tenant: of two, the higher one is newer.
    pub generation: u64,
    /// Its name in addresses and checkpoint origins.
    pub slug: String,
    /// IANA name of its zone.
    pub time_zone: String,
    /// By which its budgets reset.
    pub calendar: Calendar,
    /// Whether content is kept (redacted), or only fingerprints and lengths.
    pub capture_mode: CaptureMode,
    /// What a step gets that would pass while the store is down.
    pub failure_mode: FailureMode,
    /// Whether steps without a permit that serves are refused.
    pub permits: Permits,
    /// What a limit on cost answers when the cost is not known.
    pub block_unknown_cost: bool,
    /// The key of its commitments and fingerprints.
    pub key: TenantKey,
    /// The id of that key, as records name it.
    pub key_id: String,
}

impl std::fmt::Debug for TenantSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantSettings")
            .field("id", &self.id)
            .field("slug", &self.slug)
            .finish_non_exhaustive()
    }
}
