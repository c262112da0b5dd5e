//! A run's records as its segments hold them: whole, by page, by key; and what is damaged is named.

use std::collections::HashMap;

use drivers::{
    StoreError, Tx,
    logs::{DecidedStep, NewSegment, RunRecords},
};
use models::{
    ids::{KeyId, RunId},
    logs::{StepKey, Uncounted},
    page::{Cursor, PageRequest},
    policies::Permit,
    verdict::Verdict,
};
use proof::{
    records::{Record, StepRecord},
    segment::Line,
    tagged::Hashed,
};
use testkit::{Damage, StoredSegment};

use crate::{
    sample::{self, ODD, OTHER, TENANT, at, step, uuid, verdict},
    whole::{self, activity, permit, segment},
};

/// Steps of a run, each with its verdict.
struct Steps {
    run: u128,
    hashed: Vec<Hashed<StepRecord>>,
    verdicts: Vec<Verdict>,
}

impl Steps {
    fn of(run: u128, steps: impl IntoIterator<Item = StepRecord>) -> Self {
        // None names a text: those are in bodies of their own.
        let bare =
            |step| StepRecord { params: None, outcome_data: None, prompt: None, response: None, ..step };
        let hashed: Vec<_> = steps.into_iter().map(bare).map(Hashed::new).collect();
        let verdicts = hashed.iter().map(|step| verdict(TENANT, run, step.step_index)).collect();
        Self { run, hashed, verdicts }
    }

    fn decided(&self) -> Vec<DecidedStep<'_>> {
        let pairs = self.hashed.iter().zip(&self.verdicts);
        pairs.map(|(record, verdict)| DecidedStep { record, verdict }).collect()
    }

    /// In segments of so many, each step with its decision, as groups add them.
    async fn append(&self, tx: &Tx, at_once: usize) {
        let none = RunRecords::default();
        let decided = self.decided();
        for (n, steps) in decided.chunks(at_once).enumerate() {
            let first = (n * at_once) as u64;
            let evidence = steps.iter().map(|step| Line::of(step.verdict.record())).collect();
            let added = NewSegment {
                first_record: first * 2,
                first_step: first,
                evidence,
                ..segment(TENANT, self.run, &none, steps.to_vec())
            };
            tx.traces().append(&[added]).await.expect("appended");
        }
    }
}

