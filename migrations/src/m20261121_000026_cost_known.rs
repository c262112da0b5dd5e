//! Whether a run's cost is all of what it cost.

use crate::{
    dialect::{Dialect, Kind},
    protect::{self, changes},
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let (yes, no, checked) = match d {
        Dialect::Sqlite => ("1", "0", " CHECK (cost_known IN (0, 1))"),
        Dialect::Postgres => ("TRUE", "FALSE", ""),
    };
    let kind = d.sql_type(&Kind::Bool);
    let refused = format!("OLD.state = 'COMPLETED' AND {}", changes(&["cost_known"]));
    [
        // A default, for the runs that are there; whoever inserts says it.
        vec![
            format!("ALTER TABLE runs ADD COLUMN cost_known {kind} NOT NULL DEFAULT {yes}{checked}"),
            format!(
                "UPDATE runs SET cost_known = {no} WHERE EXISTS (SELECT 1 FROM aos_traces t \
                 WHERE t.tenant_id = runs.tenant_id AND t.id = runs.trace_id AND t.cost_known = {no})"
            ),
        ],
        protect::kept_too(d, "runs", "cost", &refused),
    ]
    .concat()
}
