//! Writes that go together: one trip to the store, which fails as each of them would.

use std::time::Duration;

use drivers::{Db, StoreError, Tx, activity::DecidedRun};
use models::{
    activity::{RiskLevel, Run, RunVersion},
    ids::RunId,
    logs::SystemRecord,
    policies::PermitStatus,
};
use testkit::Store;

use crate::{
    sample::{self, TENANT, run, trace, uuid},
    whole::{self, permit, system_record},
};

/// Why one of several writes fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    /// Its key is taken.
    Taken,
    /// A row that it changes is not there.
    Gone,
    /// A row that it decided on was written since.
    Written,
    /// What it refers to is not there.
    Unrelated,
}

impl Fails {
    const ALL: [Self; 4] = [Self::Taken, Self::Gone, Self::Written, Self::Unrelated];
}

/// A write that fails, between two that do not.
async fn write(tx: &Tx, fails: Fails, run_of: &Run, version: RunVersion) -> Result<(), StoreError> {
    tx.logs().insert_system_records(&[system_record(TENANT, 1)]).await?;
    match fails {
        Fails::Taken => tx.activity().insert_runs(&[run(TENANT, 2)]).await?,
        Fails::Gone => tx.policies().save_permits(PermitStatus::Granted, &[permit(TENANT, 1, 1)]).await?,
        Fails::Written => {
            let stood = run_of.standing();
            let decided = DecidedRun { run: run_of, stood: &stood, version: version.next(uuid(9)) };
            drop(tx.activity().save_decided(&[decided], uuid(9)).await?);
        }
        Fails::Unrelated => tx.traces().start_traces(&[trace(TENANT, 7)]).await?,
    }
    tx.activity().insert_runs(&[run(TENANT, 3)]).await
}

async fn has_run(db: &Db, n: u128) -> bool {
    let read = db.read().await.expect("read");
    read.activity().find_run(TENANT, RunId(uuid(n))).await.expect("found").is_some()
}

