//! The filters of the list of runs.

use entities::activity::runs::Column;
use models::activity::RunFilter;
use sea_orm::{ColumnTrait as _, Condition, DbBackend, Value};

use crate::{
    asked::{Asked, asked},
    dialect,
};

/// That a run is one of those which the filter asks for; found by the index of the column that leads, where one does.
pub(super) fn matches(filter: &RunFilter, leads: Option<(DbBackend, &str)>) -> Condition {
    let values = asked(filter).map(|(column, asked)| (column, stored(asked))).collect();
    dialect::equal(values, leads)
        .add_option(filter.started_after.map(|at| Column::StartedAt.gt(at)))
        .add_option(filter.started_before.map(|at| Column::StartedAt.lt(at)))
}

/// As the column holds it.
fn stored(asked: Asked<'_>) -> Value {
    match asked {
        Asked::Word(word) => word.into(),
        Asked::Is(it_is) => it_is.into(),
        Asked::Text(text) => text.into(),
        Asked::Key(key) => key.0.into(),
    }
}
