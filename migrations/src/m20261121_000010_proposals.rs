//! Policy proposals.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, list_indexes},
};

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

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![table::create(d, "policy_proposals", POLICY_PROPOSALS)],
        list_indexes("policy_proposals", "created_at", &["status"]),
        protect::kept(d, "policy_proposals"),
    ]
    .concat()
}
