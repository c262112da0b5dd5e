//! The mark of runs that stall: of everybody's, whatever became of a row.

use drivers::STALLED_AT_ONCE;
use models::{
    activity::{LatencyBucket, Marked, RiskLevel, Run, RunFilter, Stalls},
    ids::TenantId,
};

use crate::{
    counters::miscounts,
    sample::{self, OTHER, TENANT, at, run},
};

testkit::on_both! {
    async fn rows_that_do_not_read_back_hold_up_no_mark(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        let many: Vec<Run> = (1..=u128::from(STALLED_AT_ONCE)).map(|n| run(TENANT, n)).collect();
        tx.activity().insert_runs(&many).await.expect("inserted");
        // Behind all of them, for whoever goes by when runs started.
        let last = run(OTHER, 2 * u128::from(STALLED_AT_ONCE));
        tx.activity().insert_runs(std::slice::from_ref(&last)).await.expect("inserted");
        tx.commit().await.expect("commit");
        let broken = "UPDATE runs SET late = 'x' \
            WHERE tenant_id <> (SELECT tenant_id FROM runs ORDER BY started_at DESC LIMIT 1)";
        past.tamper(broken).await.expect("broken");
        let read = db.read().await.expect("read");
        read.activity().find_runs(TENANT, &[many[0].id]).await.expect_err("it does not read back");
        drop(read);

        let stalls = Stalls { now: at(1), silent_since: at(1), expected_ms: 1 << 40, factor: 1 };
        for number in [STALLED_AT_ONCE, 1, 0] {
            let tx = db.begin().await.expect("begin");
            assert_eq!(tx.activity().mark_stalled(stalls).await.expect("marked"), Marked { found: number, marked: number });
            tx.commit().await.expect("commit");
        }
        let read = db.read().await.expect("read");
        let marked = &read.activity().find_runs(OTHER, &[last.id]).await.expect("found")[0];
        assert_eq!((marked.latency_bucket, marked.risk_level), (LatencyBucket::Stalled, RiskLevel::AtRisk));
        let counted = async |tenant: TenantId| {
            let latency_bucket = Some(LatencyBucket::Stalled);
            let filter = RunFilter { latency_bucket, risk: Some(true), ..RunFilter::default() };
            read.activity().count_runs(tenant, &filter).await.expect("counted")
        };
        assert_eq!((counted(TENANT).await, counted(OTHER).await), (STALLED_AT_ONCE, 1), "they are counted as they stand");
        for tenant in [TENANT, OTHER] {
            assert_eq!(miscounts(&db, tenant).await, [], "{tenant:?}");
        }
    }
}
