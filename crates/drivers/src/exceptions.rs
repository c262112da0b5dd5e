//! The queries that do not begin with a tenant (spec 1, "Beyond one Postgres"). There are no others:
//!
//! - credentials, by the id of a key, a session or a login link;
//! - the list of tenants, and a tenant by its slug;
//! - the installation and its signing keys;
//! - the logs that are to be signed, and the comparison of their heads and of what governs each tenant;
//! - what a server remembers of several tenants for the time that its store is down;
//! - the claim of runs that nobody ends, and the mark on runs that stall;
//! - windows of limits that are over;
//! - in `jobs`, the claim of jobs, whose a job is, and who is without one that every tenant has.

mod jobs;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::{
    Id,
    account::{api_keys, governed_changes, installation, login_links, sessions, signing_keys, tenants},
    activity::{freezes, runs},
    ledger::{checkpoints, log_heads},
    policies::{limit_breaches, limit_usage, permits},
};
use models::{
    account::{ApiKey, Installation, LoginLink, Session, SigningKey, Tenant},
    activity::{DueReason, DueRun, Freeze, LatencyBucket, Marked, Run, RunState, Stalls},
    ids::{KeyId, LoginLinkId, RunId, SessionId, TenantId},
    ledger::LogHead,
    policies::PermitStatus,
};
use proof::words::{LimitType, LogName, RunStatus};
use sea_orm::{
    ColumnTrait as _, Condition, DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, Func, LockBehavior, LockType, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    StoreError,
    account::{self, Account, AccountReads},
    activity::{self, Activity, ActivityReads, stalled},
    bulk,
    field::{self, Field as _, put},
    governed::{Change, Found},
    keys,
    ledger::{LedgerReads, read_head},
    policies::Policies,
    read,
    rows::rows,
    sessions as stored, version,
};

pub use self::jobs::{ClaimedJob, DueJobs, STANDING_AT_ONCE};

/// Runs that one claim names at most; the next claim names the rest.
const DUE_AT_ONCE: u64 = 500;

/// Where a due run stands among those of its tenant. By the bare column SQLite would go over all runs there are, in the
/// order of another index.
const NTH_OF_TENANT: &str =
    "row_number() OVER (PARTITION BY coalesce(tenant_id, NULL) ORDER BY started_at, id)";
const TURN: &str = "turn";

/// Runs that one mark names as stalled at most; the next mark names the rest.
pub const STALLED_AT_ONCE: u64 = 1_000;

/// Windows of limits that are forgotten at once at most.
pub const FORGOTTEN_AT_ONCE: u64 = 1_000;

/// The installation's table has one row.
const THE_ONE: i64 = 1;

rows! {
    Installation, installation, key(name), fn installation_row(it), fn read_installation,
    same { name, signing_key_id, created_at } renamed {} extra { id = THE_ONE }
}

rows! {
    SigningKey, signing_keys, key(id), fn signing_key_row(key), fn signing_key,
    same { id, public_key, created_at, retired_at } renamed {} extra {}
}

