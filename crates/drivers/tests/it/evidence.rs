//! Evidence, failed captures, and the assembler that counts them.

use std::collections::HashMap;

use drivers::StoreError;
use models::{
    ids::{FailureId, RunId},
    logs::ClassCounts,
};
use proof::words::{EvidenceClass, FailureResolution};

use crate::{
    sample::{self, OTHER, TENANT, uuid},
    whole::{self, activity, environment, failure, integrity},
};

testkit::on_both! {
    async fn classes_are_counted_run_by_run(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::store_run(&db, TENANT, 1).await;
        whole::store_run(&db, TENANT, 2).await;
        let tx = db.begin().await.expect("begin");
        tx.evidence().insert_activities(&[activity(TENANT, 2, 2)]).await.expect("one more");
        let runs = [1, 2, 404].map(|n| RunId(uuid(n)));
        let of = |activities| ClassCounts::from([
            (EvidenceClass::Run, 1), (EvidenceClass::Trace, 2), (EvidenceClass::Environment, 1),
            (EvidenceClass::Activity, activities), (EvidenceClass::Provider, 2), (EvidenceClass::Decision, 2),
            (EvidenceClass::Integrity, 1),
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

    async fn a_run_has_one_environment_and_one_seal(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::store_run(&db, TENANT, 1).await;
        let tx = db.begin().await.expect("begin");
        assert!(matches!(tx.evidence().insert_environments(&[environment(TENANT, 1)]).await, Err(StoreError::Conflict(_))));
        tx.rollback().await.expect("undone");
        let tx = db.begin().await.expect("begin");
        assert!(matches!(tx.evidence().insert_integrities(&[integrity(TENANT, 1)]).await, Err(StoreError::Conflict(_))));
    }

    async fn what_a_record_says_wrongly_is_named(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        for (column, wrong) in [
            ("captured_at", proof::records::ActivityRecord { captured_at: "2026-01-01T00:00:00Z".into(), ..activity(TENANT, 1, 0) }),
            ("prompt_hash", proof::records::ActivityRecord { prompt_hash: Some("AB".repeat(32)), ..activity(TENANT, 1, 0) }),
            ("run_id", proof::records::ActivityRecord { run_id: "run_1".into(), ..activity(TENANT, 1, 0) }),
            ("prompt_length", proof::records::ActivityRecord { prompt_length: u64::MAX, ..activity(TENANT, 1, 0) }),
        ] {
            let err = tx.evidence().insert_activities(&[activity(TENANT, 1, 1), wrong]).await.expect_err(column);
            let StoreError::Corrupt { table: "activity_evidence", why, .. } = &err else { panic!("{err:?}") };
            assert!(why.starts_with(&format!("{column}: ")), "{why}");
        }
        assert_eq!(tx.evidence().activities_of_run(TENANT, RunId(uuid(1))).await.expect("nothing went in"), []);
    }
}
