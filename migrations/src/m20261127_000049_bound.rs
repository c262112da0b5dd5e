//! What a permit is bound to beside kind, skill and parameters: all that rules and limits of the asked moment look at.
//!
//! One that is open as this is applied is bound to no model: it serves for none, and its step is judged anew.

use crate::dialect::{Dialect, Kind};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let text = d.sql_type(&Kind::Text);
    vec![
        format!("ALTER TABLE permits ADD COLUMN provider {text}"),
        format!("ALTER TABLE permits ADD COLUMN model {text}"),
        format!("ALTER TABLE permits ADD COLUMN labels {text} NOT NULL DEFAULT '[]'"),
    ]
}