impl AccountReads<'_> {
    /// The key that a credential names, and its tenant.
    pub async fn find_key(self, id: KeyId) -> Result<Option<(ApiKey, Tenant)>, StoreError> {
        let key =
            read::one(self.conn, api_keys::Entity::find().filter(api_keys::Column::Id.eq(id.0))).await?;
        let Some(key) = key.map(account::key).transpose()? else { return Ok(None) };
        let tenant = self.find_tenant(key.tenant).await?.ok_or_else(|| StoreError::Corrupt {
            table: "api_keys",
            row: key.id.to_string(),
            why: "its tenant is gone".to_owned(),
        })?;
        Ok(Some((key, tenant)))
    }

    /// The session that a cookie names.
    pub async fn find_session(self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let select = sessions::Entity::find().filter(sessions::Column::Id.eq(id.0));
        read::one(self.conn, select).await?.map(stored::session).transpose()
    }

    /// The login link that a token names.
    pub async fn find_login_link(self, id: LoginLinkId) -> Result<Option<LoginLink>, StoreError> {
        let select = login_links::Entity::find().filter(login_links::Column::Id.eq(id.0));
        read::one(self.conn, select).await?.map(stored::login_link).transpose()
    }

    /// The tenant that a slug names.
    pub async fn find_tenant_by_slug(self, slug: &str) -> Result<Option<Tenant>, StoreError> {
        let row =
            read::one(self.conn, tenants::Entity::find().filter(tenants::Column::Slug.eq(slug))).await?;
        row.map(account::tenant).transpose()
    }

    /// Every tenant, by slug.
    pub async fn list_tenants(self) -> Result<Vec<Tenant>, StoreError> {
        let rows = read::all(self.conn, tenants::Entity::find().order_by_asc(tenants::Column::Slug)).await?;
        rows.into_iter().map(account::tenant).collect()
    }

    /// The tenants among `ids` that there are: all of which a server remembers runs, at once. Fails where the store
    /// does not go on from what this process has seen of one: it fell back.
    pub async fn find_tenants(self, ids: &[TenantId]) -> Result<Vec<Tenant>, StoreError> {
        let (all, key) = (tenants::Entity::find(), [tenants::Column::TenantId]);
        let rows = read::by_keys(self.conn, all, key, keys::sorted(ids)).await?;
        let tenants = rows.into_iter().map(account::tenant).collect::<Result<Vec<_>, _>>()?;
        let counts: Vec<_> = tenants.iter().map(|tenant| (tenant.id, tenant.policy_generation)).collect();
        for found in self.governed(&counts).await? {
            self.conn.saw_governed(&found)?;
        }
        Ok(tenants)
    }

    /// The keys among `ids` that there are, whosever they are: those that a server remembers.
    pub async fn find_keys(self, ids: &[KeyId]) -> Result<Vec<ApiKey>, StoreError> {
        let (all, key) = (api_keys::Entity::find(), [api_keys::Column::Id]);
        let rows = read::by_keys(self.conn, all, key, keys::sorted(ids)).await?;
        rows.into_iter().map(account::key).collect()
    }

    /// How often what governs each tenant has changed.
    async fn all_policy_generations(self) -> Result<HashMap<TenantId, u64>, StoreError> {
        let tenants = self.list_tenants().await?;
        Ok(tenants.into_iter().map(|tenant| (tenant.id, tenant.policy_generation)).collect())
    }

    /// Holds the changes of what governs each tenant against what this process saw of them.
    pub(crate) async fn compare_governed(self) -> Result<(), StoreError> {
        let seen = self.conn.seen();
        let known = seen.governed();
        if known.is_empty() {
            return Ok(());
        }
        let all = self.all_policy_generations().await?;
        let counts: Vec<(TenantId, u64)> =
            known.into_iter().map(|tenant| (tenant, all.get(&tenant).copied().unwrap_or_default())).collect();
        let mut fallen = Ok(());
        for found in self.governed(&counts).await? {
            fallen = fallen.and(seen.compare_governed(&found, self.conn.began()));
        }
        fallen
    }

    /// What the store has of these tenants, which have changed so often in it, beside what this process remembers.
    pub(crate) async fn governed(self, counts: &[(TenantId, u64)]) -> Result<Vec<Found>, StoreError> {
        let known: Vec<Option<Change>> =
            counts.iter().map(|(tenant, _)| self.conn.seen().change_of(*tenant)).collect();
        let mut asked = counts.to_vec();
        asked.extend(
            counts.iter().zip(&known).filter_map(|((tenant, _), known)| Some((*tenant, (*known)?.count))),
        );
        let marks = self.marks(&asked).await?;
        let mark = |tenant: TenantId, count: u64| marks.get(&(tenant, count)).copied();
        let found = counts.iter().zip(known).map(|(&(tenant, count), known)| Found {
            tenant,
            has: Change { count, mark: mark(tenant, count) },
            known,
            there: known.and_then(|known| mark(tenant, known.count)),
        });
        Ok(found.collect())
    }

    /// The marks of these changes of these tenants; changes from before they were marked have none.
    async fn marks(self, of: &[(TenantId, u64)]) -> Result<HashMap<(TenantId, u64), Uuid>, StoreError> {
        use governed_changes::{Column, Entity};
        let mut asked = Vec::with_capacity(of.len());
        for (tenant, count) in keys::in_order(of) {
            let count: i64 = put(&Entity, "generation", &count)?;
            asked.push([tenant.0.into(), count.into()]);
        }
        let key = [Column::TenantId, Column::Generation];
        let mut marks = HashMap::with_capacity(asked.len());
        for row in read::by_keys(self.conn, Entity::find(), key, asked).await? {
            let bad = |why: String| field::corrupt(&Entity, row.tenant_id.to_string(), "generation", &why);
            let count: u64 = row.generation.get().map_err(bad)?;
            marks.insert((row.tenant_id.0, count), row.mark);
        }
        Ok(marks)
    }

    /// This installation; none before the first start.
    pub async fn installation(self) -> Result<Option<Installation>, StoreError> {
        read::one(self.conn, installation::Entity::find()).await?.map(read_installation).transpose()
    }

    /// Public halves of the signing keys, oldest first, retired ones included.
    pub async fn signing_keys(self) -> Result<Vec<SigningKey>, StoreError> {
        let select = signing_keys::Entity::find()
            .order_by_asc(signing_keys::Column::CreatedAt)
            .order_by_asc(signing_keys::Column::Id);
        read::all(self.conn, select).await?.into_iter().map(signing_key).collect()
    }
}

