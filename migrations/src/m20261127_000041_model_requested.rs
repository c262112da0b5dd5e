//! Which model a step asked for, where another name answered.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    vec![format!("ALTER TABLE aos_trace_steps ADD COLUMN model_requested {}", d.sql_type(&Kind::Text))]
}