testkit::on_both! {
    async fn steps_come_by_index_page_by_page_with_their_hash_and_decision(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let (mine, theirs) = (KeyId(uuid(5)), KeyId(uuid(6)));
        let steps = Steps::of(1, (0..137).map(|n| {
            let by = if n % 9 == 0 { theirs } else { mine };
            StepRecord { reported_by: Some(by.to_string()), ..step(TENANT, 1, n) }
        }));
        let tx = db.begin().await.expect("begin");
        steps.append(&tx, 7).await;
        let run = RunId(uuid(1));
        let (all, missing, _) = whole::read_run(*tx.traces(), TENANT, run).await;
        assert_eq!(missing, []);
        assert!(all.steps.iter().map(|row| &row.record).eq(steps.hashed.iter().map(|step| &**step)));
        assert!(all.steps.iter().zip(&steps.hashed).all(|(row, step)| row.step_hash == step.hash() && row.reported));
        assert!(all.decisions.iter().eq(steps.verdicts.iter().map(Verdict::record)));

        let first = PageRequest::new(Some(100), None, true).expect("a page");
        let page = tx.traces().list_steps(TENANT, run, 137, None, &first).await.expect("page").page;
        let next = page.next_cursor.map(|cursor| cursor.place);
        assert_eq!((page.items.len(), page.total, next), (100, Some(137), Some(Cursor::After(99))));
        assert!(page.items.iter().zip(&steps.verdicts).all(|(one, of)| one.decision.as_ref() == Some(of.record())));
        let cursor = page.next_cursor.map(|cursor| cursor.to_string());
        let rest = PageRequest::new(Some(100), cursor.as_deref(), false).expect("a page");
        let page = tx.traces().list_steps(TENANT, run, 137, None, &rest).await.expect("page").page;
        let indices: Vec<u64> = page.items.iter().map(|one| one.step.record.step_index).collect();
        assert_eq!((indices, page.has_more, page.total), ((100..137).collect(), false, None));
        assert_eq!(tx.traces().list_steps(OTHER, run, 0, None, &first).await.expect("not theirs").page.items, []);

        let ten = PageRequest::new(Some(10), None, true).expect("a page");
        let page = tx.traces().list_steps(TENANT, run, 137, Some(theirs), &ten).await.expect("page").page;
        let indices: Vec<u64> = page.items.iter().map(|one| one.step.record.step_index).collect();
        assert_eq!((indices, page.total), ((0..10).map(|n| n * 9).collect(), Some(16)));
        let cursor = page.next_cursor.map(|cursor| cursor.to_string());
        let rest = PageRequest::new(Some(10), cursor.as_deref(), false).expect("a page");
        let page = tx.traces().list_steps(TENANT, run, 137, Some(theirs), &rest).await.expect("page").page;
        let indices: Vec<u64> = page.items.iter().map(|one| one.step.record.step_index).collect();
        assert_eq!((indices, page.has_more), ((10..16).map(|n| n * 9).collect(), false));
    }

    async fn segments_say_how_many_bytes_they_open_to_as_far_as_they_are_believed(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let tx = db.begin().await.expect("begin");
        Steps::of(1, (0..30).map(|n| step(TENANT, 1, n))).append(&tx, 20).await;
        tx.commit().await.expect("commit");
        let bytes = async || {
            let read = db.read().await.expect("read");
            let [run, other, none] = [1, 2, 3].map(|n| RunId(uuid(n)));
            let of: HashMap<RunId, u64> =
                read.traces().bytes_of_runs(TENANT, &[run, other, none]).await.expect("added up").into_iter().collect();
            assert!(!of.contains_key(&none));
            of.get(&run).copied().unwrap_or(0)
        };
        let all = past.segments_of(&RunId(uuid(1)).to_string()).await;
        let opened = |segments: &[StoredSegment]| {
            segments.iter().map(|segment| u64::try_from(segment.raw_length).expect("a length")).sum::<u64>()
        };
        assert!(all.len() > 1);
        assert_eq!(bytes().await, opened(&all));
        past.keep_segments().await;
        let mut lies = all[0].clone();
        lies.raw_length = i64::MAX;
        past.damage(&Damage::Put(lies)).await;
        assert_eq!(bytes().await, opened(&all[1..]) + 64 * all[0].body.len() as u64);
    }

    async fn a_tree_asks_for_ranges_of_steps(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let tx = db.begin().await.expect("begin");
        Steps::of(1, (0..137).map(|n| step(TENANT, 1, n))).append(&tx, 20).await;
        Steps::of(2, (0..9).map(|n| step(TENANT, 2, n))).append(&tx, 4).await;
        let (run, other) = (RunId(uuid(1)), RunId(uuid(2)));
        let of_tree = async |indices: [std::ops::Range<u64>; 2]| {
            let [first, second] = indices;
            let read = tx.traces().tree_steps(TENANT, &[(run, first), (other, second)]).await.expect("read");
            read.into_iter().map(|step| (step.run_id, step.step_index)).collect::<Vec<_>>()
        };
        assert_eq!(of_tree([3..5, 3..5]).await, [(run, 3), (run, 4), (other, 3), (other, 4)]);
        assert_eq!(of_tree([19..21, 8..100]).await, [(run, 19), (run, 20), (other, 8)]);
        assert_eq!(of_tree([135..1_000, 9..10]).await, [(run, 135), (run, 136)]);
        assert_eq!(of_tree([137..1_000, 0..1]).await, [(other, 0)]);
        // With what was said of them, first; of others nothing.
        let said = |tenant, step_index, told_by_index| Uncounted {
            tenant, run_id: run, step_index, told_by_index, in_doubt: false, created_at: at(1),
        };
        for all in [[said(TENANT, 3, 7), said(OTHER, 4, 7)], [said(TENANT, 3, 9), said(TENANT, 5, 5)]] {
            tx.traces().insert_uncounted(&all).await.expect("said");
        }
        let read = tx.traces().tree_steps(TENANT, &[(run, 2..6)]).await.expect("read");
        let told: Vec<_> = read.iter().map(|step| (step.step_index, step.told_by_index)).collect();
        assert_eq!(told, [(2, None), (3, Some(7)), (4, None), (5, Some(5))]);
    }

    async fn steps_are_found_by_their_keys(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let steps = Steps::of(1, (0..137).map(|n| {
            let span = (n % 2 == 0).then(|| format!("span{n}"));
            StepRecord { external_span_id: span, ..step(TENANT, 1, n) }
        }));
        // Of one segment, of several, and those of one that are far apart in it.
        for at_once in [20, 137] {
            let tx = db.begin().await.expect("begin");
            steps.append(&tx, at_once).await;
            let run = RunId(uuid(1));
            let (given, span) = (|n| StepKey::Given(format!("{ODD}{n}")), |n| StepKey::Span(format!("{ODD}{n}")));
            let keys = [
                (run, given(5)),
                (run, span(136)),
                (run, span(6)),
                (run, given(5)),
                // Of a span, and of a step that is none.
                (run, given(134)),
                (run, span(7)),
                (RunId(uuid(2)), given(5)),
                (run, StepKey::Given("no key of any".to_owned())),
            ];
            let mut found = tx.traces().find_steps_by_keys(TENANT, &keys).await.expect("found").found;
            found.sort_by_key(|one| one.step.record.step_index);
            let places: Vec<_> = found.iter().map(|one| one.step.record.step_index).collect();
            assert_eq!(places, [5, 6, 136]);
            assert_eq!(found[2].decision.as_ref(), Some(steps.verdicts[136].record()));
            assert_eq!(tx.traces().find_steps_by_keys(OTHER, &keys).await.expect("not theirs").found, []);
            let spans = [4, 5, 8].map(|n| format!("{ODD}{n}"));
            let places = tx.traces().span_places(TENANT, run, &spans).await.expect("places");
            assert_eq!(places, [(spans[0].clone(), 4), (spans[2].clone(), 8)].into(), "the one that is no span is not among them");
            tx.rollback().await.expect("undone");
        }
    }

    async fn a_span_and_a_step_may_have_one_key(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let steps = Steps::of(1, [None, Some("ab".to_owned())].into_iter().zip(0..).map(|(span, n)| StepRecord {
            external_span_id: span, idempotency_key: Some(ODD.to_owned()), ..step(TENANT, 1, n)
        }));
        let tx = db.begin().await.expect("begin");
        steps.append(&tx, 1).await;
        let run = RunId(uuid(1));
        let (given, span) = (StepKey::Given(ODD.to_owned()), StepKey::Span(ODD.to_owned()));
        for (keys, right) in [(vec![given.clone()], vec![0]), (vec![span.clone()], vec![1]), (vec![given, span], vec![0, 1])] {
            let keys: Vec<_> = keys.into_iter().map(|key| (run, key)).collect();
            let found = tx.traces().find_steps_by_keys(TENANT, &keys).await.expect("found").found;
            let mut places: Vec<u64> = found.iter().map(|one| one.step.record.step_index).collect();
            places.sort_unstable();
            assert_eq!(places, right);
        }
        let places = tx.traces().span_places(TENANT, run, &[ODD.to_owned()]).await.expect("places");
        assert_eq!(places, [(ODD.to_owned(), 1)].into());
    }

    async fn all_keys_of_a_run_are_those_of_its_steps_and_of_its_permits(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..4).await;
        let keyed = [(None, Some("a")), (Some("ab"), Some("a")), (None, None), (None, Some("b"))];
        let steps = Steps::of(1, keyed.into_iter().zip(0..).map(|((span, key), n)| StepRecord {
            external_span_id: span.map(str::to_owned), idempotency_key: key.map(str::to_owned), ..step(TENANT, 1, n)
        }));
        let tx = db.begin().await.expect("begin");
        steps.append(&tx, 2).await;
        let permits = [(1, 1, Some("c")), (1, 2, None), (2, 3, Some("a"))];
        let permits = permits.map(|(run, n, key)| Permit { idempotency_key: key.map(str::to_owned), ..permit(TENANT, run, n) });
        tx.policies().insert_permits(&permits).await.expect("granted");
        let runs = [1, 2, 3].map(|n| RunId(uuid(n)));
        let mut all = tx.traces().all_keys_of(TENANT, &runs).await.expect("found");
        let given = |key: &str| StepKey::Given(key.to_owned()).digest();
        let mut due = vec![given("a"), StepKey::Span("a".to_owned()).digest(), given("b"), given("c")];
        due.sort_unstable();
        let mut of_first = all.remove(&runs[0]).expect("it has some").expect("they read back");
        of_first.sort_unstable();
        assert_eq!(of_first, due);
        let of_second = all.remove(&runs[1]).expect("it has one").expect("it reads back");
        assert_eq!(of_second, [given("a")]);
        assert!(all.is_empty(), "the third has none: {all:?}");
        assert!(tx.traces().all_keys_of(OTHER, &runs).await.expect("not theirs").is_empty());
    }

    async fn a_step_needs_its_own_verdict(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let tx = db.begin().await.expect("begin");
        let none = RunRecords::default();
        let record = Hashed::new(step(TENANT, 1, 0));
        let undecided = Hashed::new(StepRecord { decision_id: None, ..(*record).clone() });
        let own = verdict(TENANT, 1, 0);
        let foreign = [verdict(TENANT, 1, 1), verdict(TENANT, 2, 0), verdict(OTHER, 1, 0)];
        let wrong = foreign.iter().map(|verdict| DecidedStep { record: &record, verdict })
            .chain([DecidedStep { record: &undecided, verdict: &own }]);
        for step in wrong {
            let refused = tx.traces().append(&[segment(TENANT, 1, &none, vec![step])]).await.expect_err("another's");
            assert!(matches!(&refused, StoreError::Corrupt { table: "run_segments", why, .. } if why.contains("step 0")), "{refused}");
        }
        assert_eq!(whole::read_run(*tx.traces(), TENANT, RunId(uuid(1))).await.0, none);
    }

    async fn first_truth_wins(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let none = RunRecords::default();
        let first = Steps::of(1, [step(TENANT, 1, 0)]);
        let tx = db.begin().await.expect("begin");
        tx.traces().append(&[segment(TENANT, 1, &none, first.decided())]).await.expect("the first");
        tx.commit().await.expect("commit");
        let tx = db.begin().await.expect("begin");
        let again = tx.traces().append(&[segment(TENANT, 1, &none, first.decided())]).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "the same place");
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        let second = Steps::of(1, [StepRecord {
            idempotency_key: first.hashed[0].idempotency_key.clone(), ..step(TENANT, 1, 1)
        }]);
        let after = NewSegment { first_record: 1, first_step: 1, ..segment(TENANT, 1, &none, second.decided()) };
        assert!(matches!(tx.traces().append(&[after]).await, Err(StoreError::Conflict(_))), "the same key");
    }

    async fn what_is_missing_or_another_run_s_is_named(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..3).await;
        let own = RunRecords { activities: vec![activity(TENANT, 1, 0)], ..RunRecords::default() };
        let tx = db.begin().await.expect("begin");
        let gap = NewSegment { first_record: 3, ..segment(TENANT, 1, &own, vec![]) };
        let moved = NewSegment { run: RunId(uuid(2)), ..segment(TENANT, 1, &own, vec![]) };
        tx.traces().append(&[segment(TENANT, 1, &own, vec![]), gap, moved]).await.expect("appended");
        for (run, names) in [(1, "the records 1 to 2"), (2, "another run")] {
            let run = RunId(uuid(run));
            let (_, missing, _) = whole::read_run(*tx.traces(), TENANT, run).await;
            let told = missing.first().expect("not whole").told(&run.to_string());
            assert!(told.starts_with(&format!("run_segments row {run}/")) && told.contains(names), "{told}");
        }
    }

    async fn records_are_stored_as_they_were_hashed(db: TestDatabase) {
        let db = sample::store(db).await;
        let (_, due) = whole::store_run(&db, TENANT, 1).await;
        let read = db.read().await.expect("read");
        let (records, ..) = whole::read_run(read.traces(), TENANT, RunId(uuid(1))).await;
        assert_eq!(records, due);
        for step in records.steps {
            assert_eq!(step.step_hash, Record::Step(step.record).hash());
        }
    }
}