impl Account<'_> {
    /// Names the installation. Its signing key is there already; a second installation is a conflict.
    pub async fn insert_installation(self, it: &Installation) -> Result<(), StoreError> {
        bulk::insert::<installation::Entity>(self.conn, vec![installation_row(it)?]).await
    }

    /// This installation, locked until the unit of work ends.
    pub async fn lock_installation(self) -> Result<Option<Installation>, StoreError> {
        let select = installation::Entity::find().lock_exclusive();
        read::one(self.conn, select).await?.map(read_installation).transpose()
    }

    /// Makes another key the one that signs.
    pub async fn save_installation(self, it: &Installation) -> Result<(), StoreError> {
        let changing = [installation::Column::Name, installation::Column::SigningKeyId];
        bulk::update::<installation::Entity>(self.conn, vec![installation_row(it)?], &changing).await
    }

    /// Publishes a signing key.
    pub async fn insert_signing_key(self, key: &SigningKey) -> Result<(), StoreError> {
        bulk::insert::<signing_keys::Entity>(self.conn, vec![signing_key_row(key)?]).await
    }

    /// Retires a signing key; it stays published.
    pub async fn retire_signing_key(self, id: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let update = signing_keys::Entity::update_many()
            .col_expr(signing_keys::Column::RetiredAt, Expr::value(at))
            .filter(signing_keys::Column::Id.eq(id));
        match self.conn.execute(update.build(self.conn.backend())).await? {
            1 => Ok(()),
            actual => Err(StoreError::RowsAffected { table: "signing_keys", expected: 1, actual }),
        }
    }
}

