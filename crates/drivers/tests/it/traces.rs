//! Traces and steps.

use drivers::{StoreError, logs::DecidedStep};
use models::{
    ids::{RunId, TraceId},
    logs::{Trace, Uncounted},
    page::{Cursor, PageRequest},
};
use proof::{records::StepRecord, tagged::Hashed, words::TraceStatus};

use crate::sample::{self, ODD, OTHER, TENANT, at, hash, run, step, trace, uuid, verdict};

async fn started(db: &drivers::Db, runs: std::ops::Range<u128>) {
    let tx = db.begin().await.expect("begin");
    let (runs, traces): (Vec<_>, Vec<_>) = runs.map(|n| (run(TENANT, n), trace(TENANT, n))).unzip();
    tx.activity().insert_runs(&runs).await.expect("runs");
    tx.traces().start_traces(&traces).await.expect("traces");
    tx.commit().await.expect("commit");
}

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

testkit::on_both! {
    async fn saving_writes_what_may_change_and_sealing_ends_it(db: TestDatabase) {
        let db = sample::store(db).await;
        started(&db, 1..4).await;
        let tx = db.begin().await.expect("begin");
        let ids = [3, 1, 2].map(|n| RunId(uuid(n)));
        let traces = tx.traces().lock_traces(TENANT, &ids).await.expect("locked");
        assert_eq!(traces, [1, 2, 3].map(|n| trace(TENANT, n)));
        let changed: Vec<Trace> = traces.iter().cloned().map(sealed).collect();
        let sent: Vec<Trace> = changed.iter().cloned().map(|t| Trace { agent_id: None, started_at: at(99), ..t }).collect();
        tx.traces().save_traces(&sent).await.expect("sealed");
        assert_eq!(tx.traces().lock_traces(TENANT, &ids).await.expect("locked"), changed);
        let refused = tx.traces().save_traces(&[Trace { step_count: 9, ..changed[0].clone() }]).await;
        assert!(matches!(refused, Err(StoreError::AppendOnly(_))), "{refused:?}");
    }

    async fn addenda_are_linked_and_keep_apart(db: TestDatabase) {
        let db = sample::store(db).await;
        started(&db, 1..2).await;
        let late = Trace { id: TraceId(uuid(0)), addendum_of: Some(TraceId(uuid(1))), started_at: at(-9), ..trace(TENANT, 1) };
        let tx = db.begin().await.expect("begin");
        tx.traces().start_traces(&[late.clone()]).await.expect("addendum");
        let own = trace(TENANT, 1);
        let v = verdict(TENANT, 1, 0);
        let steps = [step(TENANT, 1, 0), StepRecord {
            trace_id: late.id.to_string(), idempotency_key: None, ..step(TENANT, 1, 0)
        }];
        let hashed = steps.clone().map(Hashed::new);
        let decided: Vec<_> = hashed.iter().map(|record| DecidedStep { record, reported: false, verdict: &v }).collect();
        tx.traces().insert_steps(&decided).await.expect("steps");
        let run = own.run_id;
        assert_eq!(tx.traces().trace_of_run(TENANT, run).await.expect("own"), Some(own.clone()));
        assert_eq!(tx.traces().lock_traces(TENANT, &[run]).await.expect("own"), [own.clone()]);
        assert_eq!(tx.traces().traces_of_run(TENANT, run).await.expect("both"), [own.clone(), late.clone()]);
        assert_eq!(tx.traces().find_trace(TENANT, late.id).await.expect("late"), Some(late));
        let stored = tx.traces().all_steps(TENANT, run).await.expect("steps");
        assert_eq!(stored.iter().map(|s| &s.record).collect::<Vec<_>>(), [&steps[0]]);
    }

    async fn steps_come_by_index_page_by_page_with_their_hash(db: TestDatabase) {
        let db = sample::store(db).await;
        started(&db, 1..2).await;
        let verdicts: Vec<_> = (0..137).map(|n| verdict(TENANT, 1, n)).collect();
        let steps: Vec<_> = (0..137).map(|n| step(TENANT, 1, n)).collect();
        let hashed: Vec<_> = steps.iter().cloned().map(Hashed::new).collect();
        let decided: Vec<_> = hashed.iter().zip(&verdicts)
            .map(|(record, verdict)| DecidedStep { record, reported: true, verdict }).collect();
        let tx = db.begin().await.expect("begin");
        tx.traces().insert_steps(&decided).await.expect("steps");
        let run = RunId(uuid(1));
        let all = tx.traces().all_steps(TENANT, run).await.expect("all");
        assert_eq!(all.iter().map(|row| row.record.clone()).collect::<Vec<_>>(), steps);
        for row in &all {
            assert_eq!(row.step_hash, proof::records::Record::Step(row.record.clone()).hash());
            assert!(row.reported);
        }
        let first = PageRequest::new(Some(100), None, true).expect("a page");
        let page = tx.traces().list_steps(TENANT, run, None, &first).await.expect("page");
        let next = page.next_cursor.map(|cursor| cursor.place);
        assert_eq!((page.items.len(), page.total, next), (100, Some(137), Some(Cursor::After(99))));
        let cursor = page.next_cursor.map(|cursor| cursor.to_string());
        let rest = PageRequest::new(Some(100), cursor.as_deref(), false).expect("a page");
        let page = tx.traces().list_steps(TENANT, run, None, &rest).await.expect("page");
        assert_eq!((page.items[0].record.step_index, page.items.len(), page.has_more, page.total), (100, 37, false, None));

        let of_tree = async |indices: [std::ops::Range<u64>; 2]| {
            let [first, second] = indices;
            let read = tx.traces().tree_steps(TENANT, &[(run, first), (RunId(uuid(2)), second)]).await.expect("read");
            read.into_iter().map(|step| (step.run_id, step.step_index)).collect::<Vec<_>>()
        };
        assert_eq!(of_tree([3..5, 0..9]).await, [(run, 3), (run, 4)]);
        assert_eq!(of_tree([135..1_000, 0..9]).await, [(run, 135), (run, 136)]);
        // With what was said of them, first; of others nothing.
        let said = |tenant, step_index, told_by_index| Uncounted {
            tenant, run_id: run, step_index, told_by_index, created_at: at(1),
        };
        for all in [[said(TENANT, 3, 7), said(OTHER, 4, 7)], [said(TENANT, 3, 9), said(TENANT, 5, 5)]] {
            tx.traces().insert_uncounted(&all).await.expect("said");
        }
        let read = tx.traces().tree_steps(TENANT, &[(run, 2..6)]).await.expect("read");
        let told: Vec<_> = read.iter().map(|step| (step.step_index, step.told_by_index)).collect();
        assert_eq!(told, [(2, None), (3, Some(7)), (4, None), (5, Some(5))]);

        let keys: Vec<_> = [5, 136, 5].iter().map(|n| (run, format!("{ODD}{n}"))).chain([(RunId(uuid(2)), ODD.to_owned())]).collect();
        let mut found = tx.traces().find_steps_by_keys(TENANT, &keys).await.expect("found");
        found.sort_by_key(|row| row.record.step_index);
        assert_eq!(found, [all[5].clone(), all[136].clone()]);
        assert_eq!(tx.traces().find_steps_by_keys(OTHER, &keys).await.expect("not theirs"), []);
    }

    async fn a_page_reads_of_what_does_not_count_its_own_indices(db: TestDatabase) {
        let db = sample::store(db).await;
        started(&db, 1..3).await;
        let of = |tenant, run, step_index| Uncounted {
            tenant, run_id: RunId(uuid(run)), step_index, told_by_index: step_index + 1, created_at: at(1),
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

    async fn a_step_needs_its_own_verdict(db: TestDatabase) {
        let db = sample::store(db).await;
        started(&db, 1..2).await;
        let tx = db.begin().await.expect("begin");
        let record = Hashed::new(step(TENANT, 1, 0));
        let foreign = [verdict(TENANT, 1, 1), verdict(TENANT, 2, 0), verdict(OTHER, 1, 0)];
        for verdict in &foreign {
            let step = DecidedStep { record: &record, reported: false, verdict };
            let refused = tx.traces().insert_steps(&[step]).await.expect_err("another's verdict");
            assert!(matches!(&refused, StoreError::Corrupt { table: "aos_trace_steps", row, .. } if row.ends_with("/0")), "{refused}");
        }
        let undecided = Hashed::new(StepRecord { decision_id: None, ..(*record).clone() });
        let own = verdict(TENANT, 1, 0);
        let step = DecidedStep { record: &undecided, reported: true, verdict: &own };
        assert!(tx.traces().insert_steps(&[step]).await.is_err());
        assert_eq!(tx.traces().all_steps(TENANT, RunId(uuid(1))).await.expect("none"), []);
    }

    async fn first_truth_wins(db: TestDatabase) {
        let db = sample::store(db).await;
        started(&db, 1..2).await;
        let own = verdict(TENANT, 1, 0);
        let record = Hashed::new(step(TENANT, 1, 0));
        let decided = DecidedStep { record: &record, reported: false, verdict: &own };
        let tx = db.begin().await.expect("begin");
        tx.traces().insert_steps(&[decided]).await.expect("the first");
        tx.commit().await.expect("commit");
        let tx = db.begin().await.expect("begin");
        assert!(matches!(tx.traces().insert_steps(&[decided]).await, Err(StoreError::Conflict(_))));
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        let again = Hashed::new(StepRecord { step_index: 1, ..(*record).clone() });
        let decided = DecidedStep { record: &again, ..decided };
        assert!(matches!(tx.traces().insert_steps(&[decided]).await, Err(StoreError::Conflict(_))), "the same key");
    }
}
