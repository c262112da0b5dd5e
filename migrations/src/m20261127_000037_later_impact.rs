//! What the cause of an incident cost when it struck again, beside what it had cost when it was opened: that is hashed.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let count = d.sql_type(&Kind::Count);
    let check = d
        .check("later_impact_microusd", &Kind::Count)
        .map_or_else(String::new, |check| format!(" CHECK ({check})"));
    vec![format!("ALTER TABLE incidents ADD COLUMN later_impact_microusd {count} NOT NULL DEFAULT 0{check}")]
}
