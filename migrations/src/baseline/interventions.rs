//! What people do to runs: kills and freezes, the runs that they met, and who confirmed them.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index},
};

/// `lifts` is the freeze that an UNFREEZE ended.
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
    lifts id?
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

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "interventions", INTERVENTIONS),
            index("interventions_by_target", "interventions (tenant_id, target_id, requested_at, id)"),
            index("interventions_by_lifts", "interventions (tenant_id, lifts)"),
            // The order in which people look at what was stopped.
            index("interventions_by_time", "interventions (tenant_id, requested_at, id)"),
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
