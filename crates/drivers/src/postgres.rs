//! How Postgres is opened, and how a unit of work begins there: every setting that our guarantees rest on.

use std::{
    str::FromStr as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::sqlx::{
    self, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Row as _,
    pool::PoolConnectionMetadata,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    StoreError,
    config::{COMMAND, ConnectConfig, SERVER, STATEMENTS_KEPT},
    growth::Growth,
    lent::Lent,
    patience::{PATIENCE, in_time},
    rowtype::RowTypes,
};

/// The oldest Postgres that we know to serve, as it numbers itself.
const OLDEST: i32 = 150_000;

/// How long to wait for a connection. When all are busy so long, the answer is 503.
const TURN: Duration = Duration::from_secs(3);

/// SQLSTATE `too_many_connections`.
const TOO_MANY: &str = "53300";

/// How long whoever looks whether Postgres is back waits for it.
const LOOK: Duration = Duration::from_secs(1);

/// A connection that rested so long is asked whether it still lives before it is lent.
const RESTED: Duration = Duration::from_secs(5);

/// A verdict once given survives a power cut; a waiter for a lock gives up in time for its caller's neighbours. A
/// replica that hangs, and a machine that is gone, do not hold their locks for longer than their neighbours wait:
/// nothing of ours rests for seconds in a transaction. What we do not wait for any more is not gone on with, where the
/// system can tell. Our statements are too short for JIT; and texts are compressed by LZ4 where this Postgres has it,
/// for the compression that it uses otherwise takes longer than all else of an insert.
const SETTINGS: &str = "SET synchronous_commit = on; SET lock_timeout = '1s'; \
                        SET idle_in_transaction_session_timeout = '5s'; \
                        SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; \
                        SET tcp_user_timeout = '10s'; SET jit = off; \
                        SELECT set_config('client_connection_check_interval', '1s', false) WHERE version() LIKE '%linux%'; \
                        SELECT set_config(name, 'lz4', false) FROM pg_settings \
                        WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";

/// A pool of connections to one Postgres.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) connections: PgPool,
    pub(crate) row_types: RowTypes,
    pub(crate) growth: Growth,
    pub(crate) incarnation: Incarnation,
    outage: Outage,
    down: Arc<Down>,
}

/// Whether Postgres was found not to be there. From then on one at a time looks whether it is back, and nobody else
/// waits: a halt must not take as long as a connection that does not come.
#[derive(Debug, Default)]
struct Down {
    is: AtomicBool,
    looking: tokio::sync::Mutex<()>,
    /// Whatever is lent has one of these.
    lent: Arc<()>,
}

/// When a connection was last found dead: all that rested since before then are asked before they are lent.
#[derive(Clone, Debug, Default)]
struct Outage(Arc<Mutex<Option<Instant>>>);

impl Outage {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn covers(&self, rest: &PoolConnectionMetadata) -> bool {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.is_some_and(|at| rest.idle_for >= at.elapsed())
    }
}

/// The tables of what is answered without the store, for [`Pool::name`].
const ANSWERED: [&str; 2] = ["run_segments", "permits"];

/// Which Postgres this is: its process, and the database in it. A commit does not go away from one; from another that
/// took its place it may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incarnation(Arc<Mutex<(u64, String)>>);

impl Incarnation {
    async fn of(conn: &mut PgConnection) -> Result<String, sqlx::Error> {
        // A number, for a time is written as the time zone of the session has it.
        let which = "SELECT extract(epoch FROM pg_postmaster_start_time())::text || '-' || oid::text \
                     FROM pg_database WHERE datname = current_database()";
        sqlx::query_scalar(which).fetch_one(conn).await
    }