impl ActivityReads<'_> {
    /// The freezes in force of several tenants, that of a whole tenant before those of its agents.
    pub async fn freezes_of_tenants(self, ids: &[TenantId]) -> Result<Vec<Freeze>, StoreError> {
        let all = freezes::Entity::find()
            .order_by_asc(freezes::Column::TenantId)
            .order_by_asc(freezes::Column::TargetId);
        let rows = read::by_keys(self.conn, all, [freezes::Column::TenantId], keys::sorted(ids)).await?;
        rows.into_iter().map(activity::read_freeze).collect()
    }

    /// Those among these runs that take no more steps, as they are: what a server remembers as running is held against
    /// the store by this.
    pub async fn runs_that_stopped(self, ids: &[(TenantId, RunId)]) -> Result<Vec<Run>, StoreError> {
        use runs::Column;
        let stopped = Condition::any()
            .add(Column::State.ne(RunState::Live.as_str()))
            .add(Column::Status.ne(RunStatus::Running.as_str()));
        let (all, key) = (runs::Entity::find().filter(stopped), [Column::TenantId, Column::Id]);
        let ids =
            keys::in_order(ids).into_iter().map(|(tenant, run)| [tenant.0.into(), run.0.into()]).collect();
        let rows = read::by_keys(self.conn, all, key, ids).await?;
        rows.into_iter().map(activity::read_run).collect()
    }

    /// LIVE runs that are to be sealed: those whose time has come at `now`, and those that have been silent since
    /// `silent_since` or longer. Without a `silent_since` no run is given up: only those are named that were stopped,
    /// or are traces that have reported their end.
    ///
    /// A run that could not be sealed is named again when its next try is due. The oldest run of each tenant comes
    /// first, then the second of each, so that no tenant waits for another's many.
    pub async fn due_runs(
        self,
        now: DateTime<Utc>,
        silent_since: Option<DateTime<Utc>>,
    ) -> Result<Vec<DueRun>, StoreError> {
        use runs::Column;
        let its_time = Column::SealDueAt.lte(now);
        let ends =
            Condition::any().add(Column::HaltAction.is_not_null()).add(Column::ReportedEnd.is_not_null());
        let due = match silent_since {
            Some(since) => Condition::any().add(its_time).add(Column::LastSeenAt.lte(since)),
            None => Condition::all().add(its_time).add(ends),
        };
        let tried = Condition::any().add(Column::SealRetryAt.is_null()).add(Column::SealRetryAt.lte(now));
        let mut pending = SelectStatement::new();
        pending
            .columns([Column::TenantId, Column::Id, Column::SealDueAt, Column::LastSeenAt, Column::StartedAt])
            .expr_as(Expr::cust(NTH_OF_TENANT), TURN)
            .from(runs::Entity)
            // The word itself and no value in its place: only then does the partial index serve.
            .cond_where(Condition::all().add(Expr::cust("state = 'LIVE'")).add(due).add(tried));
        let mut query = SelectStatement::new();
        query
            .columns([Column::TenantId, Column::Id, Column::SealDueAt, Column::LastSeenAt])
            .from_subquery(pending, "pending")
            .order_by(TURN, sea_orm::Order::Asc)
            .order_by(Column::StartedAt, sea_orm::Order::Asc)
            .order_by(Column::Id, sea_orm::Order::Asc)
            .limit(DUE_AT_ONCE);
        let rows = self.conn.rows(self.conn.statement(&query)).await?;
        rows.iter()
            .map(|row| {
                let stopped = row.try_get_by::<Option<DateTime<Utc>>, _>(2)?.filter(|at| *at <= now);
                let (reason, since) = match stopped {
                    Some(due) => (DueReason::Stopped, due),
                    None => (DueReason::Abandoned, row.try_get_by(3)?),
                };
                Ok(DueRun {
                    tenant: row.try_get_by::<Id<TenantId>, _>(0)?.0,
                    id: row.try_get_by::<Id<RunId>, _>(1)?.0,
                    reason,
                    since,
                })
            })
            .collect()
    }
}

