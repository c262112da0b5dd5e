//! Calls that were answered while the store was down, and recorded later.

use crate::{dialect::Dialect, protect, table};

const GAPS: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    decision_id id
    step_index count?
    permit_id id?
    answered_at time
    recorded_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [vec![table::create(d, "gaps", GAPS)], protect::append_only(d, "gaps")].concat()
}
