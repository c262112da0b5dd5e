//! Replicas that hang after they stored their counters hold nobody up (ADR 44).

use drivers::{Db, Tx};
use testkit::Store;

use crate::{
    counters::miscounts,
    sample::{self, TENANT, run},
    whole::llm_run,
};

/// A run and a call, all of one kind, with their counters stored and nothing left but the commit.
pub(crate) async fn before_its_commit(db: &Db, n: u128) -> Tx {
    let tx = db.begin().await.expect("begin");
    tx.activity().insert_runs(&[run(TENANT, n)]).await.expect("inserted");
    tx.logs().insert_llm_runs(&[llm_run(TENANT, n, 0)], &sample::agents()).await.expect("a call");
    // Whoever reads counters where it wrote stores them before.
    tx.activity().run_counts(TENANT).await.expect("nobody is waited for");
    tx
}

testkit::on_both! {
    async fn whoever_hangs_before_its_commit_is_not_waited_for(db: TestDatabase) {
        if db.store() == Store::Sqlite { return; } // There is one writer.
        let db = sample::store(db).await;
        let mut hanging = Vec::new();
        for n in 1..=8 {
            // As many as there are shards that are taken where they are free; by chance two would have met.
            hanging.push(before_its_commit(&db, n).await);
        }
        for tx in hanging {
            tx.commit().await.expect("commit");
        }
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().run_counts(TENANT).await.expect("counted").total, 8);
        drop(read);
        assert_eq!(miscounts(&db, TENANT).await, []);
    }

    async fn who_hangs_is_not_waited_for_by_another_replica(db: TestDatabase) {
        if db.store() == Store::Sqlite { return; }
        let past = db;
        let (one, two) = (sample::store(db).await, sample::open(db).await);
        let hangs = before_its_commit(&one, 1).await;
        for n in 2..=5 {
            before_its_commit(&two, n).await.commit().await.expect("commit");
        }
        hangs.rollback().await.expect("undone");
        assert_eq!(miscounts(&two, TENANT).await, []);
        let rows = past.number("SELECT COUNT(DISTINCT shard) FROM counters").await;
        assert_eq!(rows, 1, "one after another they take the same: it was free each time");
    }
}
