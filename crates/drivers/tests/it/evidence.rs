//! Evidence, failed captures, and the assembler that counts them.

use std::collections::HashMap;

use drivers::logs::{NewSegment, RunRecords};
use models::{
    ids::{FailureId, RunId},
    logs::ClassCounts,
};
use proof::words::{EvidenceClass, FailureResolution};

use crate::{
    sample::{self, OTHER, TENANT, uuid},
    whole::{self, activity, failure},
};

testkit::on_both! {
    async fn classes_are_counted_run_by_run(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::store_run(&db, TENANT, 1).await;
        whole::store_run(&db, TENANT, 2).await;
        let tx = db.begin().await.expect("begin");
        let records = RunRecords { activities: vec![activity(TENANT, 2, 2)], ..RunRecords::default() };
        let more = NewSegment { first_record: 12, first_step: 2, ..whole::segment(TENANT, 2, &records, vec![]) };
        tx.traces().append(&[more]).await.expect("one more");
        let runs = [1, 2, 404].map(|n| RunId(uuid(n)));
        let of = |activities| ClassCounts::from([
            (EvidenceClass::Run, 1), (EvidenceClass::Trace, 2), (EvidenceClass::Environment, 1),
            (EvidenceClass::Activity, activities), (EvidenceClass::Provider, 2), (EvidenceClass::Decision, 2),
        ]);
        let counts = tx.integrity().class_counts(TENANT, &runs).await.expect("counted");
        assert_eq!(counts, HashMap::from([(runs[0], of(2)), (runs[1], of(3))]));
        assert_eq!(tx.integrity().class_counts(OTHER, &runs).await.expect("not theirs"), HashMap::new());
        assert_eq!(tx.integrity().class_counts(TENANT, &[]).await.expect("none asked"), HashMap::new());
    }

    async fn a_later_success_supersedes_a_failure_and_nothing_else_changes_one(db: TestDatabase) {
        let db = sample::store(db).await;
        let failures = [
            failure(TENANT, 1, 0, FailureResolution::Transient), failure(TENANT, 1, 1, FailureResolution::Permanent),
            failure(TENANT, 1, 2, FailureResolution::Permanent),
        ];
        let tx = db.begin().await.expect("begin");
        tx.evidence().insert_capture_failures(&failures).await.expect("failures");
        let run = RunId(uuid(1));
        let ids: Vec<FailureId> = failures.iter().map(|f| f.failure_id.parse().expect("an id")).collect();
        assert_eq!(tx.evidence().supersede_failures(OTHER, &ids).await.expect("not theirs"), 0);
        let unresolved = tx.integrity().unresolved_failures(TENANT, &[run]).await.expect("counted");
        let counts = |n| ClassCounts::from([(EvidenceClass::Provider, n)]);
        assert_eq!(unresolved, HashMap::from([(run, (counts(1), counts(2)))]));
        assert_eq!(tx.evidence().supersede_failures(TENANT, &ids[..2]).await.expect("superseded"), 2);
        assert_eq!(tx.evidence().supersede_failures(TENANT, &ids[..2]).await.expect("once"), 0);
        let unresolved = tx.integrity().unresolved_failures(TENANT, &[run]).await.expect("counted");
        assert_eq!(unresolved, HashMap::from([(run, (ClassCounts::new(), counts(1)))]));
        let stored = tx.evidence().capture_failures_of_run(TENANT, run).await.expect("found");
        assert_eq!(stored.iter().map(|f| f.resolution).collect::<Vec<_>>(), [
            FailureResolution::Superseded, FailureResolution::Superseded, FailureResolution::Permanent,
        ]);
    }
}
