//! Counters that are counted anew while others write, many of them, and those that came to nothing.

use std::collections::HashMap;

use drivers::{Db, counters::Round};
use models::{
    activity::{Run, RunState},
    counters::Counted,
};
use proof::words::RunStatus;
use testkit::Store;

use crate::{
    counters::{miscounts, recount, rounds},
    hanging::before_its_commit,
    sample::{self, OTHER, TENANT, at, run},
};

async fn start(db: &Db, n: u128) {
    let tx = db.begin().await.expect("begin");
    tx.activity().insert_runs(&[run(TENANT, n)]).await.expect("inserted");
    tx.commit().await.expect("commit");
}

/// Deletes what came to nothing, in every round.
async fn sweep(db: &Db) {
    for round in rounds(db, TENANT).await {
        loop {
            let tx = db.begin().await.expect("begin");
            let is_more = tx.counters().sweep(TENANT, &round).await.expect("swept");
            tx.commit().await.expect("commit");
            if !is_more {
                break;
            }
        }
        let read = db.read().await.expect("read");
        assert!(!read.counters().has_empty(TENANT, &round).await.expect("looked for"), "{round:?}");
    }
}

testkit::on_both! {
    async fn who_writes_between_reading_and_mending_is_counted_once(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        start(&db, 1).await;
        for (n, planted) in (1..).zip([
            "UPDATE counters SET number = number + 5",
            "UPDATE counters SET number = number - 5",
            "DELETE FROM counters",
        ]) {
            past.tamper(planted).await.expect("planted");
            for (part, round) in (1..).zip(rounds(&db, TENANT).await) {
                let read = db.read().await.expect("read");
                let lacking = read.counters().lacking(TENANT, &round).await.expect("held against");
                drop(read);
                assert!(!lacking.is_empty(), "{planted} {round:?}");
                start(&db, 100 * n + part).await;
                let tx = db.begin().await.expect("begin");
                tx.counters().mend(lacking);
                tx.commit().await.expect("commit");
            }
            assert_eq!(miscounts(&db, TENANT).await, [], "{planted}");
        }
    }

    async fn whoever_has_written_and_not_committed_is_not_waited_for(db: TestDatabase) {
        if db.store() == Store::Sqlite { return; } // There is one writer.
        let past = db;
        let db = sample::store(db).await;
        start(&db, 1).await;
        past.tamper("UPDATE counters SET number = number + 5").await.expect("planted");
        let hangs = before_its_commit(&db, 2).await;
        recount(&db, TENANT).await;
        assert_eq!(miscounts(&db, TENANT).await, []);
        hangs.commit().await.expect("commit");
        assert_eq!(miscounts(&db, TENANT).await, [], "it is counted as any other");
    }

    async fn two_do_not_count_anew_at_once(db: TestDatabase) {
        if db.store() == Store::Sqlite { return; } // It has no such lock.
        let past = db;
        let db = sample::store(db).await;
        let first = db.begin().await.expect("begin");
        let [other, second] = [db.read().await.expect("read"), db.read().await.expect("read")];
        let by = async || second.counters().recounted_by(TENANT).await.expect("looked for");
        assert_eq!(by().await, None, "nobody does it yet");
        first.counters().hold_recounts(TENANT).await.expect("nobody else does it");
        assert!(by().await.is_some(), "who is to wait can say for whom");
        assert_eq!(first.counters().recounted_by(TENANT).await.expect("looked for"), None, "that is no other");
        assert_eq!(second.counters().recounted_by(OTHER).await.expect("looked for"), None, "nor of that tenant");
        other.counters().hold_recounts(OTHER).await.expect("that is another tenant");
        let held = tokio::join!(second.counters().hold_recounts(TENANT), async {
            past.until_blocked(1).await;
            first.rollback().await.expect("undone");
        });
        held.0.expect("one after another");
        assert_eq!(by().await, None, "it does it itself");
    }

    async fn agents_are_looked_at_in_pages(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        start(&db, 1).await;
        // As many as one that names its agent anew for each run leaves; and nothing that they count.
        past.tamper(
            "INSERT INTO counters WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10100) \
             SELECT c.tenant_id, 'AGENT_RUNS', 'agent' || n.i, c.cell, c.shard, c.part, c.kind, 1, 0, 0, 0, 0, 0, 0, 0 \
             FROM n, counters c WHERE c.counted = 'RUNS'",
        )
        .await
        .expect("planted");
        let pages = rounds(&db, TENANT).await.into_iter().filter(|round| matches!(round, Round::Agents { .. }));
        assert_eq!(pages.count(), 2);
        let found = miscounts(&db, TENANT).await;
        assert_eq!(found.len(), 10_100, "each once, and not the one that is right");
        assert!(found.iter().all(|of| of.counted == Counted::AgentRuns && of.differs == "the number is 1 too high"));
        recount(&db, TENANT).await;
        assert_eq!(miscounts(&db, TENANT).await, []);
        sweep(&db).await;
        assert_eq!(past.number("SELECT COUNT(*) FROM counters WHERE counted = 'AGENT_RUNS'").await, 1);
    }

    async fn what_came_to_nothing_is_deleted_and_comes_again(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        start(&db, 1).await;
        let began = run(TENANT, 1);
        let ended = Run {
            state: RunState::Completed,
            status: RunStatus::Succeeded,
            completed_at: Some(at(5)),
            ..began.clone()
        };
        let stood = HashMap::from([(began.id, began.standing())]);
        let tx = db.begin().await.expect("begin");
        tx.activity().save_runs(&[ended], &stood).await.expect("saved");
        tx.commit().await.expect("commit");
        let empty = "SELECT COUNT(*) FROM counters WHERE number = 0 AND counted IN ('RUNS_OF_DAY', 'AGENT_RUNS', 'AGENT_RUNS_OF_DAY')";
        assert_eq!(past.number(empty).await, 3, "nothing is left of how it stood");
        sweep(&db).await;
        assert_eq!(past.number(empty).await, 0);
        assert_eq!(miscounts(&db, TENANT).await, []);
        start(&db, 2).await;
        assert_eq!(miscounts(&db, TENANT).await, []);
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().run_counts(TENANT).await.expect("counted").live, 1);
    }

    async fn a_counter_of_no_day_is_named_passed_over_and_deleted(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        start(&db, 1).await;
        past.tamper(
            "INSERT INTO counters SELECT tenant_id, counted, '2031-13-77', cell, shard, part, kind, 3, 0, 0, 0, 0, 0, 0, 0 \
             FROM counters WHERE counted = 'RUNS_OF_DAY'",
        )
        .await
        .expect("planted");
        past.tamper(
            "INSERT INTO counters SELECT tenant_id, counted, place, cell, 7, '2026-02-30', kind, 3, 0, 0, 0, 0, 0, 0, 0 \
             FROM counters WHERE counted = 'AGENT_RUNS_OF_DAY'",
        )
        .await
        .expect("planted");
        past.tamper("UPDATE counters SET number = 9 WHERE counted = 'RUNS_OF_MONTH'").await.expect("planted");
        let mut found: Vec<_> =
            miscounts(&db, TENANT).await.into_iter().map(|of| (of.counted, of.differs)).collect();
        found.sort();
        let no_day = || "it is of no day".to_owned();
        assert_eq!(
            found,
            [
                (Counted::RunsOfMonth, "the number is 8 too high".to_owned()),
                (Counted::RunsOfDay, no_day()),
                (Counted::AgentRunsOfDay, no_day()),
            ]
        );
        recount(&db, TENANT).await;
        assert_eq!(miscounts(&db, TENANT).await, []);
        assert_eq!(past.number("SELECT COUNT(*) FROM counters WHERE number > 1").await, 0);
    }
}
