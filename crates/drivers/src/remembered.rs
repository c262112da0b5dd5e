//! Runs that their caller remembers: locked, and asked for no more than whether that still holds.

use entities::{
    Id,
    activity::runs::{self, Column},
    logs::run_salts as salts,
};
use models::{
    activity::RunVersion,
    ids::{RunId, TenantId},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryResult, QuerySelect as _,
    QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    StoreError,
    activity::{frozen::freeze_of_run, governed},
    dialect,
    driver::{driver, of_tenant},
    governed::{Change, Found},
    keys,
    tally::{number, value},
};

driver! {
    /// Locks runs that are remembered.
    read RememberedRuns;
}

of_tenant!(runs);

fn salts_of(tenant: TenantId) -> Select<salts::Entity> {
    salts::Entity::find().filter(salts::Column::TenantId.eq(tenant.0))
}

const TABLE: &str = "runs";

/// What is asked beside the columns, and its names.
const FROZEN: &str = "frozen";
const SALTED: &str = "salted";

/// What a remembered run is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredState {
    /// The run.
    pub run: RunId,
    /// Which state it is in.
    pub version: RunVersion,
    /// Whether a freeze holds for it, under the very name of its agent.
    pub frozen: bool,
    /// Whether there is what its texts are hashed with.
    pub salted: bool,
}

impl RememberedRuns<'_> {
    /// Locks the runs among `ids` that there are, in order of their ids, until the unit of work ends. It does what
    /// [`Activity::lock_runs_for_steps`](crate::activity::Activity::lock_runs_for_steps) does, and reads none of what
    /// is remembered: neither the run nor its trace, which nobody writes who does not hold its run.
    pub async fn lock_states(self, tenant: TenantId, ids: &[RunId]) -> Result<Vec<StoredState>, StoreError> {
        let (backend, known) = (self.conn.backend(), self.conn.seen().change_of(tenant));
        let mut select = of(tenant)
            .select_only()
            .columns([Column::Id, Column::Version, Column::VersionMark])
            .expr_as(freeze_of_run(tenant), FROZEN)
            .expr_as(salt_of_run(tenant), SALTED)
            .order_by_asc(Column::Id)
            .lock_exclusive();
        for (asked, name) in governed::asked(tenant, known)? {
            select = select.expr_as(asked, name);
        }
        let mut states = Vec::with_capacity(ids.len());
        for chunk in keys::sorted(ids).chunks(dialect::keys_at_once(backend, 1)) {
            let among = dialect::among(backend, &[Column::Id], keys::transposed(chunk));
            let rows = self.conn.rows(select.clone().filter(among).build(backend)).await?;
            // All of them say the same.
            if let Some(row) = rows.first() {
                self.conn.seen().compare_governed(&found(row, tenant, known)?, self.conn.began())?;
            }
            for row in &rows {
                states.push(state(row)?);
            }
        }
        Ok(states)
    }
}

fn state(row: &QueryResult) -> Result<StoredState, StoreError> {
    let Id(run): Id<RunId> = value(TABLE, row, 0)?;
    let version = RunVersion { count: number(TABLE, Some(row), 1)?, mark: value::<Uuid>(TABLE, row, 2)? };
    Ok(StoredState { run, version, frozen: value(TABLE, row, 3)?, salted: value(TABLE, row, 4)? })
}

fn found(row: &QueryResult, tenant: TenantId, known: Option<Change>) -> Result<Found, StoreError> {
    governed::said(row, tenant, known).map_err(|err| StoreError::Corrupt {
        table: TABLE,
        row: "what governs its tenant".to_owned(),
        why: err.to_string(),
    })
}

/// That the run of the row that is asked for has a salt.
fn salt_of_run(tenant: TenantId) -> SimpleExpr {
    let of_run = Expr::col((salts::Entity, salts::Column::RunId)).equals((runs::Entity, Column::Id));
    Expr::exists(salts_of(tenant).select_only().column(salts::Column::RunId).filter(of_run).into_query())
}
