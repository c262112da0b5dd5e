//! One open incident for one cause, which runs join: `incident_runs` says what each run did of it.
//!
//! Until now each run had an incident of its own. Those that are open and have one cause stay what they are, for people
//! have seen them and receipts name them: `namesake` numbers them by age, from 0. It is 0 in every row that is written
//! from now on, and a run joins the oldest that is open; so there are never more than there were, and one as soon as
//! they are settled.

use crate::{
    dialect::{Dialect, Kind},
    protect::{self, append_only, changes},
    table::{self, index, list_indexes, unique},
};

/// On SQLite, which makes the table anew: a unique key and a check go.
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

const INCIDENT_RUNS: &str = r"
    tenant_id id
    incident_id id
    run_id id
    relation word(SOURCE, AFFECTED)
    seq count?
    note text?
    first_step_index count?
    cost_impact_microusd count
    later_impact_microusd count
    occurrences count
    first_at time
    last_at time
    PRIMARY KEY (tenant_id, incident_id, run_id)
    UNIQUE (tenant_id, run_id, seq)
    FOREIGN KEY (tenant_id, incident_id) REFERENCES incidents (tenant_id, id)
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
";

/// What a receipt covers.
const SEALED: &[&str] = &[
    "tenant_id",
    "incident_id",
    "run_id",
    "relation",
    "seq",
    "note",
    "first_step_index",
    "cost_impact_microusd",
    "first_at",
];

/// The columns that come, what they are, and what they begin as in a row that is there.
const NEW: &[(&str, &str, &str)] = &[
    ("occurrences", "count", "i.affected_count"),
    ("last_seen_at", "time", LAST_SEEN),
    ("agents", "text", AGENTS),
    ("more_agents", "bool", "FALSE"),
    ("recurrence_count", "count", "0"),
    ("namesake", "count", "n.namesake"),
];

const LAST_SEEN: &str = "COALESCE((SELECT MAX(e.created_at) FROM incident_events AS e WHERE e.tenant_id = i.tenant_id AND \
                         e.incident_id = i.id AND e.event_type IN ('created', 'recurred')), i.created_at)";
const AGENTS: &str = "CASE WHEN r.agent_id IS NULL THEN '[]' ELSE JSON_LIST END";
const AFFECTED: &str = "CASE WHEN i.source_run_id IS NULL THEN 0 ELSE 1 END";
const IMPACT: &str = "i.cost_impact_microusd + i.later_impact_microusd";

/// Each incident with its run, and its number among the open ones of its cause.
const NUMBERED: &str = "\
(SELECT tenant_id, id, CASE WHEN lifecycle_state = 'RESOLVED' THEN 0 ELSE ROW_NUMBER() OVER (PARTITION BY tenant_id, \
category, cause_key, CASE WHEN lifecycle_state = 'RESOLVED' THEN 0 ELSE 1 END ORDER BY created_at, id) - 1 END AS namesake \
FROM incidents)";

const RUNS_OF: &str = "INSERT INTO incident_runs (tenant_id, incident_id, run_id, relation, seq, note, first_step_index, \
cost_impact_microusd, later_impact_microusd, occurrences, first_at, last_at) \
SELECT i.tenant_id, i.id, i.source_run_id, 'SOURCE', i.seq, NULL, i.source_step_index, i.cost_impact_microusd, \
i.later_impact_microusd, i.affected_count, i.created_at, ";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let changed = match d {
        Dialect::Postgres => on_postgres(d),
        Dialect::Sqlite => on_sqlite(d),
    };
    [
        changed,
        vec![
            unique(
                "incidents_open_cause",
                "incidents (tenant_id, category, cause_key, namesake) WHERE lifecycle_state <> 'RESOLVED'",
            ),
            index("incidents_by_cause", "incidents (tenant_id, category, cause_key, created_at, id)"),
            index("incident_runs_by_first_at", "incident_runs (tenant_id, incident_id, first_at, run_id)"),
        ],
        protect::kept_unless(d, "incident_runs", &refused()),
    ]
    .concat()
}

/// What of `incident_runs` never changes.
pub(crate) fn refused() -> String {
    changes(SEALED)
}

fn runs_of() -> String {
    format!("{RUNS_OF}{LAST_SEEN} FROM incidents AS i WHERE i.source_run_id IS NOT NULL")
}

fn agents(d: Dialect) -> String {
    let list = match d {
        Dialect::Postgres => "json_build_array(r.agent_id)::text",
        Dialect::Sqlite => "json_array(r.agent_id)",
    };
    AGENTS.replace("JSON_LIST", list)
}

