//! Policy snapshots: the rules and limits that runs are bound to.

use crate::{dialect::Dialect, protect, table};

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

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![table::create(d, "policy_snapshots", POLICY_SNAPSHOTS)],
        protect::append_only(d, "policy_snapshots"),
    ]
    .concat()
}
