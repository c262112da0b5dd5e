//! Steps whose use and call do not count, for another step of their trace tells of the same: said beside them, for a
//! step is written once.

use crate::{dialect::Dialect, protect, table};

const UNCOUNTED_STEPS: &str = r"
    tenant_id id
    run_id id
    step_index count
    told_by_index count
    created_at time
    PRIMARY KEY (tenant_id, run_id, step_index)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [vec![table::create(d, "uncounted_steps", UNCOUNTED_STEPS)], protect::append_only(d, "uncounted_steps")]
        .concat()
}
