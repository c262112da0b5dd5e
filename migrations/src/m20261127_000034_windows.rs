//! By when a window of a limit is over, so that it can be forgotten.

use crate::{
    dialect::{Dialect, Kind},
    table::index,
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let time = d.sql_type(&Kind::Time);
    let check = d.check("over_by", &Kind::Time).map_or_else(String::new, |check| format!(" CHECK ({check})"));
    vec![
        format!("ALTER TABLE limit_usage ADD COLUMN over_by {time}{check}"),
        index("limit_usage_over_by", "limit_usage (over_by) WHERE over_by IS NOT NULL"),
    ]
}
