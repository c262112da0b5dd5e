//! A verdict as its caller sees it.

use chrono::{DateTime, Utc};
use models::ids::DecisionId;
use proof::{
    records::{DecisionRecord, Intervened},
    words::{Action, HaltReason},
};
use rules::{
    limits::Advice,
    verdict::{Fired, LimitView},
};
use serde::{Deserialize, Serialize};

/// What the choke point answered, in full: everything that fired, and which of it decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictView {
    /// What happens to the step.
    pub action: Action,
    /// The stored decision.
    pub decision_id: DecisionId,
    /// Why it is no plain ALLOW.
    pub halt_reason: Option<HaltReason>,
    /// The rule or limit that decided.
    pub deciding_policy_id: Option<String>,
    /// Everything that fired.
    pub fired: Vec<Fired>,
    /// Where each limit that applies stands.
    pub limits: Vec<LimitView>,
    /// For a reported step: what would have been answered.
    pub would_have: Option<Action>,
    /// The kill or freeze by a person that it met.
    pub intervention: Option<Intervened>,
    /// `permit_lapsed` or `permit_mismatch`, where the named permit did not serve.
    pub permit_note: Option<String>,
    /// When it was decided.
    pub checked_at: DateTime<Utc>,
}

/// A stored decision that does not read back.
#[derive(Debug, thiserror::Error)]
#[error("decision {id} does not read back: {why}")]
pub struct CorruptDecision {
    id: String,
    why: String,
}

impl VerdictView {
    /// One line for a person: the action, and the name of what decided.
    #[must_use]
    pub fn summary(&self) -> String {
        let decided =
            self.deciding_policy_id.as_ref().and_then(|id| self.fired.iter().find(|f| f.policy_id == *id));
        let person = self
            .intervention
            .as_ref()
            .filter(|met| Some(&met.intervention_id) == self.deciding_policy_id.as_ref());
        if let Some(met) = person {
            let by = met.actor_id.as_deref().unwrap_or("somebody");
            let why = met.reason.as_deref().unwrap_or("no reason given");
            return format!("{} by a {} of {by}: {why}", self.action, met.kind);
        }
        match decided {
            Some(fired) => format!("{} by {} `{}`: {}", self.action, fired.kind, fired.name, fired.message),
            None => self.action.to_string(),
        }
    }

    /// What the agent is asked to do, though it may go on: to wait, or to go on with something else.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        rules::verdict::advice(&self.fired)
    }

    /// The verdict that a stored decision gave.
    pub fn of(decision: &DecisionRecord) -> Result<Self, CorruptDecision> {
        let corrupt = |why: String| CorruptDecision { id: decision.decision_id.clone(), why };
        Ok(Self {
            action: decision.action,
            decision_id: decision.decision_id.parse().map_err(|_| corrupt("its id".to_owned()))?,
            halt_reason: decision.halt_reason,
            deciding_policy_id: decision.deciding_policy_id.clone(),
            fired: serde_json::from_str(&decision.fired).map_err(|err| corrupt(err.to_string()))?,
            limits: serde_json::from_str(&decision.limits).map_err(|err| corrupt(err.to_string()))?,
            would_have: decision.would_have,
            intervention: decision
                .intervention
                .as_deref()
                .map(serde_json::from_str)
                .transpose()
                .map_err(|err| corrupt(err.to_string()))?,
            permit_note: decision.permit_note.clone(),
            checked_at: models::time::parse(&decision.decided_at).map_err(|err| corrupt(err.to_string()))?,
        })
    }
}
