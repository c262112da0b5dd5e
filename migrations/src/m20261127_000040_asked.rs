//! Whether a step was asked for before it was done, what its caller said of it, and what that leaves of a run's
//! assurance.
//!
//! What is there says nothing of it: the defaults claim as little as can be.

use crate::{
    dialect::{Dialect, Kind},
    m20261121_000090_lowered as lowered,
    protect::{self, append_only, changes},
    table::{self, index},
};

const ASSURANCE: &str = "ENFORCED, RECORDED, REPORTED";
const ASKED: &str = "BEFORE, AFTER";
const STEP_STATUS: &str = "SUCCESS, FAILURE, RETRY, SKIPPED";
const PERMIT_NOTE: &str = "permit_lapsed, permit_mismatch, permit_unknown";
const ACTION: &str = "ALLOW, WARN, BLOCK, STOP, KILL, ABORT";
const HALT_REASON: &str =
    "policy_stop, policy_kill, budget_exceeded, rate_limited, evaluation_error, permit_required";

/// With the reasons that there are now, and its notes as a vocabulary.
const POLICY_DECISIONS: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    moment word(RUN_START, STEP_PRE, STEP_POST, STEP_PRE_POST, INTERVENTION)
    step_index count?
    permit_id id?
    snapshot_digest hash
    engine_version text
    schema_version text
    facts text
    limit_inputs text
    fired text
    limits text
    action word(ALLOW, WARN, BLOCK, STOP, KILL, ABORT)
    would_have word?(ALLOW, WARN, BLOCK, STOP, KILL, ABORT)
    halt_reason word?(policy_stop, policy_kill, budget_exceeded, rate_limited, evaluation_error, permit_required)
    deciding_policy_id text?
    overridden_by text?
    permit_note word?(permit_lapsed, permit_mismatch, permit_unknown)
    decided_at time
    intervention text?
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            add(d, "aos_trace_steps", "asked", &word(ASKED), Some("'AFTER'")),
            add(d, "aos_trace_steps", "reported_status", &word(STEP_STATUS), None),
            add(d, "aos_trace_steps", "permit_note", &word(PERMIT_NOTE), None),
            add(d, "prevention_records", "asked", &word(ASKED), None),
            add(d, "prevention_records", "would_have", &word(ACTION), None),
            add(d, "runs", "unasked_count", &Kind::Count, Some("0")),
            add(d, "tenants", "permits", &word("optional, required"), Some("'optional'")),
        ],
        assurance(d),
        protect::kept_too(
            d,
            "runs",
            "unasked",
            &format!("OLD.state = 'COMPLETED' AND {}", changes(&["unasked_count"])),
        ),
        decisions(d),
    ]
    .concat()
}

fn word(words: &str) -> Kind {
    Kind::Word(words.split(", ").map(str::to_owned).collect())
}

/// A column more. One without a default may be NULL.
fn add(d: Dialect, table: &str, column: &str, kind: &Kind, default: Option<&str>) -> String {
    let otherwise = default.map_or_else(String::new, |value| format!(" NOT NULL DEFAULT {value}"));
    let check = d
        .check(column, kind)
        .map_or_else(String::new, |check| format!(" CONSTRAINT {table}_{column}_check CHECK ({check})"));
    format!("ALTER TABLE {table} ADD COLUMN {column} {}{otherwise}{check}", d.sql_type(kind))
}

/// A run's assurance has a word more. SQLite changes no check, and makes no table anew that others refer to: the column
/// is made anew.
fn assurance(d: Dialect) -> Vec<String> {
    let check = d.check("assurance", &word(ASSURANCE)).unwrap_or_default();
    let widened = match d {
        Dialect::Postgres => {
            return vec![
                "ALTER TABLE runs DROP CONSTRAINT runs_assurance_check".to_owned(),
                format!("ALTER TABLE runs ADD CONSTRAINT runs_assurance_check CHECK ({check})"),
            ];
        }
        Dialect::Sqlite => vec![
            "DROP TRIGGER runs_no_update".to_owned(),
            "DROP INDEX runs_by_assurance".to_owned(),
            add(d, "runs", "assured", &word(ASSURANCE), Some("'REPORTED'")),
            "UPDATE runs SET assured = assurance".to_owned(),
            "ALTER TABLE runs DROP COLUMN assurance".to_owned(),
            "ALTER TABLE runs RENAME COLUMN assured TO assurance".to_owned(),
            index("runs_by_assurance", "runs (tenant_id, assurance, started_at, id)"),
        ],
    };
    [widened, lowered::refused_again(d)].concat()
}

fn decisions(d: Dialect) -> Vec<String> {
    let required = add(
        d,
        "policy_decisions",
        "permit_required",
        &Kind::Bool,
        Some(match d {
            Dialect::Sqlite => "0",
            Dialect::Postgres => "FALSE",
        }),
    );
    let widened = match d {
        Dialect::Sqlite => [
            table::rebuild("policy_decisions", POLICY_DECISIONS, &[]),
            append_only(d, "policy_decisions"),
        ]
        .concat(),
        Dialect::Postgres => [("halt_reason", HALT_REASON), ("permit_note", PERMIT_NOTE)]
            .iter()
            .flat_map(|(column, words)| {
                let check = d.check(column, &word(words)).unwrap_or_default();
                [
                    format!("ALTER TABLE policy_decisions DROP CONSTRAINT IF EXISTS policy_decisions_{column}_check"),
                    format!("ALTER TABLE policy_decisions ADD CONSTRAINT policy_decisions_{column}_check CHECK ({check})"),
                ]
            })
            .collect(),
    };
    [widened, vec![required]].concat()
}
