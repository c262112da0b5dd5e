//! Runs as a group locks them: with their traces, or, where it remembers them, asked for no more than whether that
//! still holds. Both say whether a freeze holds for a run, what its texts are hashed with, whether a permit has lapsed,
//! and what governs the tenant, in the one statement.

use chrono::{DateTime, Utc};
use entities::{
    Id,
    activity::runs::{self, Column},
    logs::{aos_traces as traces, run_salts as salts},
};
use models::{
    activity::{Run, RunVersion},
    ids::{RunId, TenantId},
    logs::Trace,
};
use proof::contents::Salt;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, FromQueryResult as _, IdenStatic as _, Iterable as _,
    QueryFilter as _, QueryOrder as _, QueryResult, QuerySelect as _, QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    StoreError,
    activity::{frozen::freeze_of_run, governed, read_run},
    dialect,
    driver::{driver, of_tenant},
    field::corrupt,
    governed::{Change, Found},
    keys,
    logs::{WAS_ERASED, read_trace},
    policies::any_lapsed,
    read,
    tally::{number, value},
    version,
};

driver! {
    /// Locks runs.
    read RunLocks;
}

of_tenant!(runs);

fn salts_of(tenant: TenantId) -> Select<salts::Entity> {
    salts::Entity::find().filter(salts::Column::TenantId.eq(tenant.0))
}

const TABLE: &str = "runs";

/// What is asked beside the columns, and its names; and how those of a trace begin.
const FROZEN: &str = "frozen";
const SALT: &str = "salt";
const LAPSED: &str = "lapsed";
const OF_TRACE: &str = "of_trace_";

/// A run as it is locked for calls of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LockedRun {
    /// The run.
    pub run: Run,
    /// Its own trace.
    pub trace: Trace,
    /// Which state of the two this is.
    pub version: RunVersion,
    /// Whether a freeze holds for it, under the very name of its agent.
    pub frozen: bool,
    /// What its texts are hashed with, where that is kept as it must be and the run was not erased when the statement
    /// began: of a run that is over, it may have been while this waited for it. What is there instead is told to
    /// whoever reads it.
    pub salt: Option<Salt>,
    /// Whether there is a permit of the tenant, of whatever run, that has lapsed and is to be released.
    pub lapsed: bool,
}

/// What a remembered run is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredState {
    /// The run.
    pub run: RunId,
    /// Which state it is in.
    pub version: RunVersion,
    /// Whether a freeze holds for it, under the very name of its agent.
    pub frozen: bool,
    /// What its texts are hashed with, where that is kept as it must be. What is wrong with it else is told to whoever
    /// reads it.
    pub salt: Option<Salt>,
    /// Whether there is a permit of the tenant, of whatever run, that has lapsed and is to be released.
    pub lapsed: bool,
}

impl RunLocks<'_> {
    /// The runs among `ids` that there are with their traces, locked in order of their ids until the unit of work ends.
    /// Fails where the store does not go on from what this process has seen govern the tenant: it fell back. Permits
    /// lapse at `now`.
    pub async fn lock_whole(
        self,
        tenant: TenantId,
        ids: &[RunId],
        now: DateTime<Utc>,
    ) -> Result<Vec<LockedRun>, StoreError> {
        let mut select: SelectStatement = of(tenant)
            .expr_as(freeze_of_run(tenant), FROZEN)
            .expr_as(asked(salt_of_run(tenant).filter(Expr::cust(format!("NOT {WAS_ERASED}")))), SALT)
            .expr_as(any_lapsed(tenant, now), LAPSED)
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .into_query();
        select.inner_join(traces::Entity, trace_of_run());
        for column in traces::Column::iter() {
            let name = format!("{OF_TRACE}{}", column.as_str());
            select.expr_as(Expr::col((traces::Entity, column)), name);
        }
        let rows = self.rows(tenant, select, ids).await?;
        rows.iter().map(whole).collect()
    }

    /// The same of runs that their caller remembers, of which it reads neither the run nor its trace. The trace is not
    /// locked: nobody writes one who does not hold its run.
    pub async fn lock_states(
        self,
        tenant: TenantId,
        ids: &[RunId],
        now: DateTime<Utc>,
    ) -> Result<Vec<StoredState>, StoreError> {
        let select: SelectStatement = of(tenant)
            .select_only()
            .columns([Column::Id, Column::Version, Column::VersionMark])
            .expr_as(freeze_of_run(tenant), FROZEN)
            .expr_as(asked(salt_of_run(tenant)), SALT)
            .expr_as(any_lapsed(tenant, now), LAPSED)
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .into_query();
        let rows = self.rows(tenant, select, ids).await?;
        rows.iter().map(state).collect()
    }

    /// What `select` says of these runs. It also asks what governs the tenant, and holds that against what was seen.
    async fn rows(
        self,
        tenant: TenantId,
        mut select: SelectStatement,
        ids: &[RunId],
    ) -> Result<Vec<QueryResult>, StoreError> {
        let (backend, known) = (self.conn.backend(), self.conn.seen().change_of(tenant));
        for (asked, name) in governed::asked(tenant, known)? {
            select.expr_as(asked, name);
        }
        let mut found = Vec::with_capacity(ids.len());
        for chunk in keys::sorted(ids).chunks(dialect::keys_at_once(backend, 1)) {
            let among = dialect::among(backend, &[Column::Id], keys::transposed(chunk));
            let mut select = select.clone();
            let rows = self.conn.rows(self.conn.statement(select.cond_where(among))).await?;
            // All of them say the same.
            if let Some(row) = rows.first() {
                self.conn.seen().compare_governed(&said(row, tenant, known)?, self.conn.began())?;
            }
            found.extend(rows);
        }
        Ok(found)
    }
}