impl Activity<'_> {
    /// Marks LIVE runs that stall, with the risk that follows from that alone, at most [`STALLED_AT_ONCE`]; gives how
    /// many.
    ///
    /// A run that another unit of work has locked is passed over: that unit of work derives its risk anew, and the next
    /// mark looks at it again. So this waits for nobody, and needs no order of locks.
    ///
    /// What a row says is marked and counted as it stands there, whether or not it reads back: that is for the check of
    /// its run. Only one of which a column is not even what its type says (SQLite keeps any text for a time) is marked
    /// and not counted, and the check of counters says so. One that is passed over would be found again by each mark,
    /// and enough of them would end the mark for everybody.
    pub async fn mark_stalled(self, stalls: Stalls) -> Result<Marked, StoreError> {
        use runs::Column;
        let expected = Func::coalesce([
            Expr::col(Column::ExpectedLatencyMs),
            Expr::val(put::<i64, _>(&runs::Entity, "expected_latency_ms", &stalls.expected_ms)?),
        ]);
        let factor: i64 = put(&runs::Entity, "expected_latency_ms", &stalls.factor)?;
        // The row of a trace that has told its end says itself how long it took.
        let slow = Condition::all()
            .add(Column::ReportedEnd.is_null())
            .add(elapsed_ms(self.conn.backend(), stalls.now).gt(Expr::expr(expected).mul(factor)));
        let stalled = Condition::any().add(Column::LastSeenAt.lte(stalls.silent_since)).add(slow);
        // The word itself, as for the claim of those that nobody ends.
        let live = Condition::all().add(Expr::cust("state = 'LIVE'")).add(stalled);
        let found = runs::Entity::find()
            .filter(live)
            .filter(Column::LatencyBucket.ne(LatencyBucket::Stalled.as_str()))
            .limit(STALLED_AT_ONCE)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let rows = self.conn.rows(found.build(self.conn.backend())).await?;
        let keys = stalled::noted(self.conn, &rows);
        let mark = version::update(self.conn.backend())
            .col_expr(Column::LatencyBucket, Expr::value(LatencyBucket::Stalled.as_str()))
            .col_expr(Column::RiskLevel, stalled::risk());
        let marked = read::update_by_keys(self.conn, mark, [Column::TenantId, Column::Id], keys).await?;
        Ok(Marked { found: rows.len() as u64, marked })
    }
}

/// How long ago a run began, in milliseconds.
fn elapsed_ms(backend: DbBackend, now: DateTime<Utc>) -> SimpleExpr {
    let sql = match backend {
        DbBackend::Postgres => "floor(extract(epoch FROM $1::timestamptz - started_at) * 1000)::bigint",
        _ => "CAST(round((julianday(?) - julianday(started_at)) * 86400000) AS INTEGER)",
    };
    Expr::cust_with_values(sql, [now])
}

impl Policies<'_> {
    /// Forgets windows of limits that were over at `over_by`, the oldest first, at most so many at once; gives how
    /// many.
    ///
    /// A window stays if a GRANTED permit that began before the window's end may still hold something of it. A window
    /// in which a budget on cost was passed stays for good, because people ask long after by how much.
    pub async fn forget_windows(self, over_by: DateTime<Utc>) -> Result<u64, StoreError> {
        use limit_breaches::Column as B;
        use limit_usage::Column as U;
        use permits::Column as P;
        let of = |column: U| Expr::col((limit_usage::Entity, column));
        let breach = |column: B| Expr::col((limit_breaches::Entity, column));
        let passed = Query::select()
            .expr(Expr::val(1_i64))
            .from(limit_breaches::Entity)
            .and_where(breach(B::TenantId).equals((limit_usage::Entity, U::TenantId)))
            .and_where(breach(B::LimitId).equals((limit_usage::Entity, U::LimitId)))
            .and_where(breach(B::WindowStart).equals((limit_usage::Entity, U::WindowStart)))
            .and_where(breach(B::LimitType).eq(LimitType::CostUsd.as_str()))
            .to_owned();
        let mut keep = Query::update();
        keep.table(limit_usage::Entity)
            .value(U::OverBy, Option::<DateTime<Utc>>::None)
            .and_where(of(U::OverBy).lte(over_by))
            .and_where(Expr::exists(passed));
        self.conn.execute(self.conn.backend().build(&keep)).await?;
        let held = Query::select()
            .expr(Expr::val(1_i64))
            .from(permits::Entity)
            .and_where(Expr::col((permits::Entity, P::TenantId)).equals((limit_usage::Entity, U::TenantId)))
            .and_where(Expr::col((permits::Entity, P::Status)).eq(PermitStatus::Granted.as_str()))
            .and_where(Expr::col((permits::Entity, P::GrantedAt)).lte(of(U::OverBy)))
            .to_owned();
        let key = [U::TenantId, U::LimitId, U::ScopeKey, U::WindowStart];
        let over = Query::select()
            .columns(key.map(|column| (limit_usage::Entity, column)))
            .from(limit_usage::Entity)
            .and_where(of(U::OverBy).lte(over_by))
            .and_where(Expr::exists(held).not())
            .order_by((limit_usage::Entity, U::OverBy), sea_orm::Order::Asc)
            .limit(FORGOTTEN_AT_ONCE)
            .to_owned();
        let mut delete = Query::delete();
        delete.from_table(limit_usage::Entity).and_where(Expr::tuple(key.map(Expr::col)).in_subquery(over));
        self.conn.execute(self.conn.backend().build(&delete)).await
    }
}