    /// Takes note of the one that a new connection leads to; whether it is another than before.
    fn meet(&self, which: String) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.1 != which;
        if is_new {
            *known = (known.0 + 1, which);
        }
        is_new
    }

    /// How many were met.
    pub(crate) fn met(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// How many were met, and the last of them.
    fn last(&self) -> (u64, String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a connection leads to the one that was met last.
    pub(crate) async fn leads(&self, lent: &mut Lent) -> Result<bool, StoreError> {
        let which = in_time(Self::of(lent.asking())).await;
        lent.answered(&which);
        let which = which?;
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).1 == which)
    }
}

impl Pool {
    pub(crate) async fn open(config: &ConnectConfig) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(&config.url)?
            .application_name(if config.serves { SERVER } else { COMMAND })
            .statement_cache_capacity(STATEMENTS_KEPT)
            .disable_statement_logging();
        let (outage, incarnation, row_types) =
            (Outage::default(), Incarnation::default(), RowTypes::default());
        let (noted, meeting, forgetting) = (outage.clone(), incarnation.clone(), row_types.clone());
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.max(1))
            .acquire_timeout(TURN)
            .test_before_acquire(false)
            .before_acquire(move |conn, rest| {
                let asked = rest.idle_for >= RESTED || noted.covers(&rest);
                Box::pin(async move { if asked { at_rest(conn).await } else { Ok(true) } })
            })
            .after_connect(move |conn, _| {
                let (meeting, forgetting) = (meeting.clone(), forgetting.clone());
                Box::pin(async move {
                    conn.execute(SETTINGS).await?;
                    if meeting.meet(Incarnation::of(conn).await?) {
                        forgetting.forget();
                    }
                    Ok(())
                })
            });
        let connections = match in_time(pool.connect_with(options.clone())).await {
            Ok(connections) => connections,
            Err(err) => return Err(why(err, &options).await),
        };
        check(&connections, config.test).await?;
        Ok(Self {
            connections,
            row_types,
            growth: Growth::default(),
            incarnation,
            outage,
            down: Arc::default(),
        })
    }

    /// How many were met, and what every process on the last of them calls it. A dump that is put back into the same
    /// database makes its tables anew, so their numbers belong to the name. None while they are not known.
    pub(crate) fn name(&self) -> Option<(u64, String)> {
        let tables = self.row_types.numbers(&ANSWERED)?;
        let (met, which) = self.incarnation.last();
        Some((met, format!("{which}-{tables}")))
    }

    /// Begins with `statement`. After a restart of Postgres the connections that rested are dead; nothing has been done
    /// in them, so another is taken.
    pub(crate) async fn begin(&self, statement: &'static str) -> Result<Lent, StoreError> {
        self.present().await?;
        let begun = self.try_begin(statement).await;
        // All connections may only be busy: then it answers. Who is not let in (`REVOKE CONNECT`) meets a code of its
        // own.
        match begun {
            Err(StoreError::Unavailable(cause) | StoreError::Busy(cause) | StoreError::Database(cause))
                if !self.answers().await =>
            {
                self.down.is.store(true, Ordering::Relaxed);
                Err(StoreError::Unavailable(cause))
            }
            begun => begun,
        }
    }

    async fn try_begin(&self, statement: &'static str) -> Result<Lent, StoreError> {
        let begun = Lent::begin(&self.connections, statement, &self.down.lent).await;
        match begun {
            Err(StoreError::Unavailable(cause)) if !is_about_the_pool(cause.as_ref()) => {
                self.outage.note();
                Lent::begin(&self.connections, statement, &self.down.lent).await
            }
            begun => begun,
        }
    }

    /// Fails at once where Postgres is known to be down, and has not come back.
    async fn present(&self) -> Result<(), StoreError> {
        if !self.down.is.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Ok(_looking) = self.down.looking.try_lock()
            && self.answers().await
        {
            self.down.is.store(false, Ordering::Relaxed);
            return Ok(());
        }
        Err(StoreError::Unavailable("Postgres does not answer".into()))
    }

    /// Whether Postgres takes a connection, or says that it has enough of them and some of those are ours: one that
    /// takes none of ours at all is down for us.
    async fn answers(&self) -> bool {
        let options = self.connections.connect_options();
        let asked = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            connection.ping().await?;
            connection.close().await
        };
        match tokio::time::timeout(LOOK, asked).await {
            Ok(Err(sqlx::Error::Database(refusal))) => {
                refusal.code().as_deref() == Some(TOO_MANY) && self.has_any()
            }
            Ok(answer) => answer.is_ok(),
            Err(_) => false,
        }
    }

    /// Whether a connection of ours is open: lent, or at rest.
    fn has_any(&self) -> bool {
        Arc::strong_count(&self.down.lent) > 1 || self.connections.num_idle() > 0
    }
}

