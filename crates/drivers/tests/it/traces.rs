//! Traces.

use std::collections::HashMap;

use drivers::{Raised, StoreError, Tx};
use models::{
    ids::{RunId, TraceId},
    logs::{Trace, Uncounted},
};
use proof::words::TraceStatus;

use crate::{
    sample::{self, ODD, OTHER, TENANT, at, hash, trace, uuid},
    whole,
};

fn sealed(trace: Trace) -> Trace {
    Trace {
        status: TraceStatus::Aborted,
        abort_reason: Some(ODD.to_owned()),
        root_hash: Some(hash(90)),
        chain_head: hash(91),
        step_count: 1,
        refused_count: 2,
        cost_known: false,
        tally: std::collections::BTreeMap::new(),
        tools_used: vec![],
        tools_cut: true,
        last_tool: None,
        failure_count: 3,
        expected_activity: 4,
        expected_provider: 5,
        last_recorded_at: None,
        completed_at: Some(at(50)),
        sealed_leaf_index: Some(7),
        opened_leaf_index: 6,
        ..trace
    }
}

/// The own traces of these runs, locked with them.
async fn locked(tx: &Tx, runs: &[RunId]) -> Vec<Trace> {
    let locked = tx.run_locks().lock_whole(TENANT, runs, at(0)).await.expect("locked");
    locked.into_iter().map(|locked| locked.trace).collect()
}

testkit::on_both! {
    async fn saving_writes_what_may_change_and_sealing_ends_it(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..4).await;
        let tx = db.begin().await.expect("begin");
        let ids = [3, 1, 2].map(|n| RunId(uuid(n)));
        let traces = locked(&tx, &ids).await;
        assert_eq!(traces, [1, 2, 3].map(|n| trace(TENANT, n)));
        let changed: Vec<Trace> = traces.iter().cloned().map(sealed).collect();
        let sent: Vec<Trace> = changed.iter().cloned().map(|t| Trace { agent_id: None, started_at: at(99), ..t }).collect();
        let alone = tx.traces().save_traces(&sent, &Raised::default()).await;
        assert!(matches!(alone, Err(StoreError::Corrupt { table: "aos_traces", .. })), "{alone:?}: without its run");
        let runs = tx.activity().lock_runs(TENANT, &ids).await.expect("locked");
        let raised = tx.activity().save_runs(&runs, &HashMap::new()).await.expect("saved");
        tx.traces().save_traces(&sent, &raised).await.expect("sealed");
        assert_eq!(locked(&tx, &ids).await, changed);
        let refused = tx.traces().save_traces(&[Trace { step_count: 9, ..changed[0].clone() }], &raised).await;
        assert!(matches!(refused, Err(StoreError::AppendOnly(_))), "{refused:?}");
    }

    async fn addenda_are_linked_and_keep_apart(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let late = Trace { id: TraceId(uuid(0)), addendum_of: Some(TraceId(uuid(1))), started_at: at(-9), ..trace(TENANT, 1) };
        let tx = db.begin().await.expect("begin");
        tx.traces().start_traces(&[late.clone()]).await.expect("addendum");
        let own = trace(TENANT, 1);
        let run = own.run_id;
        assert_eq!(tx.traces().trace_of_run(TENANT, run).await.expect("own"), Some(own.clone()));
        let owns = async |tenant| -> Vec<(RunId, Trace)> {
            let each = tx.traces().own_traces_of(tenant, &[run, RunId(uuid(404))]).await.expect("asked");
            each.into_iter().map(|(run, trace)| (run, trace.expect("it reads back"))).collect()
        };
        assert_eq!(owns(TENANT).await, [(run, own.clone())]);
        assert_eq!(owns(OTHER).await, []);
        assert_eq!(locked(&tx, &[run]).await, [own.clone()]);
        assert_eq!(tx.traces().traces_of_run(TENANT, run).await.expect("both"), [own.clone(), late.clone()]);
        assert_eq!(tx.traces().find_trace(TENANT, late.id).await.expect("late"), Some(late));
    }

    async fn a_page_reads_of_what_does_not_count_its_own_indices(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let of = |tenant, run, step_index| Uncounted {
            tenant, run_id: RunId(uuid(run)), step_index, told_by_index: step_index + 1, in_doubt: false, created_at: at(1),
        };
        let all: Vec<_> = [0, 49, 50, 51, 99, 100, 700].map(|index| of(TENANT, 1, index)).into();
        let tx = db.begin().await.expect("begin");
        tx.traces().insert_uncounted(&all).await.expect("of this run");
        tx.traces().insert_uncounted(&[of(TENANT, 2, 60), of(OTHER, 1, 61)]).await.expect("of others");
        let run = RunId(uuid(1));
        assert_eq!(tx.traces().uncounted(TENANT, run, 50..=99).await.expect("a page's"), all[2..5]);
        assert_eq!(tx.traces().uncounted(TENANT, run, 101..=699).await.expect("none"), []);
        assert_eq!(tx.traces().uncounted(TENANT, run, 0..=u64::MAX).await.expect("all"), all);
    }
}
