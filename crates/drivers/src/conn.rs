//! One open transaction on either database: sends statements, counts them, and does not wait for ever. What is written
//! may wait, to go together.
//!
//! What asks the store is given as a [`BoxFuture`]: the code of an `async fn` is made again by every crate that waits
//! for it, so without that each crate above would build the clients of both databases.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use sea_orm::{
    DbBackend, QueryResult, Statement, Values,
    sea_query::SelectStatement,
    sqlx::{Sqlite, Transaction},
};
use tokio::sync::Mutex;

use models::{ids::TenantId, ledger::LogHead};

use crate::{
    StoreError,
    cells::Pending,
    governed::{Change, Found},
    lent::Lent,
    open::Open,
    postgres,
    room::Room,
    rowtype::Rows,
    seen::Seen,
    store_file::StoreFile,
    together::{self, Sends, Together, Write},
};

/// A statement that took so long is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// An open transaction. Dropped, it rolls back.
#[derive(Debug)]
pub(crate) struct Conn {
    open: Mutex<Open>,
    backend: DbBackend,
    /// Whose connection this is, on Postgres.
    pool: Option<postgres::Pool>,
    /// What this reads and writes, on SQLite that is not in memory.
    file: Option<Arc<StoreFile>>,
    /// Rows that were written as rows of a type.
    written: AtomicU64,
    /// Whether a statement has failed.
    failed: AtomicBool,
    /// What this process saw of the logs, and the heads that were written here.
    seen: Seen,
    /// How much it had noted when this began, which is before anything was read here.
    began: u64,
    heads: std::sync::Mutex<Vec<LogHead>>,
    /// Changes of what governs a tenant, as they were read or written here.
    governed: std::sync::Mutex<Vec<(TenantId, Change)>>,
    /// What was written here changes of counters.
    counters: Pending,
    /// Writes that are to go together.
    together: Together,
    sent: Arc<AtomicU64>,
    /// Counts the statements that were answered, where somebody wants to know.
    answered: Option<Arc<AtomicU64>>,
    /// Is told of a write that finds no room, where this one writes.
    room: Option<Arc<Room>>,
    /// What was sent, for tests of how it is carried out.
    #[cfg(test)]
    pub(crate) heard: std::sync::Mutex<Vec<Statement>>,
}

impl Conn {
    pub(crate) fn postgres(lent: Lent, pool: postgres::Pool, sent: Arc<AtomicU64>, seen: Seen) -> Self {
        Self::new(Open::Postgres(lent), DbBackend::Postgres, Some(pool), sent, seen)
    }

    pub(crate) fn sqlite(
        tx: Transaction<'static, Sqlite>,
        file: Option<Arc<StoreFile>>,
        sent: Arc<AtomicU64>,
        seen: Seen,
    ) -> Self {
        Self { file, ..Self::new(Open::Sqlite(tx), DbBackend::Sqlite, None, sent, seen) }
    }

    fn new(
        open: Open,
        backend: DbBackend,
        pool: Option<postgres::Pool>,
        sent: Arc<AtomicU64>,
        seen: Seen,
    ) -> Self {
        Self {
            open: Mutex::new(open),
            backend,
            pool,
            file: None,
            written: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            began: seen.noted(),
            seen,
            heads: std::sync::Mutex::default(),
            governed: std::sync::Mutex::default(),
            counters: Pending::default(),
            together: Together::default(),
            sent,
            answered: None,
            room: None,
            #[cfg(test)]
            heard: std::sync::Mutex::default(),
        }
    }