fn on_postgres(d: Dialect) -> Vec<String> {
    let added = NEW.iter().map(|(name, kind, _)| {
        let (kind, begins) = match *kind {
            "count" => (Kind::Count, "0"),
            "bool" => (Kind::Bool, "FALSE"),
            "time" => (Kind::Time, "'epoch'"),
            _ => (Kind::Text, "'[]'"),
        };
        let check = d
            .check(name, &kind)
            .map_or_else(String::new, |check| format!(" CONSTRAINT incidents_{name}_check CHECK ({check})"));
        format!(
            "ALTER TABLE incidents ADD COLUMN {name} {} NOT NULL DEFAULT {begins}{check}",
            d.sql_type(&kind)
        )
    });
    let values = NEW.iter().map(|(name, _, value)| {
        let value = if *name == "agents" { agents(d) } else { (*value).to_owned() };
        format!("{name} = {value}")
    });
    let values: Vec<String> = values
        .chain([format!("affected_count = {AFFECTED}"), format!("cost_impact_microusd = {IMPACT}")])
        .collect();
    let filled = format!(
        "UPDATE incidents AS i SET {} FROM {NUMBERED} AS n LEFT JOIN incidents AS own ON own.tenant_id = n.tenant_id \
         AND own.id = n.id LEFT JOIN runs AS r ON r.tenant_id = own.tenant_id AND r.id = own.source_run_id \
         WHERE n.tenant_id = i.tenant_id AND n.id = i.id",
        values.join(", ")
    );
    [
        vec![table::create(d, "incident_runs", INCIDENT_RUNS), runs_of()],
        added.collect(),
        vec![
            filled,
            // With them go the unique keys and the check that name them.
            "ALTER TABLE incidents DROP COLUMN run_key".to_owned(),
            "ALTER TABLE incidents DROP COLUMN seq".to_owned(),
            "ALTER TABLE incidents DROP COLUMN later_impact_microusd".to_owned(),
            // An incident is there before its run is, where a run is refused at its start.
            "ALTER TABLE incidents ALTER CONSTRAINT incidents_tenant_id_source_run_id_fkey DEFERRABLE INITIALLY DEFERRED"
                .to_owned(),
        ],
    ]
    .concat()
}

/// Made anew under other names, the tables that refer to it with it; as they get their names, they refer to each other
/// by those.
fn on_sqlite(d: Dialect) -> Vec<String> {
    let create = |table: &str, body: &str| {
        table::create(d, table, &body.replace("REFERENCES incidents ", "REFERENCES incidents_rebuilt "))
    };
    let rebuilt = |table: &str, body: &str| {
        let made = format!("CREATE TABLE {table}_rebuilt (");
        create(table, body).replacen(&format!("CREATE TABLE {table} ("), &made, 1)
    };
    let new: Vec<&str> = NEW.iter().map(|(name, ..)| *name).collect();
    let kept = table::columns_but(INCIDENTS, &new);
    let old = kept.iter().map(|column| match *column {
        "affected_count" => AFFECTED.to_owned(),
        "cost_impact_microusd" => IMPACT.to_owned(),
        column => format!("i.{column}"),
    });
    let values = NEW.iter().map(|(name, _, value)| match *name {
        "agents" => agents(d),
        "more_agents" => "0".to_owned(),
        _ => (*value).to_owned(),
    });
    let values: Vec<String> = old.chain(values).collect();
    let columns = [kept, new].concat().join(", ");
    let events = table::columns_but(INCIDENT_EVENTS, &[]).join(", ");
    [
        vec![
            rebuilt("incidents", INCIDENTS),
            format!(
                "INSERT INTO incidents_rebuilt ({columns}) SELECT {} FROM incidents AS i JOIN {NUMBERED} AS n ON \
                 n.tenant_id = i.tenant_id AND n.id = i.id LEFT JOIN runs AS r ON r.tenant_id = i.tenant_id AND \
                 r.id = i.source_run_id",
                values.join(", ")
            ),
            create("incident_runs", INCIDENT_RUNS),
            runs_of(),
            rebuilt("incident_events", INCIDENT_EVENTS),
            format!("INSERT INTO incident_events_rebuilt ({events}) SELECT {events} FROM incident_events"),
            "DROP TABLE incident_events".to_owned(),
            "DROP TABLE incidents".to_owned(),
            "ALTER TABLE incidents_rebuilt RENAME TO incidents".to_owned(),
            "ALTER TABLE incident_events_rebuilt RENAME TO incident_events".to_owned(),
            index("incident_events_by_incident", "incident_events (tenant_id, incident_id, created_at, id)"),
        ],
        list_indexes("incidents", "created_at", &["lifecycle_state", "severity", "category", "cause_type"]),
        protect::kept(d, "incidents"),
        append_only(d, "incident_events"),
    ]
    .concat()
}
