//! Connections that were cut in the middle of something, on Postgres: nobody gets one again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use drivers::{ConnectConfig, Db, StoreError};
use models::{
    activity::{Run, RunFilter},
    ids::RunId,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use testkit::{Store, TestDatabase};

use crate::sample::{self, TENANT, run, uuid};

/// As many as there are callers at once.
const CONNECTIONS: u32 = 3;

/// Only a hang takes so long.
const DEADLINE: Duration = Duration::from_mins(1);

async fn few(database: &TestDatabase) -> Db {
    sample::store(database).await.close().await;
    let config =
        ConnectConfig { test: true, max_connections: CONNECTIONS, ..ConnectConfig::new(database.url()) };
    Db::connect(&config).await.expect("a store")
}

async fn read(db: &Db) -> Result<u64, StoreError> {
    db.read().await?.activity().count_runs(TENANT, &RunFilter::default()).await
}

async fn write(db: &Db, n: u128) -> Result<(), StoreError> {
    let tx = db.begin().await?;
    tx.activity().insert_runs(&[run(TENANT, n)]).await?;
    tx.commit().await
}

/// Opens as many connections as there may be, and leaves them at rest.
async fn warm_up(db: &Db) {
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(db.read().await.expect("a read"));
    }
    for read in held {
        read.activity().count_runs(TENANT, &RunFilter::default()).await.expect("counted");
    }
}

/// The processes that serve connections to the database, and what those do that rest in a transaction.
async fn sessions(look: &DatabaseConnection) -> Vec<(i32, String)> {
    let ask = "SELECT pid, state FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let rows = look.query_all_raw(Statement::from_string(look.get_database_backend(), ask)).await;
    let rows = rows.expect("Postgres answers");
    rows.iter()
        .map(|row| (row.try_get("", "pid").expect("a pid"), row.try_get("", "state").expect("a state")))
        .collect()
}