/// A pool tries until its time is over, and says no more than that: one more connection, without it, says what it met.
async fn why(err: StoreError, options: &PgConnectOptions) -> StoreError {
    if !err.is_busy() {
        return err;
    }
    match tokio::time::timeout(LOOK, PgConnection::connect_with(options)).await {
        Ok(Err(met)) => met.into(),
        Ok(Ok(_)) | Err(_) => err,
    }
}

async fn check(connections: &PgPool, test: bool) -> Result<(), StoreError> {
    let settings = "SELECT current_setting('server_version_num')::int4, current_setting('fsync')::bool, \
                    current_setting('server_encoding')";
    let settings = in_time(sqlx::query(settings).fetch_one(connections)).await?;
    let (version, fsync): (i32, bool) = (settings.try_get(0)?, settings.try_get(1)?);
    let encoding: String = settings.try_get(2)?;
    if version < OLDEST {
        return Err(StoreError::Unfit("this Postgres is older than 15".to_owned()));
    }
    if !fsync && !test {
        return Err(StoreError::Unfit(
            "this Postgres runs with fsync=off: a verdict would not survive a power cut".to_owned(),
        ));
    }
    if encoding != "UTF8" {
        return Err(StoreError::Unfit(format!(
            "the encoding of this database is {encoding}, and not every text can be kept in it: make one with \
             `createdb --encoding=UTF8 --template=template0 NAME` and name that in the URL; a dump of this one goes into it"
        )));
    }
    if shares_its_sessions(connections).await {
        return Err(StoreError::Unfit(
            "what answers at this URL gives one session of Postgres to several connections, as PgBouncer does in transaction \
             mode: settings, locks and prepared statements of one would be another's. Name Postgres itself in the URL, or \
             let the pooler pool sessions (`pool_mode=session`)"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Whether a pooler stands between that lends one session to whoever begins a transaction: what rests in one connection
/// is taken by the next. It may not be found, where others take it first.
async fn shares_its_sessions(connections: &PgPool) -> bool {
    const WHICH: &str = "SELECT pg_backend_pid()";
    let options = connections.connect_options();
    let asked = async {
        let mut resting = connections.acquire().await?;
        let one: i32 = sqlx::raw_sql(WHICH).fetch_one(&mut *resting).await?.try_get(0)?;
        let mut other = PgConnection::connect_with(&options).await?;
        let two: i32 = sqlx::raw_sql(WHICH).fetch_one(&mut other).await?.try_get(0)?;
        other.close().await?;
        Ok::<bool, sqlx::Error>(one == two)
    };
    // Where no second connection is to be had, that is told by whoever needs one.
    matches!(tokio::time::timeout(LOOK, asked).await, Ok(Ok(true)))
}

/// Whether no connection was to be had at all, as against one that turned out to be dead.
fn is_about_the_pool(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    use sqlx::Error as E;
    cause.downcast_ref::<E>().is_none_or(|err| matches!(err, E::PoolTimedOut | E::PoolClosed))
}

/// Whether a connection that rested answers, and is in no transaction: within one, `now()` stands still. Both are read
/// in one message, for in two the second is later than the first.
async fn at_rest(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let asked = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(conn);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer.try_get(0),
        Ok(Err(sqlx::Error::Database(_))) | Err(_) => Ok(false),
        Ok(Err(err)) => Err(err),
    }
}
