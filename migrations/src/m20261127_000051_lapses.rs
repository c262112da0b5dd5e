//! From when on what a permit holds is to be given back: as it expires, or at once where its run has ended. What it was
//! told to expire at stays as it was told.

use crate::{
    dialect::{Dialect, Kind},
    table::index,
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let time = d.sql_type(&Kind::Time);
    let check = d
        .check("lapses_at", &Kind::Time)
        .map_or_else(String::new, |check| format!(" CONSTRAINT permits_lapses_at_check CHECK ({check})"));
    vec![
        format!(
            "ALTER TABLE permits ADD COLUMN lapses_at {time} NOT NULL DEFAULT '1970-01-01T00:00:00+00:00'{check}"
        ),
        // Of those that are settled nobody asks.
        "UPDATE permits SET lapses_at = expires_at WHERE status = 'GRANTED'".to_owned(),
        "DROP INDEX permits_by_expiry".to_owned(),
        index("permits_by_lapse", "permits (tenant_id, status, lapses_at)"),
        index("permits_by_run", "permits (tenant_id, run_id, status)"),
    ]
}
