//! An incident, as it is written.

use models::incidents::{Incident, IncidentEvent, ResolutionType};
use orchestrator::handlers::incidents::IncidentDetail;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    activity::RunView,
    policies::{LimitDefinitionView, RuleDefinitionView},
    view::{Kept, Number, Time, words},
};

/// An incident, as it stands now.
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
    source_run_id: Option<String>,
    source_step_index: Option<u64>,
    /// The rule or limit that triggered it.
    policy_id: Option<String>,
    limit_id: Option<String>,
    description: String,
    error_code: Option<String>,
    /// What refused and overspent calls cost beyond the limit, or what the run had cost when it was stopped.
    cost_impact_usd: Number,
    /// How often its cause struck.
    affected_count: u64,
    recurrence_signature: String,
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
    /// What happened to it, oldest first.
    timeline: Vec<EventView>,
    /// The runs that it touched.
    affected_runs: Vec<RunView>,
    /// The rule that fired, as it is now.
    triggering_rule: Option<RuleDefinitionView>,
    /// The limit that was passed, as it is now.
    triggering_limit: Option<LimitDefinitionView>,
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
        let impact = incident.impact_microusd();
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
            cost_impact_usd: Number::usd(impact),
            affected_count: incident.affected_count,
            recurrence_signature: incident.recurrence_signature,
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
            affected_runs: detail.run.into_iter().map(RunView::from).collect(),
            triggering_rule: detail.rule.map(RuleDefinitionView::from),
            triggering_limit: detail.limit.map(LimitDefinitionView::from),
        }
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