/// Waits until no session is in a transaction; gives the sessions.
async fn at_rest(look: &DatabaseConnection) -> Vec<(i32, String)> {
    let begun = Instant::now();
    loop {
        let found = sessions(look).await;
        if found.iter().all(|(_, state)| state == "idle") {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "a session stays in its transaction: {found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Where the one connection that a role may have is ours, it is busy; where it may have none, nobody serves us.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_takes_no_connection_of_ours_is_down_and_not_busy() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    sample::store(&database).await.close().await;
    let role = format!("limited_{}", std::process::id());
    let tamper = async |sql: String| database.tamper(&sql).await.expect("the owner may");
    tamper(format!("CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 1")).await;
    tamper(format!("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let mark = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}user={role}&password=few", database.url());
    let config = ConnectConfig { test: true, max_connections: 1, ..ConnectConfig::new(url) };
    let db = Db::connect(&config).await.expect("a store");

    let held = db.begin().await.expect("begin");
    let busy = db.begin().await.expect_err("there may be no other");
    assert!(busy.is_busy(), "{busy:?}");
    held.rollback().await.expect("undone");
    write(&db, 1).await.expect("it is free again");

    tamper(format!("ALTER ROLE {role} CONNECTION LIMIT 0")).await;
    // Waits until they are gone.
    let cut =
        format!("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = '{role}'");
    tamper(cut.clone()).await;
    let down = write(&db, 2).await.expect_err("it takes none");
    assert!(down.is_unavailable(), "{down:?}");
    let begun = Instant::now();
    let down = read(&db).await.expect_err("it still takes none");
    assert!(down.is_unavailable() && begun.elapsed() < Duration::from_secs(2), "{down:?}");

    tamper(format!("ALTER ROLE {role} CONNECTION LIMIT -1")).await;
    write(&db, 2).await.expect("it goes on by itself");
    assert_eq!(read(&db).await.expect("read"), 2);

    // Whose code says that it is not let in, and whose code says as of a table that a right is missing.
    let on_database = |what: &str, whom: &str| {
        let sql = format!("{what} CONNECT ON DATABASE %I {whom} PUBLIC");
        format!("DO $$ BEGIN EXECUTE format('{sql}', current_database()); END $$")
    };
    for (shut, opened) in [
        (format!("ALTER ROLE {role} NOLOGIN"), format!("ALTER ROLE {role} LOGIN")),
        (on_database("REVOKE", "FROM"), on_database("GRANT", "TO")),
    ] {
        tamper(shut.clone()).await;
        tamper(cut.clone()).await;
        let down = write(&db, 3).await.expect_err("it lets nobody in");
        assert!(down.is_unavailable(), "{shut}: {down:?}");
        tamper(opened).await;
        assert_eq!(read(&db).await.expect("it goes on by itself"), 2);
    }
    db.close().await;
    tamper(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stood_still_is_whole_when_it_goes_on() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let db = few(&database).await;
    let look = database.connection().await;
    warm_up(&db).await;
    let before = at_rest(&look).await;
    drop(look);

    let frozen = database.freeze().await;
    let begun = Instant::now();
    let (first, second, third) = tokio::join!(write(&db, 1), read(&db), write(&db, 2));
    assert!(first.expect_err("frozen").is_unavailable());
    assert!(second.expect_err("frozen").is_unavailable());
    assert!(third.expect_err("frozen").is_unavailable());
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    drop(frozen);

    let look = database.connection().await;
    let begun = Instant::now();
    while sessions(&look).await.iter().any(|(pid, _)| before.iter().any(|(cut, _)| cut == pid)) {
        assert!(begun.elapsed() < DEADLINE, "a connection that was cut is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for n in 10..40 {
        let (wrote, read, wrote_too) = tokio::join!(write(&db, 2 * n), read(&db), write(&db, 2 * n + 1));
        wrote.expect("it goes on");
        wrote_too.expect("it goes on");
        read.expect("it goes on");
    }
    at_rest(&look).await;
    assert_eq!(read(&db).await.expect("read"), 60, "what was told to have failed has failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_in_the_middle_takes_the_connection_along() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let db = few(&database).await;
    let look = database.connection().await;
    let locks = database.connection().await;
    locks.execute_unprepared("BEGIN; LOCK TABLE runs").await.expect("locked");
    let waiting = {
        let writing = write(&db, 1);
        tokio::pin!(writing);
        let begun = Instant::now();
        loop {
            tokio::select! {
                done = &mut writing => panic!("it does not wait: {done:?}"),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            let waits = sessions(&look).await.into_iter().find(|(_, state)| state == "active");
            if let Some((pid, _)) = waits {
                break pid;
            }
            assert!(begun.elapsed() < DEADLINE, "nobody waits for the lock");
        }
    };
    // The statement is still waited on by Postgres, which looks every second whether anybody wants its answer.
    let begun = Instant::now();
    while sessions(&look).await.iter().any(|(pid, _)| *pid == waiting) {
        assert!(begun.elapsed() < Duration::from_secs(4), "the connection is not gone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    locks.execute_unprepared("ROLLBACK").await.expect("released");
    write(&db, 2).await.expect("another connection writes");
    assert_eq!(read(&db).await.expect("read"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_made_anew_under_a_store_is_written() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let db = few(&database).await;
    warm_up(&db).await;
    write(&db, 1).await.expect("it knows the types of rows");
    database.make_anew().await;
    sample::store(&database).await.close().await;
    // Connections that were cut are found out one after another; the types of before would be refused for ever.
    let begun = Instant::now();
    while let Err(err) = write(&db, 2).await {
        assert!(err.is_unavailable() || err.is_retry(), "{err:?}");
        assert!(begun.elapsed() < DEADLINE, "{err:?}");
    }
    assert_eq!(read(&db).await.expect("read"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stands_still_in_a_transaction_holds_nobody_up_for_long() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let still = few(&database).await;
    write(&still, 1).await.expect("a run");
    let other = sample::open(&database).await;
    let ids = [RunId(uuid(1))];
    let held = still.begin().await.expect("begin");
    let locked = held.activity().lock_runs(TENANT, &ids).await.expect("locked");

    let begun = Instant::now();
    loop {
        let tx = other.begin().await.expect("begin");
        match tx.activity().lock_runs(TENANT, &ids).await {
            Ok(_) => break tx.commit().await.expect("commit"),
            Err(err) => assert!(err.is_retry() || err.is_locked(), "{err}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(9), "the lock is still held");
    }
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());

    // It goes on: what it had begun is gone, as the server's last word says, or a pipe that nobody reads any more.
    let changed: Vec<Run> = locked.into_iter().map(|run| Run { step_count: 7, ..run }).collect();
    let late = held.activity().save_runs(&changed, &HashMap::new()).await.expect_err("it was ended");
    assert!(late.is_retry() || late.is_unavailable(), "{late:?}");
    drop(held);
    write(&still, 2).await.expect("another connection writes");
}
