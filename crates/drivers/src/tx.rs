//! The unit of work. Whoever owns the [`Tx`] commits it; a borrower cannot.

mod able;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use migrations::MigratorTrait as _;
use models::{ids::TenantId, ledger::LogHead};
use sea_orm::{DatabaseConnection, DbBackend, SqlxPostgresConnector, SqlxSqliteConnector, Statement};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    StoreError,
    account::{Account, AccountReads},
    activity::{Activity, ActivityReads, RunMetricsDriver, RunSignalDriver},
    bundles::ExportBundleStore,
    config::ConnectConfig,
    conn::Conn,
    connect::{self, Pools},
    counters::{Counters, CountersReads},
    history,
    idempotency::{IdempotencyReads, IdempotencyStore},
    incidents::{IncidentRunReadDriver, Incidents, IncidentsReads},
    integrity::IntegrityAssembler,
    jobs::{Jobs, JobsReads},
    ledger::{Ledger, LedgerReads},
    logs::{Evidence, EvidenceReads, LogsDomainStore, LogsReads, TraceReads, TraceStore},
    overview::Overview,
    patience::in_time,
    policies::{
        Policies, PoliciesReads, PolicyEnforcementReadDriver, PolicyEnforcementWriteDriver,
        PreventionRecordsReadDriver, PreventionRecordsWriteDriver,
    },
    room::Room,
    run_locks::RunLocks,
    seen::{Seen, SeenHead},
    store_file::StoreFile,
    store_name::StoreName,
    tally::value,
};

/// How long a read waits for its turn.
const TURN: Duration = Duration::from_secs(3);

/// Holds all that this process saw against the store: its logs, and what governs each tenant.
async fn compare_all(conn: &Conn) -> Result<(), StoreError> {
    let logs = LedgerReads::new(conn).compare_all().await;
    logs.and(AccountReads::new(conn).compare_governed().await)
}

/// One database: Postgres or SQLite.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
    sent: Arc<AtomicU64>,
    /// How many statements of units of work that write were answered: what hangs answers none.
    written: Arc<AtomicU64>,
    /// Reads that may go on at once: some connections are left for what must not stand behind them.
    reads: Arc<Semaphore>,
    /// When [`Self::can_commit`] last found that it can.
    committed: Arc<Mutex<Option<Instant>>>,
    /// Whether there is room for what is written.
    room: Arc<Room>,
    seen: Seen,
}

impl Db {
    /// Opens the store that `config` names, and refuses one that cannot keep our promises.
    pub async fn connect(config: &ConnectConfig) -> Result<Self, StoreError> {
        Ok(Self {
            pools: connect::open(config).await?,
            sent: Arc::default(),
            written: Arc::default(),
            reads: Arc::new(Semaphore::new(reads_of(config.max_connections))),
            committed: Arc::default(),
            room: Arc::default(),
            seen: Seen::default(),
        })
    }

