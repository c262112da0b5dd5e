//! Whether what a rule or limit refused had been done by then: that it was not asked for before does not say so, nor
//! does that nothing was done.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let kind = d.sql_type(&Kind::Bool);
    let no = match d {
        Dialect::Sqlite => "0",
        Dialect::Postgres => "FALSE",
    };
    let check = d.check("refused_after", &Kind::Bool).map_or_else(String::new, |check| {
        format!(" CONSTRAINT prevention_records_refused_after_check CHECK ({check})")
    });
    vec![format!(
        "ALTER TABLE prevention_records ADD COLUMN refused_after {kind} NOT NULL DEFAULT {no}{check}"
    )]
}
