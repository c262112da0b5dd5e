//! Which state the row of a run is in: every write of it, or of the run's own trace, raises its version.
//!
//! A server that remembers a run may go by its memory as long as the version is the one that it left. So no write of
//! such a row may forget this: an update of them begins with [`update`] or names [`COLUMNS`], and a trace is written
//! back only with [`Raised`], which is had for having written its run. `tests/it/versions.rs` holds that of every
//! writer.

use std::collections::BTreeSet;

use entities::activity::runs::{self, Column};
use models::{
    activity::{Run, RunVersion},
    ids::{RunId, TenantId},
};
use sea_orm::{
    DbBackend, EntityTrait as _, UpdateMany,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use crate::{
    StoreError,
    dialect::{self, Versioned},
    field::{Field as _, corrupt, put},
};

/// The columns that say it.
pub(crate) const COLUMNS: Versioned<Column> = Versioned { count: Column::Version, mark: Column::VersionMark };

/// The runs of which a unit of work has raised the version: what belongs to their state may be written with them.
#[derive(Debug, Default)]
pub struct Raised(BTreeSet<(TenantId, RunId)>);

impl Raised {
    pub(crate) fn of<'r>(runs: impl IntoIterator<Item = &'r Run>) -> Self {
        Self(runs.into_iter().map(|run| (run.tenant, run.id)).collect())
    }

    pub(crate) fn has(&self, tenant: TenantId, run: RunId) -> bool {
        self.0.contains(&(tenant, run))
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

/// The row, to be written where it still stands at `version`. It gets the mark.
pub(crate) fn from(row: runs::Model, version: RunVersion, mark: Uuid) -> Result<runs::Model, StoreError> {
    let version = put(&runs::Entity, "version", &version.count)?;
    Ok(runs::Model { version, version_mark: mark, ..row })
}
