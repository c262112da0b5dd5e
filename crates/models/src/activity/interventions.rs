//! What people do to runs: kills and freezes, and what is known of their effect.

use chrono::{DateTime, Utc};
use proof::{
    records::Intervened,
    words::{ActorType, InterventionKind, InterventionTarget},
};
use unicode_normalization::UnicodeNormalization as _;

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
        self.target_id.is_empty() || self.is_of(agent_id)
    }

    /// Whether it is aimed at this agent.
    ///
    /// Names are compared in the composed form of Unicode (NFC). Today names come in that form, but an older build kept
    /// them in any, and its freezes must hold after an upgrade.
    #[must_use]
    pub fn is_of(&self, agent_id: &str) -> bool {
        // Of two that are ASCII each has one form; one that is not may be another's form: NFC of the Kelvin sign is
        // `K`.
        let has_forms = !agent_id.is_ascii() || !self.target_id.is_ascii();
        self.target_id == agent_id || (has_forms && self.target_id.as_str().nfc().eq(agent_id.nfc()))
    }

    /// The agent as it is kept, and as it is spelt today where that is another text; nothing for the whole tenant.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        let composed: String = self.target_id.as_str().nfc().collect();
        let mut all = vec![self.target_id.clone(), composed];
        all.dedup();
        all.retain(|name| !name.is_empty());
        all
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_freeze_holds_for_a_name_in_whatever_form_it_was_kept() {
        let (composed, apart) = ("Caf\u{e9}-Bot", "Cafe\u{301}-Bot");
        let freeze = |target: &str| Freeze {
            tenant: TenantId(Uuid::nil()),
            target_id: target.to_owned(),
            intervention_id: InterventionId(Uuid::nil()),
            actor_type: ActorType::Human,
            actor_id: None,
            reason: None,
            requested_at: DateTime::UNIX_EPOCH,
        };
        for (target, agent, holds) in [
            (composed, composed, true),
            (apart, composed, true),
            (composed, apart, true),
            (apart, "Cafe-Bot", false),
            (apart, "caf\u{e9}-bot", false),
            ("", apart, true),
            ("\u{212a}9-Bot", "K9-Bot", true),
            ("K9-Bot", "\u{212a}9-Bot", true),
            ("a\u{37e}b", "a;b", true),
            ("L9-Bot", "K9-Bot", false),
        ] {
            assert_eq!(freeze(target).holds(agent), holds, "{target} {agent}");
        }
        assert!(!freeze("").is_of(composed), "that of all is no agent's own");
        assert_eq!(freeze(apart).spellings(), [apart, composed]);
        assert_eq!(
            (freeze(composed).spellings(), freeze("").spellings()),
            (vec![composed.to_owned()], Vec::new())
        );
    }
}
