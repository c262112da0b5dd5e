//! What people do to runs: kills and freezes, the runs that they met, and who confirmed them.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, rebuild},
};

/// Decisions name the intervention that they met.
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
    halt_reason word?(policy_stop, policy_kill, budget_exceeded, rate_limited, evaluation_error)
    deciding_policy_id text?
    overridden_by text?
    permit_note text?
    decided_at time
    intervention text?
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
";

const INTERVENTIONS: &str = r"
    tenant_id id
    id id
    kind word(KILL, FREEZE, UNFREEZE)
    target_type word(TENANT, AGENT, RUN)
    target_id text?
    actor_type word(HUMAN, SYSTEM, AGENT)
    actor_id text?
    reason text?
    requested_at time
    outcome word(UNACKED, ENDED)
    effective_at time?
    PRIMARY KEY (tenant_id, id)
    CHECK ((target_type = 'TENANT') = (target_id IS NULL))
";

/// What is frozen now. A target has no two freezes; the empty one is the whole tenant.
const FREEZES: &str = r"
    tenant_id id
    target_id text
    intervention_id id
    actor_type word(HUMAN, SYSTEM, AGENT)
    actor_id text?
    reason text?
    requested_at time
    PRIMARY KEY (tenant_id, target_id)
";

const RUN_INTERVENTIONS: &str = r"
    tenant_id id
    run_id id
    seq count
    intervention_id id
    kind word(KILL, FREEZE)
    target_type word(TENANT, AGENT, RUN)
    target_id text?
    actor_type word(HUMAN, SYSTEM, AGENT)
    actor_id text?
    reason text?
    requested_at time
    decision_hash hash
    effective_at time
    PRIMARY KEY (tenant_id, run_id, seq)
    UNIQUE (tenant_id, intervention_id, run_id)
";

const INTERVENTION_ACKS: &str = r"
    tenant_id id
    intervention_id id
    run_id id
    via word(CALL, STREAM)
    acked_at time
    PRIMARY KEY (tenant_id, intervention_id, run_id)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        match d {
            Dialect::Sqlite => [
                rebuild("policy_decisions", POLICY_DECISIONS, &["intervention"]),
                protect::append_only(d, "policy_decisions"),
            ]
            .concat(),
            Dialect::Postgres => vec![
                "ALTER TABLE policy_decisions ADD COLUMN intervention text".to_owned(),
                "ALTER TABLE policy_decisions DROP CONSTRAINT policy_decisions_moment_check".to_owned(),
                "ALTER TABLE policy_decisions ADD CONSTRAINT policy_decisions_moment_check CHECK (moment IN \
                 ('RUN_START', 'STEP_PRE', 'STEP_POST', 'STEP_PRE_POST', 'INTERVENTION'))"
                    .to_owned(),
            ],
        },
        vec![
            table::create(d, "interventions", INTERVENTIONS),
            index("interventions_by_target", "interventions (tenant_id, target_id, requested_at, id)"),
            table::create(d, "freezes", FREEZES),
            table::create(d, "run_interventions", RUN_INTERVENTIONS),
            table::create(d, "intervention_acks", INTERVENTION_ACKS),
            index("intervention_acks_by_run", "intervention_acks (tenant_id, run_id)"),
        ],
        protect::append_only(d, "interventions"),
        protect::append_only(d, "run_interventions"),
        protect::append_only(d, "intervention_acks"),
    ]
    .concat()
}
