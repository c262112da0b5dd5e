//! System records, and the Audit Ledger.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, list_indexes},
};

const SYSTEM_RECORDS: &str = r"
    tenant_id id
    id id
    component text
    event_type word(STARTUP, SHUTDOWN, RESTART, DEPLOY, MIGRATION, AUTH_CHANGE, CONFIG_CHANGE, ERROR, HEALTH_CHECK)
    severity word(info, warning, error, critical)
    summary text
    details text?
    caused_by text?
    correlation_id text?
    created_at time
    PRIMARY KEY (tenant_id, id)
";

const AUDIT_LEDGER: &str = r"
    tenant_id id
    run_id id?
    id id
    event_type word(PolicyRuleCreated, PolicyRuleModified, PolicyRuleRetired, PolicyProposalApproved, PolicyProposalRejected, LimitCreated, LimitUpdated, LimitBreached, LimitOverrideGranted, LimitOverrideRevoked, IncidentAcknowledged, IncidentResolved, IncidentManuallyClosed, EmergencyOverrideActivated, EmergencyOverrideDeactivated)
    entity_type word(POLICY_RULE, POLICY_PROPOSAL, LIMIT, INCIDENT)
    entity_id text
    actor_type word(HUMAN, SYSTEM, AGENT)
    actor_id text?
    action_reason text?
    before_state text?
    after_state text?
    run_seq count?
    correlation_id text
    created_at time
    leaf_index count
    leaf_hash hash
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, leaf_index)
    UNIQUE (tenant_id, run_id, run_seq)
    CHECK ((run_id IS NULL) = (run_seq IS NULL))
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "system_records", SYSTEM_RECORDS),
            table::create(d, "audit_ledger", AUDIT_LEDGER),
        ],
        list_indexes("system_records", "created_at", &["correlation_id"]),
        list_indexes(
            "audit_ledger",
            "created_at",
            &["event_type", "entity_type", "actor_type", "entity_id", "run_id"],
        ),
        protect::append_only(d, "system_records"),
        protect::append_only(d, "audit_ledger"),
    ]
    .concat()
}
