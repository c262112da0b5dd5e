//! A verdict as its caller sees it.

use chrono::{DateTime, Utc};
use models::ids::DecisionId;
use proof::{
    records::{DecisionRecord, Intervened},
    words::{Action, Asked, HaltReason, PermitNote, REFUSED_AFTER},
};
use rules::{Count, limits::Advice, told::sentence, verdict::LimitView};
use serde::{Deserialize, Serialize};

/// A rule or a limit that fired.
pub type Fired = rules::verdict::Fired;
/// A fact that a rule was judged on.
pub type FiredFact = rules::told::FiredFact;
/// Its value.
pub type FactValue = rules::told::FactValue;

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
    /// Whether it was asked before it was done; none where it is no step.
    pub asked: Option<Asked>,
    /// It judges what had been done by then: the record of a step, permitted or not.
    pub is_of_done: bool,
    /// Why the permit that was named does not serve, or that the record of the one that did was lost.
    pub permit_note: Option<PermitNote>,
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
        let why = match (person, decided, self.halt_reason) {
            (Some(met), ..) => {
                let by = met.actor_id.as_deref().unwrap_or("somebody");
                let why = met.reason.as_deref().unwrap_or("no reason given");
                format!("{} by a {} of {by}: {why}", self.action, met.kind)
            }
            (None, Some(fired), _) => {
                format!("{} by {} `{}`: {}", self.action, fired.kind, fired.name, fired.why())
            }
            (None, None, Some(HaltReason::PermitRequired)) => {
                format!(
                    "{}: this tenant takes no step without a permit that serves; ask for one first",
                    self.action
                )
            }
            (None, None, _) => self.action.to_string(),
        };
        match self.refused_after() {
            Some(said) => format!("{why} ({said})"),
            None => why,
        }
    }

    /// What is said of a refusal that came after the act.
    #[must_use]
    pub fn refused_after(&self) -> Option<&'static str> {
        (self.action.refuses() && self.is_of_done).then_some(REFUSED_AFTER)
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
            fired: fired_of(decision)?,
            limits: serde_json::from_str(&decision.limits).map_err(|err| corrupt(err.to_string()))?,
            would_have: decision.would_have,
            intervention: decision
                .intervention
                .as_deref()
                .map(serde_json::from_str)
                .transpose()
                .map_err(|err| corrupt(err.to_string()))?,
            asked: decision.moment.asked(),
            is_of_done: decision.moment.is_of_done(),
            permit_note: decision.permit_note,
            checked_at: models::time::parse(&decision.decided_at).map_err(|err| corrupt(err.to_string()))?,
        })
    }
}

/// What fired in a stored decision, the deciding one first.
pub fn fired_of(decision: &DecisionRecord) -> Result<Vec<Fired>, CorruptDecision> {
    let corrupt =
        |err: serde_json::Error| CorruptDecision { id: decision.decision_id.clone(), why: err.to_string() };
    serde_json::from_str(&decision.fired).map_err(corrupt)
}

/// What an enforcement says beside what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforced {
    /// What its rule fired on, in one line for people; none where it says nothing of it.
    pub on: Option<String>,
    /// What would have been done, where nothing was.
    pub would_have: Option<Action>,
    /// What is said of a refusal that came after the act.
    pub note: Option<String>,
}

/// Reads the details of an enforcement; none where they do not read back.
#[must_use]
pub fn enforced(details: &str) -> Option<Enforced> {
    #[derive(Deserialize)]
    struct Details {
        facts: Option<Vec<FiredFact>>,
        more_facts: Option<Count>,
        would_have: Option<Action>,
        note: Option<String>,
    }
    let Details { facts, more_facts, would_have, note } = serde_json::from_str(details).ok()?;
    let on = facts.map(|facts| sentence(&facts, more_facts.unwrap_or_default()));
    Some(Enforced { on, would_have, note })
}