    /// The same for who writes: counting its answers, and telling where it finds no room.
    pub(crate) fn writing(self, answered: Arc<AtomicU64>, room: Arc<Room>) -> Self {
        Self { answered: Some(answered), room: Some(room), ..self }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// A statement built by hand with sea-query.
    pub(crate) fn statement(&self, query: &SelectStatement) -> Statement {
        self.backend.build(query)
    }

    /// From now on what [`Self::write`] is given waits, and goes together before anything else is asked, at the commit,
    /// or where it is much.
    pub(crate) fn write_together(&self) {
        self.together.begin();
    }

    /// Sends a write, or has it wait for others.
    pub(crate) fn write(&self, write: Write) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            match self.together.keep(write) {
                Some(write) => self.send(write).await,
                None if self.together.is_full() => self.send_waiting().await,
                None => Ok(()),
            }
        })
    }

    async fn send(&self, mut write: Write) -> Result<(), StoreError> {
        let sends = write.taken();
        write.touched(self.send_now(&write.sql, sends).await?)
    }

    /// Sends a write that may touch fewer rows; returns how many it touched. What waits goes first.
    pub(crate) fn send_counting(&self, write: Write) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            self.send_waiting().await?;
            self.send_now(&write.sql, write.sends).await
        })
    }

    async fn send_now(&self, sql: &str, sends: Sends) -> Result<u64, StoreError> {
        let are_rows = matches!(sends, Sends::Rows(_));
        #[cfg(test)]
        self.hear(sql, &sends);
        let watch = Watch::start(self, sql);
        let touched = self.open.lock().await.execute(sql, sends).await;
        if are_rows {
            self.note_rows(touched.as_ref().copied());
        }
        watch.end(touched)
    }

    /// What goes together is not heard: tests of plans ask for single statements, and nothing that they send begins to
    /// write together.
    #[cfg(test)]
    fn hear(&self, sql: &str, sends: &Sends) {
        if let Sends::Values(values) = sends {
            let (sql, values) = (sql.to_owned(), Some(values.clone()));
            let heard = Statement { sql, values, db_backend: self.backend };
            self.heard.lock().expect("no test fails while it listens").push(heard);
        }
    }

    /// Sends what waits.
    pub(crate) async fn send_waiting(&self) -> Result<(), StoreError> {
        let waiting = self.together.take();
        // Each statement asks this, and mostly nothing waits.
        if waiting.is_empty() {
            return Ok(());
        }
        let sent = self.send_all(waiting).await;
        // What waited behind is gone with what failed, also where that touched too few rows. Whoever asked next is
        // told, and may take it for a failure of what he asked.
        if sent.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        sent
    }

    async fn send_all(&self, waiting: Vec<Write>) -> Result<(), StoreError> {
        for mut part in together::parts(self.backend, waiting) {
            if part.len() > 1 {
                let touched = self.sent_as_one(&mut part).await?;
                part.iter().zip(touched).try_for_each(|(write, touched)| write.touched(touched))?;
            } else if let Some(write) = part.pop() {
                self.send(write).await?;
            }
        }
        Ok(())
    }

    async fn sent_as_one(&self, waiting: &mut [Write]) -> Result<Vec<u64>, StoreError> {
        let (sql, tables) = (together::as_one(self.backend, waiting)?, together::tables(waiting));
        let watch = Watch::start(self, &sql).of(&tables);
        let sends = waiting.iter_mut().map(Write::taken).collect();
        let touched = self.open.lock().await.execute_all(&sql, sends).await;
        self.note_rows(touched.as_ref().map(|all| all.iter().sum()));
        watch.end(touched)
    }

    /// Notes how much was written as rows of a type. Where it failed, it may be that the table has other columns than
    /// when the catalogue was read.
    fn note_rows(&self, touched: Result<u64, &StoreError>) {
        match (touched, &self.pool) {
            (Ok(touched), _) => _ = self.written.fetch_add(touched, Ordering::Relaxed),
            (Err(err), Some(pool)) if err.is_retry() => pool.row_types.forget(),
            (Err(_), _) => {}
        }
    }

    /// Sends a statement that answers no rows; returns how many it touched. What waits goes first.
    pub(crate) fn execute(&self, statement: Statement) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            self.send_waiting().await?;
            let Statement { sql, values, .. } = statement;
            self.send_now(&sql, Sends::Values(values.unwrap_or_else(|| Values(Vec::new())))).await
        })
    }

    /// Sends a statement and waits for all its rows. What waits goes first.
    pub(crate) fn rows(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, StoreError>> {
        Box::pin(async move {
            self.send_waiting().await?;
            #[cfg(test)]
            self.heard.lock().expect("no test fails while it listens").push(statement.clone());
            let Statement { sql, values, .. } = statement;
            let watch = Watch::start(self, &sql);
            let rows = self.open.lock().await.rows(&sql, values).await;
            watch.end(rows)
        })
    }

    /// No rows of a table yet, for [`Write`]. Postgres only.
    pub(crate) fn no_rows(&self, table: &str, columns: &[&str]) -> Result<Rows, StoreError> {
        Ok(Rows::new(self.pool()?.row_types.of(table)?, columns))
    }

    /// What this process saw of the logs.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Holds what governs a tenant, before it changes here, against what this process saw, and keeps it: it is seen
    /// when this is committed.
    pub(crate) fn read_governed(&self, before: &Found) -> Result<(), StoreError> {
        self.seen.compare_governed(before, self.began)?;
        self.keep_governed(before.tenant, before.has);
        Ok(())
    }

    /// Keeps a change of what governs a tenant; it is seen when it is committed.
    pub(crate) fn keep_governed(&self, tenant: TenantId, change: Change) {
        self.governed.lock().unwrap_or_else(PoisonError::into_inner).push((tenant, change));
    }

    /// Holds what was only read against what this process saw. It is seen at once, for it is committed, unless this has
    /// changed it itself.
    pub(crate) fn saw_governed(&self, found: &Found) -> Result<(), StoreError> {
        self.seen.compare_governed(found, self.began)?;
        let own = self.governed.lock().unwrap_or_else(PoisonError::into_inner);
        if !own.iter().any(|(changed, _)| *changed == found.tenant) {
            self.seen.note_governed(found.tenant, found.has);
        }
        Ok(())
    }

    /// What was written here changes of counters, and is not stored yet.
    pub(crate) fn counters(&self) -> &Pending {
        &self.counters
    }

    /// Stores what is noted of counters. Before a commit, and before who writes here reads them.
    pub(crate) fn store_counters(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            for write in self.counters.writes(self.backend) {
                self.write(write).await?;
            }
            Ok(())
        })
    }

    /// How many heads it had seen when this began.
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// Whether a head of the log was written here.
    pub(crate) fn has_written(&self, head: &LogHead) -> bool {
        self.heads().iter().any(|own| (own.tenant, own.log) == (head.tenant, head.log))
    }

    /// Keeps a head that was written; it is seen when it is committed.
    pub(crate) fn wrote(&self, head: &LogHead) {
        self.heads().push(head.clone());
    }

    fn heads(&self) -> std::sync::MutexGuard<'_, Vec<LogHead>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self) -> Result<&postgres::Pool, StoreError> {
        self.pool.as_ref().ok_or_else(not_postgres)
    }

    /// Makes everything durable, unless a statement failed: then nothing is. Postgres would answer such a COMMIT by
    /// rolling back without an error, and SQLite would keep what the other statements did.
    pub(crate) fn commit(self) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            // After a failure it would only be refused, and the refusal be told in place of this.
            if !self.failed.load(Ordering::Relaxed) {
                // Behind all else, so that a counter is locked for hardly longer than the commit takes: as the last
                // part of a statement, only its checks of what refers to what come after it.
                self.store_counters().await?;
                self.send_waiting().await?;
            }
            if self.failed.load(Ordering::Relaxed) {
                self.rollback().await?;
                return Err(StoreError::Database("a statement had failed, so nothing was committed".into()));
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
            let room = self.room;
            self.open.into_inner().commit().await.inspect_err(|err| {
                if let Some(room) = &room {
                    room.note(err);
                }
            })?;
            if let Some(pool) = self.pool {
                pool.growth.note(self.written.into_inner(), &pool.connections);
            }
            // Told as a statement is: who follows what is carried out sees where it became durable.
            tracing::trace!(sql = "COMMIT", "statement");
            for head in self.heads.into_inner().unwrap_or_else(PoisonError::into_inner) {
                self.seen.note(&head);
            }
            for (tenant, change) in self.governed.into_inner().unwrap_or_else(PoisonError::into_inner) {
                self.seen.note_governed(tenant, change);
            }
            Ok(())
        })
    }

    pub(crate) fn rollback(self) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            self.sent.fetch_add(1, Ordering::Relaxed);
            self.open.into_inner().rollback().await
        })
    }
}