    /// Brings the schema up to date. What another history than ours made is left as it is.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let whole = self.whole();
        history::pending(&whole).await?;
        migrations::Migrator::up(&whole, None).await?;
        if let Pools::Postgres(pool) = &self.pools {
            pool.row_types.forget();
        }
        Ok(())
    }

    /// The migrations that are not applied yet, oldest first. Refuses a store that another history than ours made.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        history::pending(&self.whole()).await
    }

    /// Opens a unit of work that may write. On SQLite this is the write lock, taken at once: a transaction
    /// that reads first and writes later would find its snapshot stale.
    ///
    /// On another Postgres than before, the logs that this process knows must be there as it knows them.
    #[must_use = "it opens nothing before it is awaited"]
    pub fn begin(&self) -> BoxFuture<'_, Result<Tx, StoreError>> {
        Box::pin(async move {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let conn = match &self.pools {
                Pools::Postgres(pool) => {
                    let mut lent = pool.begin("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                    pool.row_types.ensure(&mut lent).await?;
                    let met = pool.incarnation.met();
                    let is_new = !self.seen.is_compared(met);
                    if is_new && !pool.incarnation.leads(&mut lent).await? {
                        let why = "the connection leads to a Postgres that another has taken the place of";
                        return Err(StoreError::Unavailable(why.into()));
                    }
                    let conn = Conn::postgres(lent, pool.clone(), self.sent.clone(), self.seen.clone());
                    if is_new {
                        compare_all(&conn).await?;
                        self.seen.set_compared(met);
                    }
                    conn
                }
                Pools::Sqlite { writer, file, .. } => {
                    if let Some(damage) = self.damaged() {
                        return Err(StoreError::Unavailable(damage.into()));
                    }
                    let before = self.written.load(Ordering::Relaxed);
                    let begun = in_time(writer.begin_with("BEGIN IMMEDIATE")).await;
                    // Whoever has the one writer may have got no answer either: then it is not busy, it hangs.
                    let begun = begun.map_err(StoreError::at_embedded_begin).map_err(|err| match err {
                        StoreError::Busy(cause) if self.written.load(Ordering::Relaxed) == before => {
                            StoreError::Unavailable(cause)
                        }
                        err => err,
                    });
                    let tx = begun.inspect_err(|err| self.note(err))?;
                    if let Some(file) = file {
                        file.check()?;
                    }
                    Conn::sqlite(tx, file.clone(), self.sent.clone(), self.seen.clone())
                }
            };
            Ok(Tx { conn: conn.writing(self.written.clone(), self.room.clone()), file: self.file().cloned() })
        })
    }

    /// Undoes `tx` and opens another unit of work: on another connection where the store has several, so that what
    /// failed for its connection's sake does not fail again.
    pub async fn begin_elsewhere(&self, tx: Tx) -> Result<Tx, StoreError> {
        if self.is_sqlite() {
            tx.rollback().await?;
            return self.begin().await;
        }
        // Begun first: a connection that is given back is the next that is lent.
        let other = self.begin().await;
        // A connection that cannot even roll back ends, and its locks with it.
        if let Err(err) = tx.rollback().await {
            tracing::debug!(error = &err as &dyn std::error::Error, "a unit of work could not be undone");
        }
        match other {
            Ok(other) => Ok(other),
            // There may have been none but that one.
            Err(_) => self.begin().await,
        }
    }

    /// What this process saw of logs and the store does not have any more: it fell back. Until that is settled, whoever
    /// writes must not.
    #[must_use]
    pub fn fallen(&self) -> Vec<SeenHead> {
        self.seen.fallen()
    }

    /// Why the store is only read, where it fell back.
    #[must_use]
    pub fn fell_back(&self) -> Option<String> {
        self.seen.fell_back().or_else(|| self.file()?.lost())
    }

    /// The same for whoever asks, and may be of another tenant: without whose it is, and how much.
    #[must_use]
    pub fn fell_back_in_short(&self) -> Option<String> {
        self.seen.fell_back_in_short().or_else(|| self.file()?.lost())
    }

    /// How often this process met that somebody had accepted what the store lost of a tenant: what it saw of the tenant
    /// before that is gone, and that is settled.
    #[must_use]
    pub fn acceptances(&self, tenant: TenantId) -> u64 {
        self.seen.acceptances(tenant)
    }

    /// What to do about an embedded store whose file this process found damaged. It takes no writes any more.
    #[must_use]
    pub fn damaged(&self) -> Option<&'static str> {
        self.file()?.damage()
    }

    fn note(&self, err: &StoreError) {
        if let Some(file) = self.file() {
            file.note(err);
        }
    }

    /// What the store is known by that a unit of work of now is committed to. None where that is not known: nothing was
    /// written on it yet, or its file is nobody's any more.
    #[must_use]
    pub fn name(&self) -> Option<StoreName> {
        let falls = self.seen.falls();
        match &self.pools {
            Pools::Postgres(pool) => {
                let (met, shared) = pool.name()?;
                Some(StoreName { shared: Some(shared), met, falls })
            }
            Pools::Sqlite { file, .. } => {
                let is_there = file.as_ref().is_none_or(|file| file.check().is_ok());
                is_there.then_some(StoreName { shared: None, met: 1, falls })
            }
        }
    }

    /// Holds every log that this process knows against the store, as it is.
    pub async fn compare_logs(&self) -> Result<(), StoreError> {
        compare_all(&self.read().await?.conn).await
    }

    /// The same where there is another Postgres than before, and nothing was written on it yet.
    pub async fn compare_if_moved(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Postgres(pool) if !self.seen.is_compared(pool.incarnation.met()) => {
                self.begin().await?.rollback().await
            }
            _ => Ok(()),
        }
    }

    /// Remembers a head that this process signs.
    pub fn note_signed(&self, head: &LogHead) {
        self.seen.note(head);
    }

    /// Opens a unit of work that only reads, all of it from one moment. Many of them leave some connections to others.
    #[must_use = "it opens nothing before it is awaited"]
    pub fn read(&self) -> BoxFuture<'_, Result<ReadTx, StoreError>> {
        Box::pin(async move {
            let place = timeout(TURN, Arc::clone(&self.reads).acquire_owned()).await;
            let place = place.ok().and_then(Result::ok);
            let place = place.ok_or_else(|| StoreError::Busy("too many reads are under way".into()))?;
            Ok(ReadTx { place: Some(place), ..self.read_first().await? })
        })
    }

    /// The same for what must not stand behind other reads: who calls, whether the store is there.
    #[must_use = "it opens nothing before it is awaited"]
    pub fn read_first(&self) -> BoxFuture<'_, Result<ReadTx, StoreError>> {
        Box::pin(async move {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let conn = match &self.pools {
                Pools::Postgres(pool) => {
                    let lent = pool.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                    Conn::postgres(lent, pool.clone(), self.sent.clone(), self.seen.clone())
                }
                Pools::Sqlite { readers, file, .. } => {
                    let begun = in_time(readers.begin_with("BEGIN DEFERRED")).await;
                    let tx = begun.inspect_err(|err| self.note(err))?;
                    Conn::sqlite(tx, file.clone(), self.sent.clone(), self.seen.clone())
                }
            };
            Ok(ReadTx { conn, place: None })
        })
    }

    /// What the store's own clock says; an embedded store has none.
    pub async fn now(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        if self.is_sqlite() {
            return Ok(None);
        }
        let store = self.read_first().await?;
        let ask = Statement::from_string(store.conn.backend(), "SELECT clock_timestamp()");
        let rows = store.conn.rows(ask).await?;
        rows.first().map(|row| value("clock_timestamp", row, 0)).transpose()
    }

    /// How many statements were sent since the store was opened, those that begin and end a unit of work included.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether this is the embedded store.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Waits for the units of work under way, then closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Postgres(pool) => pool.connections.close().await,
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }

    pub(crate) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// The file that an embedded store is.
    fn file(&self) -> Option<&Arc<StoreFile>> {
        match &self.pools {
            Pools::Sqlite { file, .. } => file.as_ref(),
            Pools::Postgres(_) => None,
        }
    }

    /// The whole database at once, for migrations alone.
    fn whole(&self) -> DatabaseConnection {
        match &self.pools {
            Pools::Postgres(pool) => SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connections.clone()),
            Pools::Sqlite { writer, .. } => SqlxSqliteConnector::from_sqlx_sqlite_pool(writer.clone()),
        }
    }
}