fn whole(row: &QueryResult) -> Result<LockedRun, StoreError> {
    let run: runs::Model = read::model::<runs::Entity>(row)?;
    let (version, id) = (version::of(&run)?, run.id.0);
    let is = |column: &'static str| {
        let said = row.try_get::<bool>("", column);
        said.map_err(|err| corrupt(&runs::Entity, id.to_string(), column, &err.to_string()))
    };
    let (frozen, lapsed) = (is(FROZEN)?, is(LAPSED)?);
    let trace = traces::Model::from_query_result(row, OF_TRACE);
    let trace = trace.map_err(|err| StoreError::Corrupt {
        table: "aos_traces",
        row: run.trace_id.0.to_string(),
        why: err.to_string(),
    })?;
    Ok(LockedRun { run: read_run(run)?, trace: read_trace(trace)?, version, frozen, salt: salt(row), lapsed })
}

fn state(row: &QueryResult) -> Result<StoredState, StoreError> {
    let Id(run): Id<RunId> = value(TABLE, row, 0)?;
    let version = RunVersion { count: number(TABLE, Some(row), 1)?, mark: value::<Uuid>(TABLE, row, 2)? };
    let (frozen, lapsed) = (value(TABLE, row, 3)?, value(TABLE, row, 5)?);
    Ok(StoredState { run, version, frozen, salt: salt(row), lapsed })
}

fn salt(row: &QueryResult) -> Option<Salt> {
    let bytes: Option<Vec<u8>> = row.try_get_by(SALT).ok()?;
    <[u8; 32]>::try_from(bytes?).ok().map(Salt::new)
}

fn said(row: &QueryResult, tenant: TenantId, known: Option<Change>) -> Result<Found, StoreError> {
    governed::said(row, tenant, known).map_err(|err| StoreError::Corrupt {
        table: TABLE,
        row: "what governs its tenant".to_owned(),
        why: err.to_string(),
    })
}

/// That a trace is that of the run beside it.
fn trace_of_run() -> Condition {
    let same = |of_trace: traces::Column, of_run: Column| {
        Expr::col((traces::Entity, of_trace)).equals((runs::Entity, of_run))
    };
    Condition::all()
        .add(same(traces::Column::TenantId, Column::TenantId))
        .add(same(traces::Column::Id, Column::TraceId))
        .add(same(traces::Column::RunId, Column::Id))
}

/// The salt of the run of the row that is asked for.
fn salt_of_run(tenant: TenantId) -> Select<salts::Entity> {
    let of_run = Expr::col((salts::Entity, salts::Column::RunId)).equals((runs::Entity, Column::Id));
    salts_of(tenant).select_only().column(salts::Column::Salt).filter(of_run)
}

/// A query for one value, as a part of another.
fn asked(value: Select<salts::Entity>) -> SimpleExpr {
    Expr::SubQuery(None, Box::new(value.into_query().into()))
}