testkit::on_both! {
    async fn several_tables_are_one_trip(db: TestDatabase) {
        let store = sample::store(db).await;
        let runs = [run(TENANT, 1), run(TENANT, 2)];
        for (is_together, expected) in [(false, 3), (true, 1)] {
            let tx = store.begin().await.expect("begin");
            if is_together {
                tx.write_together();
            }
            let before = store.statements();
            tx.activity().insert_runs(&runs).await.expect("runs");
            tx.traces().start_traces(&[trace(TENANT, 1), trace(TENANT, 2)]).await.expect("their traces");
            tx.logs().insert_system_records(&[system_record(TENANT, 1)]).await.expect("a record");
            assert_eq!(store.statements() - before, if is_together { 0 } else { 3 });
            tx.send_waiting().await.expect("sent");
            assert_eq!(store.statements() - before, expected, "together: {is_together}");
            tx.send_waiting().await.expect("nothing is left");
            assert_eq!(store.statements() - before, expected);
            if is_together {
                tx.commit().await.expect("commit");
                assert_eq!(store.statements() - before, 3, "counters go behind them, and the commit");
            } else {
                tx.rollback().await.expect("undone");
            }
        }
        let read = store.read().await.expect("read");
        assert_eq!(read.activity().find_runs(TENANT, &runs.each_ref().map(|run| run.id)).await.expect("found"), runs);
        let of_run = read.traces().trace_of_run(TENANT, runs[1].id).await.expect("found");
        assert_eq!(of_run, Some(trace(TENANT, 2)));
        let record = system_record(TENANT, 1);
        assert_eq!(read.logs().find_system_record(TENANT, record.id).await.expect("found"), Some(record));
    }

    async fn what_fails_among_them_is_told_as_by_itself(db: TestDatabase) {
        let store = sample::store(db).await;
        whole::start(&store, 1..3).await;
        let stored = db.row_counts().await;
        for fails in Fails::ALL {
            for by_commit in [false, true] {
                let tx = store.begin().await.expect("begin");
                let ids = [RunId(uuid(1))];
                let locked = tx.run_locks().lock_whole(TENANT, &ids, sample::at(0)).await.expect("locked");
                tx.write_together();
                let written = write(&tx, fails, &locked[0].run, locked[0].version).await;
                written.expect("it waits");
                let told = if by_commit {
                    tx.commit().await
                } else {
                    let told = tx.send_waiting().await;
                    tx.rollback().await.expect("undone");
                    told
                };
                let is_told = match &told {
                    Err(StoreError::Conflict(_)) => fails == Fails::Taken,
                    Err(StoreError::RowsAffected { table, expected, actual }) => {
                        fails == Fails::Gone && (*table, *expected, *actual) == ("permits", 1, 0)
                    }
                    Err(StoreError::Retry(_)) => fails == Fails::Written,
                    // Neither store says enough of that: on SQLite nothing at all.
                    Err(StoreError::Related(cause)) => {
                        let of = "of a write to system_records, aos_traces, runs";
                        fails == Fails::Unrelated && cause.to_string().starts_with(of)
                    }
                    _ => false,
                };
                assert!(is_told, "{fails:?}, by the commit: {by_commit}: {told:?}");
                if let Err(StoreError::Conflict(cause)) = &told {
                    // What is counted goes with them where they are sent by the commit.
                    let counted = if by_commit { ", counters" } else { "" };
                    let said = cause.to_string();
                    match db.store() {
                        Store::Postgres => {
                            let of = format!("of a write to system_records, runs{counted}");
                            assert_eq!(said, of, "what may be to blame");
                        }
                        Store::Sqlite => assert!(said.contains("runs.") && !said.contains("system"), "{said}"),
                    }
                    assert!(cause.source().is_some(), "{cause:?}");
                }
                assert_eq!(db.row_counts().await, stored, "{fails:?}: nothing of the others is there");
            }
        }
    }

    /// Also where who asked next takes it for a failure of what he asked, and goes on.
    async fn behind_one_that_failed_nothing_is_committed(db: TestDatabase) {
        let store = sample::store(db).await;
        whole::start(&store, 1..3).await;
        let stored = db.row_counts().await;
        for fails in Fails::ALL {
            let tx = store.begin().await.expect("begin");
            let locked = tx.run_locks().lock_whole(TENANT, &[RunId(uuid(1))], sample::at(0)).await.expect("locked");
            tx.write_together();
            write(&tx, fails, &locked[0].run, locked[0].version).await.expect("it waits");
            tx.activity().find_run(TENANT, RunId(uuid(1))).await.expect_err("what waited failed");
            tx.commit().await.expect_err("what waited behind it is gone");
            assert_eq!(db.row_counts().await, stored, "{fails:?}");
        }
    }

    async fn what_waits_goes_before_anything_else(db: TestDatabase) {
        let store = sample::store(db).await;
        let tx = store.begin().await.expect("begin");
        tx.write_together();
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("it waits");
        let own = tx.activity().find_run(TENANT, RunId(uuid(1))).await.expect("found");
        assert_eq!(own, Some(run(TENANT, 1)), "who reads finds what he wrote");
        tx.activity().insert_runs(&[run(TENANT, 2)]).await.expect("it waits too");
        let before = store.statements();
        tx.wait_at_most(Duration::from_secs(1)).await.expect("said");
        let sent = if db.store() == Store::Postgres { 2 } else { 0 };
        assert_eq!(store.statements() - before, sent, "whoever sends something else sends it first");
        tx.activity().insert_runs(&[run(TENANT, 3)]).await.expect("it waits again");
        drop(tx);
        for n in 1..4 {
            assert!(!has_run(&store, n).await, "{n}: what is not committed is nowhere, sent or not");
        }
    }

    /// Of rows that are no power of two some places of the statement are empty, and stay so.
    async fn what_goes_before_fills_no_place_of_what_goes_behind(db: TestDatabase) {
        let store = sample::store(db).await;
        let records: Vec<SystemRecord> = (0..5).map(|n| system_record(TENANT, n)).collect();
        let runs = [run(TENANT, 1), run(TENANT, 2), run(TENANT, 3)];
        let tx = store.begin().await.expect("begin");
        tx.write_together();
        tx.logs().insert_system_records(&records).await.expect("it waits");
        tx.activity().insert_runs(&runs).await.expect("it waits");
        tx.logs().insert_system_records(&[system_record(TENANT, 9)]).await.expect("it waits");
        tx.commit().await.expect("commit");
        let read = store.read().await.expect("read");
        let found = read.activity().find_runs(TENANT, &runs.each_ref().map(|run| run.id)).await.expect("found");
        assert_eq!(found, runs);
        for record in records.into_iter().chain([system_record(TENANT, 9)]) {
            let found = read.logs().find_system_record(TENANT, record.id).await.expect("found");
            assert_eq!(found, Some(record));
        }
    }

    /// Rows that change are sent with more values than they are changed in, and with more rows than there are.
    async fn nor_does_what_changes(db: TestDatabase) {
        let store = sample::store(db).await;
        whole::start(&store, 1..4).await;
        let records: Vec<SystemRecord> = (0..5).map(|n| system_record(TENANT, n)).collect();
        let ids = [1, 2, 3].map(|n| RunId(uuid(n)));
        let tx = store.begin().await.expect("begin");
        let locked = tx.run_locks().lock_whole(TENANT, &ids, sample::at(0)).await.expect("locked");
        let after = |run: &Run, step_count| Run { step_count, risk_level: RiskLevel::AtRisk, ..run.clone() };
        let runs: Vec<Run> = locked.iter().zip(7..).map(|(locked, steps)| after(&locked.run, steps)).collect();
        let stood: Vec<_> = locked.iter().map(|locked| locked.run.standing()).collect();
        let decided: Vec<DecidedRun<'_>> = runs
            .iter()
            .zip(&stood)
            .zip(&locked)
            .map(|((run, stood), locked)| DecidedRun { run, stood, version: locked.version })
            .collect();
        tx.write_together();
        tx.logs().insert_system_records(&records).await.expect("it waits");
        tx.activity().save_decided(&decided, uuid(9)).await.expect("it waits");
        tx.activity().insert_runs(&[run(TENANT, 4)]).await.expect("it waits");
        tx.commit().await.expect("commit");
        let read = store.read().await.expect("read");
        assert_eq!(read.activity().find_runs(TENANT, &ids).await.expect("found"), runs);
        let new = read.activity().find_run(TENANT, RunId(uuid(4))).await.expect("found");
        assert_eq!(new, Some(run(TENANT, 4)));
        for record in records {
            let found = read.logs().find_system_record(TENANT, record.id).await.expect("found");
            assert_eq!(found, Some(record));
        }
    }

    /// What is counted is noted on the way, and written behind all else.
    async fn what_cannot_be_counted_is_not_there(db: TestDatabase) {
        let store = sample::store(db).await;
        let stored = db.row_counts().await;
        let refusing = match db.store() {
            Store::Postgres => {
                "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$; \
                 CREATE TRIGGER refused BEFORE INSERT ON counters FOR EACH ROW EXECUTE FUNCTION refused()"
            }
            Store::Sqlite => {
                "CREATE TRIGGER refused BEFORE INSERT ON counters BEGIN SELECT RAISE(ABORT, 'refused'); END"
            }
        };
        db.tamper(refusing).await.expect("it refuses");
        for is_together in [false, true] {
            let tx = store.begin().await.expect("begin");
            if is_together {
                tx.write_together();
            }
            tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("sent, or it waits");
            tx.commit().await.expect_err("its counters are refused");
            assert_eq!(db.row_counts().await, stored, "together: {is_together}");
        }
    }

    async fn of_one_table_they_may_be_more_than_one_statement_takes(db: TestDatabase) {
        let store = sample::store(db).await;
        let records: Vec<SystemRecord> = (0..1_500).map(|n| system_record(TENANT, n)).collect();
        let tx = store.begin().await.expect("begin");
        tx.write_together();
        let before = store.statements();
        tx.logs().insert_system_records(&records).await.expect("records");
        tx.send_waiting().await.expect("sent");
        let trips = if db.store() == Store::Postgres { 1 } else { 12 };
        assert_eq!(store.statements() - before, trips, "SQLite takes 128 rows at once");
        tx.commit().await.expect("commit");
        assert_eq!(db.number("SELECT count(*) FROM system_records").await, 1_500);
    }

    async fn what_is_long_does_not_wait_for_more(db: TestDatabase) {
        let store = sample::store(db).await;
        let long = |n: u128| SystemRecord { summary: "x".repeat(1 << 20), ..system_record(TENANT, n) };
        let tx = store.begin().await.expect("begin");
        tx.write_together();
        let mut sent = Vec::new();
        for n in 0..9 {
            let before = store.statements();
            tx.logs().insert_system_records(&[long(n)]).await.expect("a record");
            sent.push(store.statements() - before);
        }
        assert_eq!(sent, [0, 0, 0, 1, 0, 0, 0, 1, 0], "four MiB are sent");
        tx.commit().await.expect("commit");
        assert_eq!(db.number("SELECT count(*) FROM system_records").await, 9);
    }
}
