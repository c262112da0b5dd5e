//! What people do to runs: kills and freezes, and what is known of their effect.

use chrono::{DateTime, Utc};
use proof::{
    records::Intervened,
    words::{ActorType, InterventionKind, InterventionTarget},
};

use crate::ids::{InterventionId, RunId, TenantId};

proof::words! {
    /// What is known of an intervention's effect: never more. ACKED: the agent's next call or its open stream confirmed
    /// it. ENDED: there was nothing left to stop.
    InterventionOutcome { Acked = "ACKED", Unacked = "UNACKED", Ended = "ENDED" }

    /// Whether what a person did still holds. A kill is for good.
    InterventionState { InForce = "IN_FORCE", Lifted = "LIFTED" }

    /// How an agent came to know.
    AckVia { Call = "CALL", Stream = "STREAM" }
}

/// One act of a person, as it was asked for. Never changed; what comes of it is in [`Ack`]s.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Intervention {
    pub tenant: TenantId,
    pub id: InterventionId,
    pub kind: InterventionKind,
    pub target_type: InterventionTarget,
    /// The run or the agent; none for the whole tenant.
    pub target_id: Option<String>,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    pub reason: Option<String>,
    pub requested_at: DateTime<Utc>,
    /// As it was known when it was stored: UNACKED or ENDED.
    pub outcome: InterventionOutcome,
    /// None where there was nothing to do.
    pub effective_at: Option<DateTime<Utc>>,
    /// Of an UNFREEZE: the freeze that it ended. None of one that an older build recorded.
    pub lifts: Option<InterventionId>,
}

/// Which kills and freezes. An UNFREEZE is none: it is told with the freeze that it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterventionFilter {
    /// Whether they still hold.
    pub state: Option<InterventionState>,
    /// What they are aimed at: a kill at a run, a freeze at an agent or the tenant.
    pub target_type: Option<InterventionTarget>,
    /// The run or the agent.
    pub target_id: Option<String>,
}

/// A freeze that is in force. No target has two.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Freeze {
    pub tenant: TenantId,
    /// The agent; empty for the whole tenant.
    pub target_id: String,
    pub intervention_id: InterventionId,
    pub actor_type: ActorType,
    pub actor_id: Option<String>,
    pub reason: Option<String>,
    pub requested_at: DateTime<Utc>,
}

impl Freeze {
    /// What it is aimed at.
    #[must_use]
    pub fn target(&self) -> (InterventionTarget, Option<String>) {
        if self.target_id.is_empty() {
            (InterventionTarget::Tenant, None)
        } else {
            (InterventionTarget::Agent, Some(self.target_id.clone()))
        }
    }

    /// Whether it holds for runs of this agent.
    #[must_use]
    pub fn holds(&self, agent_id: &str) -> bool {
        self.target_id.is_empty() || self.target_id == agent_id
    }

    /// What a decision says that met it.
    #[must_use]
    pub fn intervened(&self) -> Intervened {
        Intervened {
            actor_id: self.actor_id.clone(),
            actor_type: self.actor_type,
            intervention_id: self.intervention_id.to_string(),
            kind: InterventionKind::Freeze,
            reason: self.reason.clone(),
        }
    }
}

/// That the agent of a run knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    pub tenant: TenantId,
    pub intervention_id: InterventionId,
    pub run_id: RunId,
    pub via: AckVia,
    pub acked_at: DateTime<Utc>,
}
