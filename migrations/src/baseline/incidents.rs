//! Incidents, one open for one cause, which runs join; what each run did of it; and their timelines.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but, index, list_indexes, unique},
};

/// An incident is there before its run is, where a run is refused at its start. `namesake` is 0 in every row that is
/// written (ADR 33).
const INCIDENTS: &str = r"
    tenant_id id
    id id
    title text
    category word(POLICY_VIOLATION, BUDGET_EXCEEDED, RATE_LIMIT, THRESHOLD, EXECUTION_FAILURE, INTEGRITY_FAILURE, UNGOVERNED_ACTION)
    severity word(critical, high, medium, low)
    opened_severity word(critical, high, medium, low)
    lifecycle_state word(ACTIVE, ACKED, RESOLVED)
    cause_type word(LLM_RUN, SYSTEM, HUMAN)
    cause_key text
    source_run_id id?
    source_step_index count?
    policy_id text?
    limit_id id?
    description text
    error_code text?
    cost_impact_nanousd count
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
    occurrences count
    last_seen_at time
    agents text
    more_agents bool
    recurrence_count count
    namesake count
    PRIMARY KEY (tenant_id, id)
    CHECK ((lifecycle_state = 'RESOLVED') = (resolved_at IS NOT NULL))
    FOREIGN KEY (tenant_id, source_run_id) REFERENCES runs (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
";

/// `later_impact_nanousd` is what the cause cost when it struck again, beside what it had cost when it was opened: that
/// is hashed.
const INCIDENT_RUNS: &str = r"
    tenant_id id
    incident_id id
    run_id id
    relation word(SOURCE, AFFECTED)
    seq count?
    note text?
    first_step_index count?
    cost_impact_nanousd count
    later_impact_nanousd count
    occurrences count
    first_at time
    last_at time
    PRIMARY KEY (tenant_id, incident_id, run_id)
    UNIQUE (tenant_id, run_id, seq)
    FOREIGN KEY (tenant_id, incident_id) REFERENCES incidents (tenant_id, id)
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
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

/// What of `incident_runs` may change: what recurs. A receipt covers the rest.
const RECURS: &[&str] = &["later_impact_nanousd", "occurrences", "last_at"];

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "incidents", INCIDENTS),
            table::create(d, "incident_runs", INCIDENT_RUNS),
            table::create(d, "incident_events", INCIDENT_EVENTS),
        ],
        list_indexes("incidents", "created_at", &["lifecycle_state", "severity", "category", "cause_type"]),
        vec![
            unique(
                "incidents_open_cause",
                "incidents (tenant_id, category, cause_key, namesake) WHERE lifecycle_state <> 'RESOLVED'",
            ),
            index("incidents_by_cause", "incidents (tenant_id, category, cause_key, created_at, id)"),
            index("incident_runs_by_first_at", "incident_runs (tenant_id, incident_id, first_at, run_id)"),
            index("incident_events_by_incident", "incident_events (tenant_id, incident_id, created_at, id)"),
        ],
        protect::kept(d, "incidents"),
        protect::kept_unless(d, "incident_runs", &changes(&columns_but(INCIDENT_RUNS, RECURS))),
        protect::append_only(d, "incident_events"),
    ]
    .concat()
}