/// Three of four connections; the only one, where there is one.
fn reads_of(connections: u32) -> usize {
    let connections = usize::try_from(connections).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
    connections - connections / 4
}

/// One open transaction. Dropped without [`Tx::commit`], it rolls back.
#[must_use = "a transaction does nothing until it is committed"]
#[derive(Debug)]
pub struct Tx {
    pub(crate) conn: Conn,
    file: Option<Arc<StoreFile>>,
}

impl Tx {
    /// Makes everything done so far durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.conn.commit().await?;
        // What was committed into a file that is nobody's any more is gone, and must not be told.
        self.file.map_or(Ok(()), |file| file.check())
    }

    /// From now on a lock that another unit of work holds is waited for so long at most. SQLite has one lock, and this
    /// unit of work has it.
    pub async fn wait_at_most(&self, most: Duration) -> Result<(), StoreError> {
        let backend = self.conn.backend();
        if backend != DbBackend::Postgres {
            return Ok(());
        }
        let setting = format!("SET LOCAL lock_timeout = {}", most.as_millis().max(1));
        self.conn.execute(Statement::from_string(backend, setting)).await.map(drop)
    }

    /// From now on what is written waits, and goes to the store together: with the commit, before anything is read, or
    /// where it is some MiB. Whoever begins this has read what it needs. That something of it fails is told then.
    pub fn write_together(&self) {
        self.conn.write_together();
    }

    /// Sends what waits. That something of it fails is told here, while there is still a unit of work: whoever goes on
    /// on another connection needs the one that failed, so that he is not lent the same again.
    pub async fn send_waiting(&self) -> Result<(), StoreError> {
        self.conn.send_waiting().await
    }

    /// The same of all that a commit would send before itself: also what was counted.
    pub async fn send_all(&self) -> Result<(), StoreError> {
        self.conn.store_counters().await?;
        self.conn.send_waiting().await
    }

    /// Undoes everything, and waits until that is done. A drop does the same in the background.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.conn.rollback().await
    }
}

