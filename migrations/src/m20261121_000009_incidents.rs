//! Incidents and their timelines.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, list_indexes},
};

const INCIDENTS: &str = r"
    tenant_id id
    id id
    title text
    category word(POLICY_VIOLATION, BUDGET_EXCEEDED, RATE_LIMIT, THRESHOLD, EXECUTION_FAILURE, INTEGRITY_FAILURE, UNGOVERNED_ACTION)
    severity word(critical, high, medium, low)
    opened_severity word(critical, high, medium, low)
    lifecycle_state word(ACTIVE, ACKED, RESOLVED)
    cause_type word(LLM_RUN, SYSTEM, HUMAN)
    run_key text
    cause_key text
    source_run_id id?
    source_step_index count?
    seq count?
    policy_id text?
    limit_id id?
    description text
    error_code text?
    cost_impact_microusd count
    affected_count count
    recurrence_signature text
    similar_incident_group_id text?
    correlation_id text
    is_synthetic bool
    synthetic_scenario_id text?
    acknowledged_at time?
    acknowledged_by text?
    resolved_at time?
    resolved_by text?
    resolution_type word?(fixed, false_positive, accepted_risk, duplicate, manual, manual_closure)
    resolution_notes text?
    escalated_at time?
    created_at time
    updated_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_key, category, cause_key)
    UNIQUE (tenant_id, source_run_id, seq)
    CHECK ((run_key = '') = (source_run_id IS NULL))
    CHECK ((lifecycle_state = 'RESOLVED') = (resolved_at IS NOT NULL))
    FOREIGN KEY (tenant_id, source_run_id) REFERENCES runs (tenant_id, id)
";

const INCIDENT_EVENTS: &str = r"
    tenant_id id
    id id
    incident_id id
    event_type word(created, severity_escalated, acknowledged, resolved, manually_closed, evidence_captured, recurred, notified)
    actor text?
    details text?
    created_at time
    PRIMARY KEY (tenant_id, id)
    FOREIGN KEY (tenant_id, incident_id) REFERENCES incidents (tenant_id, id)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "incidents", INCIDENTS),
            table::create(d, "incident_events", INCIDENT_EVENTS),
            index("incident_events_by_incident", "incident_events (tenant_id, incident_id, created_at, id)"),
        ],
        list_indexes("incidents", "created_at", &["lifecycle_state", "severity", "category", "cause_type"]),
        protect::kept(d, "incidents"),
        protect::append_only(d, "incident_events"),
    ]
    .concat()
}
