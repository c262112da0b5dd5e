//! Jobs: work that is done once, by whichever server takes it, and again where that one dies; and what happened to
//! each.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but, index, list_indexes, unique},
};

/// `due_at` is when a server may take it: its time, or while one works at it the end of that lease; none when it is
/// over. `lease` counts how often it was taken: who holds an older number writes nothing more. A job that comes round
/// again for ever is named by `standing`. `events` and `head` are how long its chain of audit events is, and the hash
/// of the last.
const JOBS: &str = r"
    tenant_id id
    id id
    kind word(log_check)
    state word(QUEUED, RUNNING, RETRYING, SUCCEEDED, FAILED, CANCELLED, DEAD)
    payload text
    standing text?
    attempts count
    lease count
    lease_owner text?
    due_at time?
    stage word(queued, starting, running, completing, completed, failed, cancelled)
    percentage count
    eta_at time?
    started_at time?
    finished_at time?
    error text?
    events count
    head hash
    created_by text
    created_at time
    updated_at time
    PRIMARY KEY (tenant_id, id)
    CHECK ((state = 'RUNNING') = (lease_owner IS NOT NULL))
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
    CHECK ((state IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD')) = (finished_at IS NOT NULL))
    CHECK (percentage <= 100)
";

/// `state` is what the event left the job in, and `previous` the hash of the one before. `hash` is over all the rest.
const JOB_AUDIT_EVENTS: &str = r"
    tenant_id id
    job_id id
    seq count
    event_type word(created, scheduled, started, progress, completed, failed, retried, cancelled, dead_lettered)
    state word(QUEUED, RUNNING, RETRYING, SUCCEEDED, FAILED, CANCELLED, DEAD)
    actor text
    attempt count
    details text?
    created_at time
    previous hash
    hash hash
    PRIMARY KEY (tenant_id, job_id, seq)
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
";

/// What of a job may change: how it stands. What it is to do does not.
const STANDS: &[&str] = &[
    "state",
    "attempts",
    "lease",
    "lease_owner",
    "due_at",
    "stage",
    "percentage",
    "eta_at",
    "started_at",
    "finished_at",
    "error",
    "events",
    "head",
    "updated_at",
];

pub(super) fn statements(d: Dialect) -> Vec<String> {
    let fixed = changes(&columns_but(JOBS, STANDS));
    [
        vec![
            table::create_busy(d, "jobs", JOBS, 80),
            table::create(d, "job_audit_events", JOB_AUDIT_EVENTS),
            unique("jobs_standing", "jobs (tenant_id, standing) WHERE standing IS NOT NULL"),
            index("jobs_due", "jobs (kind, due_at, id) WHERE due_at IS NOT NULL"),
        ],
        list_indexes("jobs", "created_at", &["state", "kind"]),
        // A lease that was lost does not come back, and a chain only grows.
        protect::kept_unless(
            d,
            "jobs",
            &format!("{fixed} OR NEW.lease < OLD.lease OR NEW.events < OLD.events"),
        ),
        protect::append_only(d, "job_audit_events"),
    ]
    .concat()
}