impl LedgerReads<'_> {
    /// When the newest leaf of any log was written; none where there is no leaf.
    pub async fn newest_leaf_at(self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(self.all_heads().await?.into_iter().filter_map(|head| head.last_at).max())
    }

    /// The heads of all logs: what this process saw of any of them is held against these.
    pub(crate) async fn all_heads(self) -> Result<Vec<LogHead>, StoreError> {
        read::all(self.conn, log_heads::Entity::find()).await?.into_iter().map(read_head).collect()
    }

    /// The logs that want a checkpoint: they have grown since the last one of their epoch, or there is none since
    /// `signed_since`.
    pub async fn heads_with_news(
        self,
        signed_since: DateTime<Utc>,
    ) -> Result<Vec<(TenantId, LogName)>, StoreError> {
        let signed = newest_checkpoint();
        let unsigned = Expr::col((log_heads::Entity, log_heads::Column::TreeSize))
            .gt(Func::coalesce([signed, Expr::val(0_i64)]));
        let fresh =
            checkpoints_of_head().and_where(checkpoints::Column::CreatedAt.gte(signed_since)).to_owned();
        let mut query = SelectStatement::new();
        query
            .columns([
                (log_heads::Entity, log_heads::Column::TenantId),
                (log_heads::Entity, log_heads::Column::Log),
            ])
            .from(log_heads::Entity)
            .cond_where(Condition::any().add(unsigned).add(Expr::exists(fresh).not()))
            .order_by((log_heads::Entity, log_heads::Column::TenantId), sea_orm::Order::Asc)
            .order_by((log_heads::Entity, log_heads::Column::Log), sea_orm::Order::Asc);
        let rows = self.conn.rows(self.conn.statement(&query)).await?;
        rows.iter()
            .map(|row| {
                let (Id(tenant), log): (Id<TenantId>, String) = (row.try_get_by(0)?, row.try_get_by(1)?);
                let log = log
                    .get()
                    .map_err(|why| field::corrupt(&log_heads::Entity, tenant.to_string(), "log", &why))?;
                Ok((tenant, log))
            })
            .collect()
    }
}

/// Checkpoints of a head's own log and epoch.
fn checkpoints_of_head() -> SelectStatement {
    use checkpoints::Column as C;
    use log_heads::Column as H;
    let same = |of: C, with: H| Expr::col((checkpoints::Entity, of)).equals((log_heads::Entity, with));
    Query::select()
        .expr(Expr::val(1_i64))
        .from(checkpoints::Entity)
        .and_where(same(C::TenantId, H::TenantId))
        .and_where(same(C::Log, H::Log))
        .and_where(same(C::Epoch, H::Epoch))
        .to_owned()
}

fn newest_checkpoint() -> SimpleExpr {
    let mut size = checkpoints_of_head();
    size.clear_selects().expr(Func::max(Expr::col((checkpoints::Entity, checkpoints::Column::TreeSize))));
    SimpleExpr::SubQuery(None, Box::new(size.into()))
}
