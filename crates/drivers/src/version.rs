//! Which state the row of a run is in: every write of it, or of the run's own trace, raises its version.
//!
//! A server that remembers a run may go by its memory as long as the version is the one that it left. So no write of
//! such a row may forget this: rows that are written back are refused where they leave it ([`is_raised`]), any other
//! update of runs begins with [`update`], and a trace is written back only with [`Raised`](crate::raised::Raised),
//! which is had for having written its run. `tests/it/versions.rs` holds that of every writer.

use entities::{
    Id,
    activity::runs::{self, Column},
};
use models::{activity::RunVersion, ids::TraceId};
use sea_orm::{
    DbBackend, EntityTrait as _, UpdateMany,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use crate::{
    StoreError,
    dialect::{self, Given, Versioned},
    field::{Field as _, corrupt, put},
};

/// The columns that say it.
pub(crate) const COLUMNS: Versioned<Column> =
    Versioned { count: Column::Version, mark: Column::VersionMark, asked: Column::TraceId };

/// Whether rows of this table that are written back, as it is given, leave no run in the version that it was in.
pub(crate) fn is_raised<C>(table: &str, given: &Given<C>) -> bool {
    match table {
        "runs" => matches!(given, Given::Version(_) | Given::AnyVersion(_)),
        "aos_traces" => matches!(given, Given::OfRaised(_)),
        _ => true,
    }
}

/// An update of rows of runs, to be narrowed down. It raises the version of each row that it changes.
pub(crate) fn update(backend: DbBackend) -> UpdateMany<runs::Entity> {
    runs::Entity::update_many()
        .col_expr(Column::Version, Expr::col(Column::Version).add(1_i64))
        .col_expr(Column::VersionMark, dialect::drawn_id(backend))
}

/// The version that a row says.
pub(crate) fn of(row: &runs::Model) -> Result<RunVersion, StoreError> {
    let bad = |why: String| corrupt(&runs::Entity, row.id.0.to_string(), "version", &why);
    Ok(RunVersion { count: row.version.get().map_err(bad)?, mark: row.version_mark })
}

/// The row, to be written where it still stands at `version`. It gets the mark. The mark that it has is sent in the
/// place of its trace, which is the run's for good and is not written.
pub(crate) fn from(row: runs::Model, version: RunVersion, mark: Uuid) -> Result<runs::Model, StoreError> {
    let count = put(&runs::Entity, "version", &version.count)?;
    Ok(runs::Model { version: count, version_mark: mark, trace_id: Id(TraceId(version.mark)), ..row })
}

#[cfg(test)]
mod tests {
    use entities::logs::aos_traces as traces;
    use sea_orm::EntityName as _;

    use super::*;
    use crate::{ConnectConfig, Db, bulk, raised::Raised};

    #[test]
    fn what_leaves_the_version_as_it_was_is_told_from_what_raises_it() {
        let raised = Raised::default().have(&[]).expect("none is of another");
        for (given, of_runs, of_traces) in [
            (Given::Nothing, false, false),
            (Given::Word(Column::State, "LIVE"), false, false),
            (Given::OfRaised(raised), false, true),
            (Given::Version(COLUMNS), true, false),
            (Given::AnyVersion(COLUMNS), true, false),
        ] {
            assert_eq!(is_raised(runs::Entity.table_name(), &given), of_runs, "{given:?}");
            assert_eq!(is_raised(traces::Entity.table_name(), &given), of_traces, "{given:?}");
            assert!(is_raised("tenants", &given), "{given:?}: they have none");
        }
    }

    testkit::on_both! {
        async fn nobody_writes_back_what_leaves_the_version_as_it_was(db: TestDatabase) {
            let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url()) };
            let db = Db::connect(&config).await.expect("a store");
            let tx = db.begin().await.expect("begin");
            let run = bulk::update::<runs::Entity>(&tx.conn, vec![], &[Column::RiskLevel]).await;
            assert!(matches!(run, Err(StoreError::Database(_))), "{run:?}");
            let trace = bulk::update::<traces::Entity>(&tx.conn, vec![], &[traces::Column::Status]).await;
            assert!(matches!(trace, Err(StoreError::Database(_))), "{trace:?}");
            tx.rollback().await.expect("rolled back");
        }
    }
}
