//! How a store is opened, and SQLite above all: every pragma that our guarantees rest on.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use sea_orm::sqlx::{
    self, ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    StoreError,
    config::{ConnectConfig, TEXTS_KEPT},
    patience::in_time,
    postgres,
    store_file::StoreFile,
};

/// How long to wait for a connection: for the one writer above all. Less than for an answer, so that it is known which
/// of the two was waited for.
const TURN: Duration = Duration::from_secs(8);

/// What the one writer of SQLite keeps of its file, in KiB: where a group writes, many pages are met again by the next.
/// A reader keeps 2 MiB, as SQLite has it.
const KEPT_BY_WRITER: &str = "-32768";

/// The pools of one database.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Postgres(postgres::Pool),
    /// One writer, which is the lock; and readers, which see the last commit. In memory they are one.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// None in memory.
        file: Option<Arc<StoreFile>>,
    },
}

pub(crate) async fn open(config: &ConnectConfig) -> Result<Pools, StoreError> {
    match config.url.split(':').next() {
        Some("postgres" | "postgresql") => Ok(Pools::Postgres(postgres::Pool::open(config).await?)),
        Some("sqlite") if config.production => Err(StoreError::Unfit(
            "HOC_ENV=production refuses SQLite: set HOC_DATABASE_URL to a postgres:// URL".to_owned(),
        )),
        Some("sqlite") => sqlite(config).await,
        _ => Err(StoreError::Unfit("the database URL must begin with sqlite: or postgres:".to_owned())),
    }
}

async fn sqlite(config: &ConnectConfig) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::from_str(&config.url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(TEXTS_KEPT)
        // Else REPLACE deletes rows without asking the append-only triggers.
        .pragma("recursive_triggers", "ON")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging();
    if in_memory(&config.url) {
        // The database lives as long as its one connection. So never begin within a begin: it waits for itself.
        let writer = in_time(lasting(1).connect_with(options)).await?;
        return Ok(Pools::Sqlite { readers: writer.clone(), writer, file: None });
    }
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let cached = options.clone().pragma("cache_size", KEPT_BY_WRITER).pragma("wal_autocheckpoint", "4000");
    let writer = in_time(lasting(1).connect_with(cached)).await?;
    let readers = lasting(config.max_connections.max(1)).min_connections(0);
    let readers = in_time(readers.connect_with(options.clone().pragma("query_only", "ON"))).await?;
    let file = StoreFile::opened(options.get_filename())?;
    Ok(Pools::Sqlite { writer, readers, file: Some(Arc::new(file)) })
}

/// A pool whose connections stay open: an embedded store has nobody to hang up on it.
fn lasting(connections: u32) -> PoolOptions<sqlx::Sqlite> {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(TURN)
        .test_before_acquire(false)
        .before_acquire(|conn, _| Box::pin(at_rest(conn)))
}

/// Whether no transaction is left open in a connection. A commit that the disk refused has ended in SQLite and not in
/// sqlx, which then begins no other: such a connection is replaced.
async fn at_rest(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if conn.is_in_transaction() {
        // It may be a rollback that is still in line; an answer comes after it.
        conn.ping().await?;
    }
    Ok(!conn.is_in_transaction())
}

fn in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}
