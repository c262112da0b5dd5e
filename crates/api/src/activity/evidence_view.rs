//! A run's evidence (O4), as it is written.

use std::collections::BTreeMap;

use models::{incidents::RunIncident, logs::Trace};
use orchestrator::coordinators::run_evidence::{Part, RunEvidence};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    logs::AuditItem,
    view::{Number, Time, words},
};
use orchestrator::handlers::policies::counts_money;

/// What a run touched.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunEvidence)]
pub(crate) struct EvidenceView {
    run_id: String,
    incidents_caused: Vec<CausedIncident>,
    /// Rules and limits that fired; one NO_VIOLATION row where the run ended without.
    policies_evaluated: Vec<EvaluatedPolicy>,
    limits_hit: Vec<HitLimit>,
    /// Verdicts above ALLOW, and what reported steps would have got.
    decisions_made: Vec<MadeDecision>,
    governance_events: Vec<AuditItem>,
    traces_linked: Vec<LinkedTrace>,
    /// Each part: `complete`, or `unavailable: ` and the reason.
    completeness: BTreeMap<&'static str, &'static str>,
    computed_at: Time,
}

/// An incident that the run opened or joined.
#[derive(Debug, Serialize, ToSchema)]
struct CausedIncident {
    incident_id: String,
    /// SOURCE: the run opened it. AFFECTED: it was open, and the run joined it.
    #[schema(value_type = words::IncidentRelation)]
    relation: &'static str,
    title: String,
    #[schema(value_type = words::Severity)]
    severity: &'static str,
    #[schema(value_type = words::LifecycleState)]
    lifecycle_state: &'static str,
    created_at: Time,
}

/// A prevention record.
#[derive(Debug, Serialize, ToSchema)]
struct EvaluatedPolicy {
    policy_id: Option<String>,
    policy_name: Option<String>,
    #[schema(value_type = words::PreventionOutcome)]
    outcome: &'static str,
    /// What would have been done: of a step that had been done by then, permitted or not, and by a rule that only
    /// records.
    #[schema(value_type = Option<words::Action>, required = true)]
    would_have: Option<&'static str>,
    /// `refused after it was done`, where that is so: nothing was prevented then.
    note: Option<&'static str>,
    step_index: Option<u64>,
    evaluated_at: String,
}

/// A limit that was passed, with value and threshold as they were, in the limit's own unit.
#[derive(Debug, Serialize, ToSchema)]
struct HitLimit {
    limit_id: String,
    limit_name: String,
    breached_value: Number,
    threshold_value: Number,
    breached_at: String,
}

/// A stored verdict.
#[derive(Debug, Serialize, ToSchema)]
struct MadeDecision {
    decision_id: String,
    /// The moment or moments that it judged.
    decision_type: &'static str,
    #[schema(value_type = words::Action)]
    outcome: &'static str,
    /// For a reported step: what would have been answered.
    #[schema(value_type = Option<words::Action>, required = true)]
    would_have: Option<&'static str>,
    /// Whether it was asked before it was done; null where it is no step.
    #[schema(value_type = Option<words::Asked>, required = true)]
    asked: Option<&'static str>,
    step_index: Option<u64>,
    decided_at: String,
}

/// A trace of the run.
#[derive(Debug, Serialize, ToSchema)]
struct LinkedTrace {
    trace_id: String,
    #[schema(value_type = words::TraceStatus)]
    status: &'static str,
    step_count: u64,
}

impl From<RunEvidence> for EvidenceView {
    fn from(evidence: RunEvidence) -> Self {
        let policies_evaluated = evidence.policies_evaluated.into_iter().map(|record| EvaluatedPolicy {
            note: record.note(),
            policy_id: record.policy_id,
            policy_name: record.policy_name,
            outcome: record.outcome.as_str(),
            would_have: record.would_have.map(|action| action.as_str()),
            step_index: record.step_index,
            evaluated_at: record.evaluated_at,
        });
        let limits_hit = evidence.limits_hit.into_iter().map(|breach| {
            let number = |value| Number::of_limit(counts_money(breach.limit_type), value);
            HitLimit {
                breached_value: number(breach.breached_value),
                threshold_value: number(breach.threshold_value),
                limit_id: breach.limit_id,
                limit_name: breach.limit_name,
                breached_at: breach.breached_at,
            }
        });
        let decisions_made = evidence.decisions_made.into_iter().map(|decision| MadeDecision {
            decision_id: decision.decision_id,
            decision_type: decision.moment.as_str(),
            outcome: decision.action.as_str(),
            would_have: decision.would_have.map(|action| action.as_str()),
            asked: decision.moment.asked().map(|asked| asked.as_str()),
            step_index: decision.step_index,
            decided_at: decision.decided_at,
        });
        Self {
            run_id: evidence.run_id.to_string(),
            incidents_caused: evidence.incidents_caused.into_iter().map(CausedIncident::from).collect(),
            policies_evaluated: policies_evaluated.collect(),
            limits_hit: limits_hit.collect(),
            decisions_made: decisions_made.collect(),
            governance_events: evidence.governance_events.into_iter().map(AuditItem::from).collect(),
            traces_linked: evidence.traces_linked.into_iter().map(LinkedTrace::from).collect(),
            completeness: evidence.completeness.into_iter().map(|(name, part)| (name, told(&part))).collect(),
            computed_at: evidence.computed_at.into(),
        }
    }
}

impl From<RunIncident> for CausedIncident {
    fn from(RunIncident { incident, of }: RunIncident) -> Self {
        Self {
            incident_id: incident.id.to_string(),
            relation: of.relation.as_str(),
            title: incident.title,
            severity: incident.severity.as_str(),
            lifecycle_state: incident.lifecycle_state.as_str(),
            created_at: incident.created_at.into(),
        }
    }
}

impl From<Trace> for LinkedTrace {
    fn from(trace: Trace) -> Self {
        Self { trace_id: trace.id.to_string(), status: trace.status.as_str(), step_count: trace.step_count }
    }
}

/// `complete`, or `unavailable` and why. The cause itself is in the log, where the read failed: it may say more than a
/// caller should know.
fn told(part: &Part) -> &'static str {
    match part {
        Part::Complete => "complete",
        Part::Unavailable(_) => "unavailable: the store could not read it",
    }
}
