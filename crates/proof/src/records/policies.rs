//! What was decided, and what came of it: decisions, enforcements, prevention records, breaches.
#![expect(missing_docs, reason = "the fields are named by spec 2 and 4; the structs say what they are")]

use serde::{Deserialize, Serialize};

use crate::words::{
    Action, ActionTaken, Asked, BreachType, HaltReason, LimitType, Moment, PermitNote, PolicyKind,
    PreventionOutcome, REFUSED_AFTER,
};

/// One evaluation by the choke point (class D): what it saw, what fired, what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub decision_id: String,
    pub seq: u64,
    pub moment: Moment,
    /// The step that it judged. None at RUN_START, for a granted permit, and for a refusal by rate.
    pub step_index: Option<u64>,
    pub permit_id: Option<String>,
    pub snapshot_digest: String,
    pub engine_version: String,
    pub schema_version: String,
    /// Canonical JSON of the facts that the rules saw.
    pub facts: String,
    /// Canonical JSON of each applicable limit as it stood, and what was asked of it.
    pub limit_inputs: String,
    /// Canonical JSON: everything that fired.
    pub fired: String,
    /// Canonical JSON: where each applicable limit stands after.
    pub limits: String,
    pub action: Action,
    /// For a reported step: what would have been answered. Nothing was.
    pub would_have: Option<Action>,
    pub halt_reason: Option<HaltReason>,
    pub deciding_policy_id: Option<String>,
    /// The kill or freeze by a person that this decision met: canonical JSON of [`Intervened`](super::Intervened).
    pub intervention: Option<String>,
    /// An emergency override that made the verdict act on nothing.
    pub overridden_by: Option<String>,
    /// Why the permit that a record named did not serve: the verdict is at least WARN. At STEP_POST alone it served
    /// while the store was down, and the store never got it: the verdict is what was told.
    pub permit_note: Option<PermitNote>,
    /// No permit served, in a tenant that requires one: the verdict is at least BLOCK.
    pub permit_required: bool,
    pub decided_at: String,
}

/// A verdict that was not a plain ALLOW, and what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementRecord {
    pub tenant_id: String,
    pub run_id: Option<String>,
    pub enforcement_id: String,
    pub seq: Option<u64>,
    pub policy_id: String,
    pub policy_kind: PolicyKind,
    pub rule_id: Option<String>,
    pub incident_id: Option<String>,
    pub step_index: Option<u64>,
    pub action_taken: ActionTaken,
    /// Canonical JSON.
    pub details: String,
    pub triggered_at: String,
}

/// The canonical ledger row of a rule or limit that fired in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreventionRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub prevention_id: String,
    pub seq: Option<u64>,
    /// None for NO_VIOLATION.
    pub policy_id: Option<String>,
    pub policy_kind: Option<PolicyKind>,
    pub policy_name: Option<String>,
    pub pattern_id: Option<String>,
    pub step_index: Option<u64>,
    /// What was done. Of what had been done by then it is AUDITED: nothing was prevented.
    pub outcome: PreventionOutcome,
    /// Whether it was asked before it was done. None for NO_VIOLATION, and of what is no step.
    pub asked: Option<Asked>,
    /// What would have been done, had it been judged before it was done; or by a rule that only records.
    pub would_have: Option<Action>,
    /// It refused what had been done by then. Never of a span, which is refused nothing: there `would_have` says all.
    pub refused_after: bool,
    /// In thousandths; 1000 for a rule or limit that fired exactly.
    pub confidence_permille: u64,
    pub original_incident_id: Option<String>,
    pub blocked_incident_id: Option<String>,
    pub is_simulated: bool,
    pub is_synthetic: bool,
    pub evaluated_at: String,
}

impl PreventionRecord {
    /// What is said where what it refused had been done by then.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        self.refused_after.then_some(REFUSED_AFTER)
    }
}

/// A limit that was passed, with value and limit as they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreachRecord {
    pub tenant_id: String,
    pub run_id: String,
    pub breach_id: String,
    pub seq: u64,
    pub limit_id: String,
    pub limit_name: String,
    pub limit_type: LimitType,
    pub breach_type: BreachType,
    /// Empty where the limit has no window.
    pub window_start: String,
    pub step_index: Option<u64>,
    /// In the limit's unit inside (nano-USD for cost).
    pub breached_value: u64,
    pub threshold_value: u64,
    pub breached_at: String,
}
