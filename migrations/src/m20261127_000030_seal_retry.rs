//! When a run that could not be sealed is tried again.

use crate::{
    dialect::{Dialect, Kind},
    protect::{self, changes},
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let checked = d
        .check("seal_retry_at", &Kind::Time)
        .map_or_else(String::new, |check| format!(" CONSTRAINT runs_seal_retry_at_check CHECK ({check})"));
    let refused = format!("OLD.state = 'COMPLETED' AND {}", changes(&["seal_retry_at"]));
    [
        vec![format!("ALTER TABLE runs ADD COLUMN seal_retry_at {}{checked}", d.sql_type(&Kind::Time))],
        protect::kept_too(d, "runs", "seal_retry", &refused),
    ]
    .concat()
}