fn not_postgres() -> StoreError {
    StoreError::Database("rows of a row type are for Postgres".into())
}

/// Counts a statement, tells of a slow one, and remembers one that failed.
struct Watch<'s> {
    conn: &'s Conn,
    sql: &'s str,
    /// What writes that go together are known by: their text begins alike, whatever else they write.
    tables: &'s [&'static str],
    began: Instant,
}

impl<'s> Watch<'s> {
    fn start(conn: &'s Conn, sql: &'s str) -> Self {
        conn.sent.fetch_add(1, Ordering::Relaxed);
        Self { conn, sql, tables: &[], began: Instant::now() }
    }

    /// It writes these tables together.
    fn of(self, tables: &'s [&'static str]) -> Self {
        Self { tables, ..self }
    }

    fn end<T>(self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        let took = self.began.elapsed();
        if took >= SLOW {
            let tables = (!self.tables.is_empty()).then(|| self.tables.join(", "));
            let (took_ms, sql) = (took.as_millis(), head(self.sql));
            tracing::warn!(took_ms, sql, tables = tables.as_deref(), "slow statement");
        } else {
            tracing::trace!(took_us = took.as_micros(), sql = head(self.sql), "statement");
        }
        if let Err(err) = &answer {
            self.conn.failed.store(true, Ordering::Relaxed);
            if let Some(file) = &self.conn.file {
                file.note(err);
            }
            if let Some(room) = &self.conn.room {
                room.note(err);
            }
        } else if let Some(answered) = &self.conn.answered {
            answered.fetch_add(1, Ordering::Relaxed);
        }
        // SQLite stops at the statement that fails, and says itself which table it is about, but for what refers to
        // nothing. A disk that is full or fails is about none.
        let says_so =
            self.conn.backend != DbBackend::Postgres && !matches!(answer, Err(StoreError::Related(_)));
        if self.tables.is_empty() || says_so {
            answer
        } else {
            answer.map_err(|err| err.of_tables(self.tables))
        }
    }
}

/// The beginning of a statement: enough to know it by. Values are never in the text.
fn head(sql: &str) -> &str {
    sql.char_indices().nth(200).map_or(sql, |(end, _)| &sql[..end])
}
