//! An incident, as it is written.

use models::incidents::{Incident, IncidentEvent, IncidentRun, ResolutionType, RunIncident};
use orchestrator::handlers::incidents::{AffectedRun, IncidentDetail};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    activity::RunView,
    policies::{LimitDefinitionView, RuleDefinitionView},
    view::{Kept, Number, Time, words},
};

/// An incident, as it stands now: all that one cause did from when it first struck until it is resolved.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub(super) struct IncidentView {
    incident_id: String,
    title: String,
    #[schema(value_type = words::IncidentCategory)]
    category: &'static str,
    #[schema(value_type = words::Severity)]
    severity: &'static str,
    #[schema(value_type = words::LifecycleState)]
    lifecycle_state: &'static str,
    #[schema(value_type = words::CauseType)]
    cause_type: &'static str,
    /// The run that met its cause first.
    source_run_id: Option<String>,
    source_step_index: Option<u64>,
    /// The rule or limit that triggered it.
    policy_id: Option<String>,
    limit_id: Option<String>,
    description: String,
    error_code: Option<String>,
    /// What refused and overspent calls cost beyond the limit, or what the run had cost when it was stopped; of all its
    /// runs.
    cost_impact_usd: Number,
    /// How many runs met its cause.
    affected_count: u64,
    /// How often it struck, in all of them.
    occurrences: u64,
    /// When it last did.
    last_seen_at: Time,
    /// The agents of those runs, the first eight.
    agents: Vec<String>,
    /// There are more.
    more_agents: bool,
    /// The same for all incidents of this cause.
    recurrence_signature: String,
    /// How many of them there were before.
    recurrence_count: u64,
    similar_incident_group_id: Option<String>,
    correlation_id: String,
    is_synthetic: bool,
    synthetic_scenario_id: Option<String>,
    acknowledged_at: Option<Time>,
    acknowledged_by: Option<String>,
    resolved_at: Option<Time>,
    resolved_by: Option<String>,
    #[schema(value_type = Option<words::ResolutionType>)]
    resolution_type: Option<&'static str>,
    resolution_notes: Option<String>,
    escalated_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

/// An incident with what is around it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IncidentDetail)]
pub(super) struct IncidentDetailView {
    #[serde(flatten)]
    incident: IncidentView,
    /// What happened to it, oldest first; of the runs that joined it, the last 50.
    timeline: Vec<EventView>,
    /// The runs that met its cause, the newest to do so first: 50 at most. `GET /{id}/runs` has all.
    affected_runs: Vec<AffectedRunView>,
    /// The rule that fired, as it is now.
    triggering_rule: Option<RuleDefinitionView>,
    /// The limit that was passed, as it is now.
    triggering_limit: Option<LimitDefinitionView>,
}

/// What a run did of an incident.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IncidentOfRun)]
struct OfRunView {
    /// How often its cause struck the run.
    occurrences: u64,
    /// The step at which it did so first; null where it was at no step.
    first_step_index: Option<u64>,
    /// What that cost.
    cost_impact_usd: Number,
    /// What is said of it in this run, such as `refused after it was done`.
    note: Option<String>,
    first_at: Time,
    last_at: Time,
}

/// An incident that a run opened or joined.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RunIncident)]
pub(super) struct RunIncidentView {
    #[serde(flatten)]
    incident: IncidentView,
    /// SOURCE: the run opened it. AFFECTED: it was open, and the run joined it.
    #[schema(value_type = words::IncidentRelation)]
    relation: &'static str,
    /// What it was in this run.
    of_run: OfRunView,
}

/// A run that met the cause of an incident.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AffectedRun)]
pub(super) struct AffectedRunView {
    #[serde(flatten)]
    run: RunView,
    /// SOURCE: the run opened the incident. AFFECTED: it was open, and the run joined it.
    #[schema(value_type = words::IncidentRelation)]
    relation: &'static str,
    #[serde(flatten)]
    of_run: OfRunView,
}

/// One event in an incident's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IncidentEvent)]
struct EventView {
    event_id: String,
    #[schema(value_type = words::IncidentEventType)]
    event_type: &'static str,
    actor: Option<String>,
    #[schema(value_type = serde_json::Value)]
    details: Option<Kept>,
    at: Time,
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        Self {
            incident_id: incident.id.to_string(),
            title: incident.title,
            category: incident.category.as_str(),
            severity: incident.severity.as_str(),
            lifecycle_state: incident.lifecycle_state.as_str(),
            cause_type: incident.cause_type.as_str(),
            source_run_id: incident.source_run_id.map(|id| id.to_string()),
            source_step_index: incident.source_step_index,
            policy_id: incident.policy_id,
            limit_id: incident.limit_id.map(|id| id.to_string()),
            description: incident.description,
            error_code: incident.error_code,
            cost_impact_usd: Number::usd(incident.cost_impact_nanousd),
            affected_count: incident.affected_count,
            occurrences: incident.occurrences,
            last_seen_at: incident.last_seen_at.into(),
            agents: incident.agents,
            more_agents: incident.more_agents,
            recurrence_signature: incident.recurrence_signature,
            recurrence_count: incident.recurrence_count,
            similar_incident_group_id: incident.similar_incident_group_id,
            correlation_id: incident.correlation_id,
            is_synthetic: incident.is_synthetic,
            synthetic_scenario_id: incident.synthetic_scenario_id,
            acknowledged_at: incident.acknowledged_at.map(Time),
            acknowledged_by: incident.acknowledged_by,
            resolved_at: incident.resolved_at.map(Time),
            resolved_by: incident.resolved_by,
            resolution_type: incident.resolution_type.map(ResolutionType::as_str),
            resolution_notes: incident.resolution_notes,
            escalated_at: incident.escalated_at.map(Time),
            created_at: incident.created_at.into(),
            updated_at: incident.updated_at.into(),
        }
    }
}

impl From<IncidentDetail> for IncidentDetailView {
    fn from(detail: IncidentDetail) -> Self {
        Self {
            incident: detail.incident.into(),
            timeline: detail.timeline.into_iter().map(EventView::from).collect(),
            affected_runs: detail.runs.items.into_iter().map(AffectedRunView::from).collect(),
            triggering_rule: detail.rule.map(RuleDefinitionView::from),
            triggering_limit: detail.limit.map(LimitDefinitionView::from),
        }
    }
}

impl From<IncidentRun> for OfRunView {
    fn from(of: IncidentRun) -> Self {
        Self {
            occurrences: of.occurrences,
            first_step_index: of.first_step_index,
            cost_impact_usd: Number::usd(of.impact_nanousd()),
            note: of.note,
            first_at: of.first_at.into(),
            last_at: of.last_at.into(),
        }
    }
}

impl From<RunIncident> for RunIncidentView {
    fn from(RunIncident { incident, of }: RunIncident) -> Self {
        Self { incident: incident.into(), relation: of.relation.as_str(), of_run: of.into() }
    }
}

impl From<AffectedRun> for AffectedRunView {
    fn from(AffectedRun { of, run }: AffectedRun) -> Self {
        Self { run: run.into(), relation: of.relation.as_str(), of_run: of.into() }
    }
}

impl From<IncidentEvent> for EventView {
    fn from(event: IncidentEvent) -> Self {
        Self {
            event_id: event.id.to_string(),
            event_type: event.event_type.as_str(),
            actor: event.actor,
            details: event.details.map(Kept::from),
            at: event.at.into(),
        }
    }
}
