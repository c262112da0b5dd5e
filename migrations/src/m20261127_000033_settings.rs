//! A version of a tenant's settings, apart from that of its policies; and what a change of its zone left open.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let count = d.sql_type(&Kind::Count);
    let check = d
        .check("settings_version", &Kind::Count)
        .map_or_else(String::new, |check| format!(" CHECK ({check})"));
    // A tag that was handed out before is good for one change more.
    vec![
        format!("ALTER TABLE tenants ADD COLUMN settings_version {count} NOT NULL DEFAULT 0{check}"),
        "UPDATE tenants SET settings_version = policy_generation".to_owned(),
        "ALTER TABLE tenants ADD COLUMN zone_changes text NOT NULL DEFAULT '{}'".to_owned(),
    ]
}
