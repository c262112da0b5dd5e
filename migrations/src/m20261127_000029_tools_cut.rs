//! Whether a run used more tools than are kept of it.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let (no, checked) = match d {
        Dialect::Sqlite => ("0", " CHECK (tools_cut IN (0, 1))"),
        Dialect::Postgres => ("FALSE", ""),
    };
    let kind = d.sql_type(&Kind::Bool);
    // A default, for the traces that are there; whoever inserts says it.
    vec![format!("ALTER TABLE aos_traces ADD COLUMN tools_cut {kind} NOT NULL DEFAULT {no}{checked}")]
}
