//! Which conversation, session and user a run is of, as its spans say. What a receipt covers does not change.

use crate::{
    dialect::{Dialect, Kind},
    protect::{self, changes},
    table::index,
};

const COLUMNS: [&str; 3] = ["conversation_id", "session_id", "user_id"];

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let kind = d.sql_type(&Kind::Text);
    let added = COLUMNS.iter().map(|column| format!("ALTER TABLE runs ADD COLUMN {column} {kind}"));
    let refused = format!("OLD.state = 'COMPLETED' AND {}", changes(&COLUMNS));
    [
        added.collect(),
        vec![index("runs_by_conversation_id", "runs (tenant_id, conversation_id, started_at, id)")],
        protect::kept_too(d, "runs", "conversation", &refused),
    ]
    .concat()
}