/// One open transaction that reads, all of it from one moment.
#[derive(Debug)]
pub struct ReadTx {
    pub(crate) conn: Conn,
    /// After the connection, so that it is free when the next takes the place.
    #[expect(dead_code, reason = "it is held, and given back when it is dropped")]
    place: Option<OwnedSemaphorePermit>,
}

/// The drivers that a unit of work lends.
macro_rules! lends {
    ($of:ty { $($(#[$doc:meta])* $name:ident: $driver:ident),+ $(,)? }) => {
        impl $of {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $driver<'_> {
                $driver::new(&self.conn)
            })+
        }
    };
}

lends! { Tx {
    /// Tenants, keys, the installation.
    account: Account,
    /// What calls with a key were answered.
    idempotency: IdempotencyStore,
    /// Runs.
    activity: Activity,
    /// Runs, to lock them for calls.
    run_locks: RunLocks,
    /// What violations and drafts do to runs.
    run_metrics: RunMetricsDriver,
    /// What signals do to runs.
    run_signals: RunSignalDriver,
    /// Rules, limits, and what the choke point decides by them.
    policies: Policies,
    /// Enforcements.
    enforcements: PolicyEnforcementWriteDriver,
    /// Prevention records.
    preventions: PreventionRecordsWriteDriver,
    /// Incidents and their timelines.
    incidents: Incidents,
    /// Incidents of a run.
    incident_runs: IncidentRunReadDriver,
    /// Jobs, and what happened to them.
    jobs: Jobs,
    /// Traces and steps.
    traces: TraceStore,
    /// Evidence.
    evidence: Evidence,
    /// Counts of evidence.
    integrity: IntegrityAssembler,
    /// The Audit Ledger, LLM run records, system records.
    logs: LogsDomainStore,
    /// The two logs as trees.
    ledger: Ledger,
    /// Counters against what they count.
    counters: Counters,
} }

lends! { ReadTx {
    /// Tenants, keys, the installation.
    account: AccountReads,
    /// What calls with a key were answered.
    idempotency: IdempotencyReads,
    /// Runs.
    activity: ActivityReads,
    /// Rules, limits, and what the choke point decided by them.
    policies: PoliciesReads,
    /// Enforcements.
    enforcements: PolicyEnforcementReadDriver,
    /// Prevention records.
    preventions: PreventionRecordsReadDriver,
    /// Incidents and their timelines.
    incidents: IncidentsReads,
    /// Incidents of a run.
    incident_runs: IncidentRunReadDriver,
    /// Jobs, and what happened to them.
    jobs: JobsReads,
    /// Traces and steps.
    traces: TraceReads,
    /// Evidence.
    evidence: EvidenceReads,
    /// Counts of evidence.
    integrity: IntegrityAssembler,
    /// The Audit Ledger, LLM run records, system records.
    logs: LogsReads,
    /// The two logs as trees.
    ledger: LedgerReads,
    /// Counters against what they count.
    counters: CountersReads,
    /// What waits for a decision.
    overview: Overview,
    /// Whole runs.
    bundles: ExportBundleStore,
} }
