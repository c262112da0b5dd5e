//! Class D: one evaluation by the choke point.

use chrono::{DateTime, Utc};
use models::{
    ids::{DecisionId, PermitId},
    logs::ExecutionContext,
};
use proof::{
    hash::Hash,
    records::{DecisionRecord, Intervened},
    words::{Action, Moment, PermitNote},
};
use rules::{facts::Facts, limits::LimitInput, verdict::Conclusion};

/// What was judged, on what, and what came of it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields of its record")]
pub struct DecisionInputs<'a> {
    pub moment: Moment,
    pub permit_id: Option<PermitId>,
    pub snapshot_digest: Hash,
    pub facts: &'a Facts,
    pub limit_inputs: &'a [LimitInput],
    pub conclusion: &'a Conclusion,
    pub permit_note: Option<PermitNote>,
    pub permit_required: bool,
    /// The kill or freeze by a person that it met.
    pub intervened: Option<&'a Intervened>,
    /// The step was reported after the fact: what fired is AUDITED, never acted on.
    pub reported: bool,
}

/// The stored decision.
#[must_use]
pub fn capture_policy_decision_evidence(
    ctx: &ExecutionContext,
    id: DecisionId,
    seq: u64,
    inputs: &DecisionInputs<'_>,
    now: DateTime<Utc>,
) -> DecisionRecord {
    let conclusion = inputs.conclusion;
    let (action, would_have) = match (inputs.reported, conclusion.action) {
        (true, action) if action > Action::Allow => (Action::Allow, Some(action)),
        (_, action) => (action, None),
    };
    DecisionRecord {
        tenant_id: ctx.tenant().to_string(),
        run_id: ctx.run_id().to_string(),
        decision_id: id.to_string(),
        seq,
        moment: inputs.moment,
        step_index: ctx.step_index(),
        permit_id: inputs.permit_id.map(|id| id.to_string()),
        snapshot_digest: inputs.snapshot_digest.to_string(),
        engine_version: rules::ENGINE_VERSION.to_owned(),
        schema_version: rules::SCHEMA_VERSION.to_owned(),
        facts: proof::canonical::to_text(inputs.facts),
        limit_inputs: proof::canonical::to_text(inputs.limit_inputs),
        fired: proof::canonical::to_text(&conclusion.fired),
        limits: proof::canonical::to_text(&conclusion.limits),
        action,
        would_have,
        halt_reason: conclusion.halt_reason,
        deciding_policy_id: conclusion.deciding_policy_id.clone(),
        intervention: inputs.intervened.map(proof::canonical::to_text),
        overridden_by: None,
        permit_note: inputs.permit_note,
        permit_required: inputs.permit_required,
        decided_at: models::time::text(now),
    }
}
