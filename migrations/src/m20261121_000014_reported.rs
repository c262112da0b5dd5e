//! How a traced run says that it ended, and what was added to it after it was sealed.

use crate::{
    dialect::{Dialect, Kind},
    protect::{self, changes},
};

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let add = |column| format!("ALTER TABLE runs ADD COLUMN {column} {}", d.sql_type(&Kind::Text));
    let refused = format!("OLD.state = 'COMPLETED' AND {}", changes(&["reported_end"]));
    [
        // What is late may change in a sealed run: that is what it is for.
        vec![add("reported_end"), add("late")],
        protect::kept_too(d, "runs", "end", &refused),
    ]
    .concat()
}
