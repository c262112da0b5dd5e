//! The changes of what governs each tenant, each with a mark by which it is known from every other: a store that fell
//! back and was changed as often again has other marks, though it counts as many. Changes from before have none.

use crate::{dialect::Dialect, protect, table};

const GOVERNED_CHANGES: &str = r"
    tenant_id id
    generation count
    mark id
    PRIMARY KEY (tenant_id, generation)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![table::create(d, "governed_changes", GOVERNED_CHANGES)],
        protect::append_only(d, "governed_changes"),
    ]
    .concat()
}
