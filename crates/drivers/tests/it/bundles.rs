//! A whole run comes back as it went.

use drivers::{
    ReadTx,
    logs::{NewSegment, RunLines, RunRecords, SealedCounts},
};
use models::ids::RunId;
use proof::records::{Record, RecordKind};

use crate::{
    sample::{self, OTHER, TENANT, uuid},
    whole,
};

testkit::on_both! {
    async fn a_whole_run_comes_back_as_it_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let (first, records) = whole::store_run(&db, TENANT, 1).await;
        let (second, _) = whole::store_run(&db, TENANT, 2).await;
        let tx = db.read().await.expect("read");
        assert_eq!(tx.bundles().get_run(TENANT, first.run.id).await.expect("whole"), Some(first.clone()));
        assert_eq!(tx.bundles().get_run(TENANT, second.run.id).await.expect("whole"), Some(second));
        assert_eq!(tx.bundles().get_run(OTHER, first.run.id).await.expect("not theirs"), None);
        assert_eq!(tx.bundles().get_run(TENANT, RunId(uuid(404))).await.expect("none"), None);
        assert_eq!(tx.bundles().get_tables(TENANT, first.run.id).await.expect("all of it"), first.tables);
        let (read, missing, _) = whole::read_run(tx.traces(), TENANT, first.run.id).await;
        assert_eq!((read, missing), (records, vec![]));
    }

    async fn the_lines_of_a_run_are_the_bytes_that_were_hashed(db: TestDatabase) {
        let db = sample::store(db).await;
        let (rows, records) = whole::store_run(&db, TENANT, 1).await;
        let run = rows.run.id;
        let tx = db.read().await.expect("read");
        let all: Vec<Record> = records_of(&records);
        let due = all.iter().map(|record| (record.kind(), record.position(), record.canonical_bytes()));
        let mut due: Vec<_> = due.collect();
        due.sort();
        let (mut lines, first) = told(&tx, run, None).await;
        assert_eq!(first, due);
        assert_eq!(lines.take_late(), []);
        let (_, missing, named) = whole::read_run(tx.traces(), TENANT, run).await;
        assert_eq!((lines.missing(), lines.named()), (&missing[..], &named));

        // One decision and no step are covered: the others came later, and a value is made of each.
        let sealed = SealedCounts::from([(RecordKind::Decision, 1)]);
        let (mut lines, covered) = told(&tx, run, Some(sealed)).await;
        assert_eq!(covered.len(), 1);
        let late = lines.take_late();
        assert_eq!(late.len(), all.len() - 1);
        assert!(late.iter().all(|record| all.contains(record)));
    }

    async fn segments_come_a_page_at_a_time_up_to_where_they_went(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, 1..2).await;
        let run = RunId(uuid(1));
        let append = async |segments: std::ops::Range<u64>| {
            let tx = db.begin().await.expect("begin");
            for n in segments {
                let records = RunRecords { activities: vec![whole::activity(TENANT, 1, n)], ..RunRecords::default() };
                let of_one = NewSegment { first_record: n, ..whole::segment(TENANT, 1, &records, Vec::new()) };
                tx.traces().append(&[of_one]).await.expect("appended");
            }
            tx.commit().await.expect("commit");
        };
        append(0..7).await;
        let end = db.read().await.expect("read").traces().segments_end(TENANT, run).await.expect("the end");
        append(7..9).await;
        for most in [1, 2, 3, 7, 100] {
            let (mut pages, mut behind) = (Vec::new(), None);
            loop {
                let read = db.read().await.expect("read");
                let page = read.traces().segments_behind(TENANT, run, behind.as_ref(), &end, most).await;
                let page = page.expect("a page");
                let Some(last) = page.last() else { break };
                assert!(page.len() as u64 <= most);
                behind = Some(last.clone());
                pages.extend(page);
            }
            let mut lines = RunLines::of(None);
            let mut places = Vec::new();
            for segment in &pages {
                let met = lines.meet(segment).expect("whole");
                assert_eq!(lines.again(segment).expect("as it was"), Some(met.clone()));
                places.extend(met.of_kind(RecordKind::Activity).map(|line| line.expect("a record").place()));
            }
            assert_eq!(places, (0..7).collect::<Vec<_>>(), "{most}");
        }
    }
}

/// All lines of a run, first and again, in order; and what was found.
async fn told(
    tx: &ReadTx,
    run: RunId,
    sealed: Option<SealedCounts>,
) -> (RunLines, Vec<(RecordKind, Option<u64>, Vec<u8>)>) {
    let end = tx.traces().segments_end(TENANT, run).await.expect("the end");
    let segments = tx.traces().segments_behind(TENANT, run, None, &end, 100).await.expect("all");
    let mut lines = RunLines::of(sealed);
    let mut told = Vec::new();
    for segment in &segments {
        let met = lines.meet(segment).expect("whole");
        assert_eq!(lines.again(segment).expect("as it was"), Some(met.clone()));
        for kind in RecordKind::ALL {
            for line in met.of_kind(*kind) {
                let line = line.expect("a record");
                told.push((line.kind(), Some(line.place()), line.text().as_bytes().to_vec()));
            }
        }
    }
    lines.end(&end);
    told.sort();
    (lines, told)
}

/// All of them, in no order that matters.
pub(crate) fn records_of(records: &RunRecords) -> Vec<Record> {
    let RunRecords { steps, decisions, environment, activities, providers, integrity, gaps } =
        records.clone();
    let mut all: Vec<Record> = steps.into_iter().map(|step| Record::Step(step.record)).collect();
    all.extend(decisions.into_iter().map(Record::Decision));
    all.extend(environment.map(Record::Environment));
    all.extend(activities.into_iter().map(Record::Activity));
    all.extend(providers.into_iter().map(Record::Provider));
    all.extend(integrity.map(Record::Integrity));
    all.extend(gaps.into_iter().map(Record::Gap));
    all
}
