//! Which freeze an UNFREEZE ended, and the order in which people look at what was stopped.

use crate::{
    dialect::{Dialect, Kind},
    table::index,
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let kind = d.sql_type(&Kind::Id);
    let check = d.check("lifts", &Kind::Id).map_or_else(String::new, |check| format!(" CHECK ({check})"));
    vec![
        format!("ALTER TABLE interventions ADD COLUMN lifts {kind}{check}"),
        index("interventions_by_lifts", "interventions (tenant_id, lifts)"),
        index("interventions_by_time", "interventions (tenant_id, requested_at, id)"),
    ]
}
