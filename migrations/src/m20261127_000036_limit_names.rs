//! A name belongs to one ACTIVE limit of a tenant. Limits that share one from before keep it, for their definitions are
//! hashed with it and versions are never edited: `namesake` numbers them by age, from 0. It is 0 in every row that is
//! written from now on, so one of the later ones gets another name with its next change.

use crate::{
    dialect::{Dialect, Kind},
    table::unique,
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let count = d.sql_type(&Kind::Count);
    let check =
        d.check("namesake", &Kind::Count).map_or_else(String::new, |check| format!(" CHECK ({check})"));
    vec![
        format!("ALTER TABLE limits ADD COLUMN namesake {count} NOT NULL DEFAULT 0{check}"),
        "UPDATE limits SET namesake = (SELECT count(*) FROM limits AS older WHERE older.tenant_id = limits.tenant_id \
         AND older.name = limits.name AND older.status = 'ACTIVE' \
         AND (older.created_at, older.id) < (limits.created_at, limits.id)) WHERE status = 'ACTIVE'"
            .to_owned(),
        unique("limits_active_name", "limits (tenant_id, name, namesake) WHERE status = 'ACTIVE'"),
    ]
}
