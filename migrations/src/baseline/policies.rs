//! Rules and proposals, with versions and integrity, and the snapshots that runs are bound to.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, list_indexes, unique},
};

const POLICY_RULE_INTEGRITY: &str = r"
    tenant_id id
    rule_id id
    version count
    status word(VERIFIED, DEGRADED, FAILED)
    score_permille count
    hash_root hash
    computed_at time
    PRIMARY KEY (tenant_id, rule_id, version)
";

const POLICY_RULE_VERSIONS: &str = r"
    tenant_id id
    rule_id id
    version count
    definition text
    created_at time
    PRIMARY KEY (tenant_id, rule_id, version)
";

const POLICY_RULES: &str = r"
    tenant_id id
    id id
    version count
    name text
    description text
    rule_type word(SYSTEM, SAFETY, ETHICAL, TEMPORAL)
    enforcement_mode word(BLOCK, STOP, KILL, ABORT, WARN, AUDIT, DRY_RUN, DISABLED)
    scope word(GLOBAL, TENANT, PROJECT, AGENT)
    scope_id text?
    bind_at word(RUN_START, STEP_PRE, STEP_POST)
    precedence int
    condition text
    source word(MANUAL, SYSTEM, LEARNED)
    source_incident_id id?
    status word(ACTIVE, RETIRED)
    source_proposal_id id?
    parent_rule_id id?
    superseded_by id?
    created_by text
    created_at time
    updated_at time
    retired_at time?
    retired_by text?
    retirement_reason text?
    PRIMARY KEY (tenant_id, id)
    CHECK (status = 'ACTIVE' OR (retired_at IS NOT NULL AND retired_by IS NOT NULL AND retirement_reason IS NOT NULL))
    FOREIGN KEY (tenant_id, id, version) REFERENCES policy_rule_integrity (tenant_id, rule_id, version) DEFERRABLE INITIALLY DEFERRED
";

const POLICY_PROPOSALS: &str = r"
    tenant_id id
    id id
    name text
    proposal_type word(CREATE, MODIFY, RETIRE)
    target_rule_id id?
    proposed_rule text?
    rationale text
    proposed_by word(SYSTEM, HUMAN)
    triggering_run_id id?
    triggering_incident_id id?
    confidence_permille count?
    status word(draft, approved, rejected, expired)
    expires_at time?
    reviewed_at time?
    reviewed_by text?
    review_notes text?
    is_synthetic bool
    created_by text
    created_at time
    PRIMARY KEY (tenant_id, id)
    CHECK (proposal_type = 'CREATE' OR target_rule_id IS NOT NULL)
";

/// The rules and limits that runs are bound to.
const POLICY_SNAPSHOTS: &str = r"
    tenant_id id
    id id
    digest hash
    generation count
    definition text
    created_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, digest)
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            // First, and referring to nothing: a version is in force only with its integrity row.
            table::create(d, "policy_rule_integrity", POLICY_RULE_INTEGRITY),
            table::create(d, "policy_rule_versions", POLICY_RULE_VERSIONS),
            table::create(d, "policy_rules", POLICY_RULES),
            unique("policy_rules_active_name", "policy_rules (tenant_id, name) WHERE status = 'ACTIVE'"),
            table::create(d, "policy_proposals", POLICY_PROPOSALS),
            table::create(d, "policy_snapshots", POLICY_SNAPSHOTS),
        ],
        list_indexes("policy_rules", "created_at", &["status"]),
        list_indexes("policy_proposals", "created_at", &["status"]),
        protect::append_only(d, "policy_rule_integrity"),
        protect::append_only(d, "policy_rule_versions"),
        protect::kept(d, "policy_rules"),
        protect::kept(d, "policy_proposals"),
        protect::append_only(d, "policy_snapshots"),
    ]
    .concat()
}
