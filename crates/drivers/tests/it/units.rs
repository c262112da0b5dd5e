//! Units of work: what is durable, what is undone, who waits, what is counted, and what is said when it fails.

use std::collections::HashMap;

use std::time::{Duration, Instant};

use drivers::{ConnectConfig, Db, StoreError};
use models::{
    activity::{Run, RunFilter},
    ids::RunId,
    page::{Cursor, PageRequest},
};
use sea_orm::ConnectionTrait as _;
use testkit::{Store, TestDatabase};

use crate::sample::{self, ODD, TENANT, run, trace, uuid};

async fn add_step(db: &Db, runs: &[RunId]) -> Result<(), StoreError> {
    let tx = db.begin().await?;
    let locked = tx.activity().lock_runs(TENANT, runs).await?;
    let counted: Vec<Run> =
        locked.into_iter().map(|run| Run { step_count: run.step_count + 1, ..run }).collect();
    tx.activity().save_runs(&counted, &HashMap::new()).await?;
    tx.commit().await
}

/// How many statements it takes to add and to find so many runs.
async fn statements(db: &Db, first: u128, count: u128) -> u64 {
    let runs: Vec<Run> = (first..first + count).map(|n| run(TENANT, n)).collect();
    let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
    let before = db.statements();
    let tx = db.begin().await.expect("begin");
    tx.activity().insert_runs(&runs).await.expect("inserted");
    let locked = tx.activity().lock_runs(TENANT, &ids).await.expect("locked");
    tx.activity().save_runs(&locked, &HashMap::new()).await.expect("saved");
    tx.commit().await.expect("commit");
    assert_eq!(locked, runs);
    db.statements() - before
}

