//! Which key reported a step.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let kind = d.sql_type(&Kind::Id);
    let check =
        d.check("reported_by", &Kind::Id).map_or_else(String::new, |check| format!(" CHECK ({check})"));
    vec![format!("ALTER TABLE aos_trace_steps ADD COLUMN reported_by {kind}{check}")]
}
