//! A whole run comes back as it went.

use drivers::logs::{RunRecords, SealedCounts, SegmentLines};
use models::ids::RunId;
use proof::records::{Record, RecordKind};

use crate::{
    sample::{self, OTHER, TENANT, uuid},
    whole,
};

testkit::on_both! {
    async fn a_whole_run_comes_back_as_it_went(db: TestDatabase) {
        let db = sample::store(db).await;
        let (first, evidence) = whole::store_run(&db, TENANT, 1).await;
        let (second, _) = whole::store_run(&db, TENANT, 2).await;
        let tx = db.read().await.expect("read");
        assert_eq!(tx.bundles().get_run(TENANT, first.run.id).await.expect("whole"), Some(first.clone()));
        assert_eq!(tx.bundles().get_run(TENANT, second.run.id).await.expect("whole"), Some(second));
        assert_eq!(tx.bundles().get_run(OTHER, first.run.id).await.expect("not theirs"), None);
        assert_eq!(tx.bundles().get_run(TENANT, RunId(uuid(404))).await.expect("none"), None);
        assert_eq!(tx.bundles().get_evidence(TENANT, first.run.id).await.expect("all of it"), evidence);
    }

    async fn the_lines_of_a_run_are_the_bytes_that_were_hashed(db: TestDatabase) {
        let db = sample::store(db).await;
        let (rows, evidence) = whole::store_run(&db, TENANT, 1).await;
        let run = rows.run.id;
        let tx = db.read().await.expect("read");
        let all: Vec<Record> = records_of(&evidence.records);
        let held = tx.traces().lines_of_run(TENANT, run, None).await.expect("all");
        assert_eq!((held.late, held.missing), (vec![], evidence.missing));
        assert_eq!(held.named, evidence.named, "the texts are named as where values are made");
        let mut told = Vec::new();
        for line in held.segments.iter().flat_map(SegmentLines::lines) {
            let line = line.expect("a record");
            told.push((line.kind(), Some(line.place()), line.text().as_bytes().to_vec()));
        }
        let due = all.iter().map(|record| (record.kind(), record.position(), record.canonical_bytes()));
        let mut due: Vec<_> = due.collect();
        told.sort();
        due.sort();
        assert_eq!(told, due);

        // One decision and no step are covered: the others came later, and a value is made of each.
        let sealed = SealedCounts::from([(RecordKind::Decision, 1)]);
        let held = tx.traces().lines_of_run(TENANT, run, Some(&sealed)).await.expect("all");
        let lines: Vec<_> = held.segments.iter().flat_map(SegmentLines::lines).collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(held.late.len(), all.len() - 1);
        assert!(held.late.iter().all(|record| all.contains(record)));
    }
}

/// All of them, in no order that matters.
fn records_of(records: &RunRecords) -> Vec<Record> {
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