testkit::on_both! {
    async fn dropped_undoes_everything(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
        drop(tx);
        let tx = db.begin().await.expect("begin");
        assert_eq!(tx.activity().find_run(TENANT, RunId(uuid(1))).await.expect("undone"), None);
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
        tx.rollback().await.expect("undone");
        let tx = db.read().await.expect("read");
        assert_eq!(tx.activity().find_run(TENANT, RunId(uuid(1))).await.expect("undone"), None);
    }

    async fn a_read_is_all_from_one_moment(db: TestDatabase) {
        let db = sample::store(db).await;
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().count_runs(TENANT, &RunFilter::default()).await.expect("counted"), 0);
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
        tx.commit().await.expect("commit");
        assert_eq!(read.activity().find_run(TENANT, RunId(uuid(1))).await.expect("not yet"), None);
        drop(read);
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().find_run(TENANT, RunId(uuid(1))).await.expect("now"), Some(run(TENANT, 1)));
    }

    async fn a_store_at_rest_loses_nothing_and_waits_for_nobody(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let new = Run { step_count: 1, ..run(TENANT, 1) };
        tx.activity().insert_runs(std::slice::from_ref(&new)).await.expect("inserted");
        db.rest().await.expect("whoever is at work is not waited for");
        tx.commit().await.expect("commit");
        db.rest().await.expect("nobody is at work");
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().find_run(TENANT, RunId(uuid(1))).await.expect("found"), Some(new));
        add_step(&db, &[RunId(uuid(1))]).await.expect("and it is written as ever");
    }

    async fn reads_leave_room_for_what_comes_first(db: TestDatabase) {
        drop(sample::store(db).await);
        let config = ConnectConfig { test: true, max_connections: 4, ..ConnectConfig::new(db.url()) };
        let db = Db::connect(&config).await.expect("the store");
        let mut reads = Vec::new();
        for _ in 0..3 {
            reads.push(db.read().await.expect("a turn"));
        }
        let busy = db.read().await.expect_err("three of four connections are for reads");
        assert!(busy.is_busy() && !busy.is_unavailable(), "{busy:?}");
        let first = db.read_first().await.expect("who calls is always to be found");
        drop(first);
        let tx = db.begin().await.expect("and what writes finds its way");
        tx.rollback().await.expect("undone");
        drop(reads);
        drop(db.read().await.expect("a turn"));
    }

    async fn a_store_whose_connections_are_all_taken_is_busy_and_not_down(db: TestDatabase) {
        drop(sample::store(db).await);
        let store = db.store();
        let config = ConnectConfig { test: true, max_connections: 1, ..ConnectConfig::new(db.url()) };
        let db = Db::connect(&config).await.expect("the store");
        let tx = db.begin().await.expect("begin");
        let (waited, ()) = tokio::join!(db.begin(), async {
            if store == Store::Sqlite {
                // Its one writer is at work, which is how one sees that it does not hang.
                tx.activity().lock_runs(TENANT, &[RunId(uuid(1))]).await.expect("an answer");
            }
        });
        let busy = waited.expect_err("somebody has it");
        assert!(busy.is_busy(), "{busy:?}");
        if store == Store::Sqlite {
            assert!(db.begin().await.expect_err("nothing moves").is_unavailable());
        }
        tx.rollback().await.expect("undone");
        drop(db.begin().await.expect("it is free again"));
    }

    async fn a_server_is_seen_while_it_has_the_store_open(db: TestDatabase) {
        let looks = sample::store(db).await;
        let config = ConnectConfig { test: true, serves: true, ..ConnectConfig::new(db.url()) };
        assert!(looks.served_from().await.expect("an answer").is_empty(), "who looks is no server");
        let server = Db::connect(&config).await.expect("the store");
        let seen = looks.served_from().await.expect("an answer").len();
        assert_eq!(seen, usize::from(db.store() == Store::Postgres));
        server.close().await;
        let begun = Instant::now();
        while !looks.served_from().await.expect("an answer").is_empty() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it is seen for ever");
        }
    }

    async fn writers_of_two_replicas_take_turns(db: TestDatabase) {
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        let runs = [1, 2].map(|n| Run { step_count: 0, ..run(TENANT, n) });
        let tx = one.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("inserted");
        tx.commit().await.expect("commit");
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..20 {
            let db = if n % 2 == 0 { one.clone() } else { two.clone() };
            // In whatever order they name them, they lock them in one.
            let ids = if n % 3 == 0 { [runs[0].id, runs[1].id] } else { [runs[1].id, runs[0].id] };
            writers.spawn(async move { add_step(&db, &ids).await });
        }
        while let Some(written) = writers.join_next().await {
            written.expect("joined").expect("a turn for everyone");
        }
        let read = one.read().await.expect("read");
        let counts: Vec<u64> = read.activity().find_runs(TENANT, &runs.map(|run| run.id)).await.expect("found")
            .iter().map(|run| run.step_count).collect();
        assert_eq!(counts, [20, 20]);
    }

    async fn crossing_locks_ask_to_try_again(db: TestDatabase) {
        let one = sample::store(db).await;
        if db.store() == Store::Sqlite {
            // One writer at a time: locks cannot cross. Another process that keeps the lock is waited for, then told
            // of.
            let two = sample::open(db).await;
            let tx = one.begin().await.expect("begin");
            assert!(two.begin().await.expect_err("locked").is_unavailable());
            drop(tx);
            return;
        }
        let runs = [run(TENANT, 1), run(TENANT, 2)];
        let tx = one.begin().await.expect("begin");
        tx.activity().insert_runs(&runs).await.expect("inserted");
        tx.commit().await.expect("commit");
        let (first, second) = (one.begin().await.expect("begin"), one.begin().await.expect("begin"));
        first.activity().lock_runs(TENANT, &[runs[0].id]).await.expect("locked");
        second.activity().lock_runs(TENANT, &[runs[1].id]).await.expect("locked");
        // Postgres looks for a deadlock after a second, which is as long as a lock is waited for where nothing else is
        // said.
        for tx in [&first, &second] {
            tx.wait_at_most(Duration::from_mins(1)).await.expect("said");
        }
        let (a, b) = ([runs[1].id], [runs[0].id]);
        let cross = tokio::join!(first.activity().lock_runs(TENANT, &a), async {
            let crossed = second.activity().lock_runs(TENANT, &b).await;
            if crossed.is_err() { second.rollback().await.expect("undone"); }
            crossed
        });
        let failed: Vec<StoreError> = [cross.0.err(), cross.1.err()].into_iter().flatten().collect();
        assert!(matches!(failed.as_slice(), [one] if one.is_retry()), "one gives way, the other goes on: {failed:?}");
    }

    async fn statements_are_few_however_many_the_rows(db: TestDatabase) {
        let store = db.store();
        let db = sample::store(db).await;
        let (one, many, most) = (statements(&db, 1_000, 1).await, statements(&db, 2_000, 64).await, statements(&db, 3_000, 499).await);
        match store {
            // BEGIN, INSERT, SELECT, SELECT where they stood, UPDATE, their counters, COMMIT.
            Store::Postgres => assert_eq!((one, many, most), (7, 7, 7)),
            // What lists filter by on its own, and 128 rows at once.
            Store::Sqlite => assert!(one == 8 && many == 8 && most <= 8 + 3 * 3, "{one} {many} {most}"),
        }
        let before = db.statements();
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[]).await.expect("nothing");
        tx.activity().save_runs(&[], &HashMap::new()).await.expect("nothing");
        assert_eq!(tx.activity().lock_runs(TENANT, &[]).await.expect("nothing"), []);
        assert_eq!(db.statements() - before, 1);
    }

    async fn tables_that_grow_are_analyzed(db: TestDatabase) {
        if db.store() == Store::Sqlite { return }
        let past = db.connection().await;
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let runs: Vec<Run> = (0..150).map(|n| run(TENANT, n)).collect();
        tx.activity().insert_runs(&runs).await.expect("inserted");
        tx.commit().await.expect("commit");
        let known = "SELECT 1 FROM pg_class WHERE relname = 'runs' AND reltuples = 150";
        let known = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, known);
        let wait = async {
            while past.query_one_raw(known.clone()).await.expect("asked").is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("analyzed");
    }

    async fn what_failed_in_part_is_not_committed(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
        assert!(matches!(tx.activity().insert_runs(&[run(TENANT, 1)]).await, Err(StoreError::Conflict(_))));
        let refused = tx.commit().await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().find_run(TENANT, RunId(uuid(1))).await.expect("nothing"), None);
    }

    async fn a_cursor_of_another_list_is_refused(db: TestDatabase) {
        let db = sample::store(db).await;
        let read = db.read().await.expect("read");
        let (at, id) = (sample::at(0), uuid(1));
        let by_time = PageRequest::from(Cursor::Before { at, id });
        let by_index = PageRequest::from(Cursor::After(u64::MAX));
        let listed = read.activity().list_runs(TENANT, &RunFilter::default(), &by_index).await;
        assert!(matches!(listed, Err(StoreError::Cursor(_))), "{listed:?}");
        assert!(matches!(read.overview().decisions(TENANT, &by_index).await, Err(StoreError::Cursor(_))));
        for page in [by_time, by_index] {
            assert!(matches!(read.traces().list_steps(TENANT, RunId(id), 0, None, &page).await, Err(StoreError::Cursor(_))));
        }
    }

    async fn a_row_that_cannot_be_read_is_named(db: TestDatabase) {
        let past = db.connection().await;
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("run");
        tx.traces().start_traces(&[trace(TENANT, 1)]).await.expect("trace");
        tx.commit().await.expect("commit");
        past.execute_unprepared("UPDATE aos_traces SET tally = '{\"MAYBE\":1}'").await.expect("tampered");
        let read = db.read().await.expect("read");
        let err = read.traces().trace_of_run(TENANT, RunId(uuid(1))).await.expect_err("no word of ours");
        let StoreError::Corrupt { table, row, why } = &err else { panic!("{err:?}") };
        assert_eq!((*table, row), ("aos_traces", &trace(TENANT, 1).id.to_string()));
        assert!(why.starts_with("tally: ") && why.contains("MAYBE"), "{why}");
    }

    async fn a_schema_is_brought_to_head_once(db: TestDatabase) {
        let empty = TestDatabase::empty(db.store()).await.expect("a database");
        let db = sample::open(&empty).await;
        assert!(!db.pending_migrations().await.expect("pending").is_empty());
        assert!(db.can_commit().await.is_err(), "no table yet");
        db.migrate().await.expect("migrated");
        db.migrate().await.expect("again");
        assert_eq!(db.pending_migrations().await.expect("none"), Vec::<String>::new());
        db.can_commit().await.expect("ready");
        assert_eq!(db.is_sqlite(), empty.store() == Store::Sqlite);
    }

    async fn a_store_of_another_history_is_refused_and_left_as_it_is(db: TestDatabase) {
        let empty = TestDatabase::empty(db.store()).await.expect("a database");
        let db = sample::open(&empty).await;
        assert!(!db.pending_migrations().await.expect("pending").is_empty());
        let remember = |name: &str| format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{name}', 0)");
        empty.tamper(&remember("m20261121_000001_account")).await.expect("as before the first release");
        for refused in [db.pending_migrations().await.map(drop), db.migrate().await] {
            let err = refused.expect_err("made by another history");
            assert!(matches!(err, StoreError::Unreleased), "{err:?}");
            assert!(err.next_step().is_some_and(|step| step.contains("new store")), "{err}");
        }
        assert!(db.can_commit().await.is_err(), "no table was made");
        empty.tamper("DELETE FROM seaql_migrations").await.expect("empty again");
        db.migrate().await.expect("migrated");
        empty.tamper(&remember("m99991231_000001_later")).await.expect("as a newer version does");
        for refused in [db.pending_migrations().await.map(drop), db.migrate().await] {
            assert!(matches!(refused, Err(StoreError::Newer)), "{refused:?}");
        }
    }

    async fn a_store_that_is_gone_is_unavailable(db: TestDatabase) {
        let killer = db.connection().await;
        let store = db.store();
        let db = sample::store(db).await;
        if store == Store::Postgres {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let (doomed, unknown) = (db.begin().await.expect("begin"), db.begin().await.expect("begin"));
            unknown.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
            // With that its counters are stored, and nothing is to be sent but the commit.
            unknown.activity().count_runs(TENANT, &RunFilter::default()).await.expect("counted");
            killer.execute_unprepared(kill).await.expect("killed");
            assert!(doomed.activity().find_run(TENANT, RunId(uuid(1))).await.expect_err("gone").is_unavailable());
            assert!(unknown.commit().await.expect_err("gone").is_unknown_commit());
            drop(doomed);
            db.can_commit().await.expect("and back");
        }
        db.close().await;
        assert!(db.begin().await.expect_err("closed").is_unavailable());
        assert!(db.read().await.expect_err("closed").is_unavailable());
    }

    async fn a_store_that_cannot_keep_our_promises_is_refused(db: TestDatabase) {
        let strict = ConnectConfig { production: true, ..ConnectConfig::new(db.url()) };
        let refused = Db::connect(&strict).await;
        match db.store() {
            Store::Sqlite => {
                let why = refused.expect_err("SQLite in production").to_string();
                assert!(why.contains("HOC_ENV=production refuses SQLite"), "{why}");
            }
            Store::Postgres => {
                let fsync = db.connection().await.query_one_raw(sea_orm::Statement::from_string(
                    sea_orm::DbBackend::Postgres, "SELECT current_setting('fsync')",
                )).await.expect("asked").expect("a row").try_get_by::<String, _>(0).expect("text");
                assert_eq!(refused.is_ok(), fsync == "on", "{refused:?}");
            }
        }
        for url in ["mysql://localhost/x", "nonsense", ""] {
            let refused = Db::connect(&ConnectConfig::new(url)).await;
            assert!(matches!(refused, Err(StoreError::Unfit(_))), "{url}: {refused:?}");
        }
        let config = ConnectConfig::new("postgres://user:hunter2@localhost/x");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    async fn a_database_that_cannot_keep_every_text_is_refused(db: TestDatabase) {
        if db.store() == Store::Sqlite { return; }
        let name = db.url().split('?').next().and_then(|url| url.rsplit('/').next()).expect("a name");
        let latin = format!("{name}_latin");
        let made = "ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
        db.tamper(&format!("CREATE DATABASE {latin} {made}")).await.expect("made");
        let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url().replacen(name, &latin, 1)) };
        let refused = Db::connect(&config).await.expect_err("Cyrillic has no place in it").to_string();
        assert!(refused.contains("LATIN1") && refused.contains("--encoding=UTF8"), "{refused}");
        db.tamper(&format!("DROP DATABASE {latin} WITH (FORCE)")).await.expect("it goes");
    }

    async fn the_embedded_store_lives_in_memory_too(db: TestDatabase) {
        if db.store() == Store::Postgres { return; }
        let db = Db::connect(&ConnectConfig::new("sqlite::memory:")).await.expect("memory");
        db.migrate().await.expect("migrated");
        let tx = db.begin().await.expect("begin");
        tx.account().insert_tenant(&sample::tenant(TENANT)).await.expect("tenant");
        tx.commit().await.expect("commit");
        let read = db.read().await.expect("read");
        let stored = read.account().find_tenant(TENANT).await.expect("found").expect("there");
        assert_eq!(stored.name, ODD);
    }
}
