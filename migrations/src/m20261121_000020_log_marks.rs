//! Leaves that both logs have of themselves: the beginning of an epoch, the change of the key that signs.

use crate::{dialect::Dialect, protect, table};

const LOG_MARKS: &str = r"
    tenant_id id
    log word(audit, runs)
    leaf_index count
    leaf_hash hash
    mark_type word(EPOCH, SIGNING_KEY)
    mark text
    created_at time
    PRIMARY KEY (tenant_id, log, leaf_index)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [vec![table::create(d, "log_marks", LOG_MARKS)], protect::append_only(d, "log_marks")].concat()
}
