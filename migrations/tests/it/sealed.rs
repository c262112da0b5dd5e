//! Rows that change in part: a sealed run and a sealed trace, a failed capture, a signing key, a log's head.

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use testkit::Store;

use crate::rows::{Table, content, fill, refused, run, table_named};

/// What may still change in a sealed run: how it stands, not what it was.
const LIVE: &[&str] = &[
    "risk_level",
    "latency_bucket",
    "evidence_health",
    "integrity_status",
    "incident_count",
    "policy_violation",
    "policy_draft_count",
    "late",
    "version",
    "version_mark",
];

const SEAL_RUN: &str = "UPDATE runs SET state = 'COMPLETED', status = 'SUCCEEDED', completed_at = started_at";

/// The whole row over itself, as the drivers write rows back.
fn upsert(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let set: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let (name, list, key) = (&table.name, columns.join(", "), table.primary_key.join(", "));
    format!(
        "INSERT INTO {name} ({list}) SELECT {list} FROM {name} WHERE true ON CONFLICT ({key}) DO UPDATE SET {}",
        set.join(", ")
    )
}

/// Tries a change of every column but `apart`, which have a test of their own; only those of `allowed` pass.
async fn only(
    connection: &DatabaseConnection,
    store: Store,
    table: &Table,
    allowed: &[&str],
    apart: &[&str],
) {
    for column in table.columns.iter().filter(|column| !apart.contains(&column.name.as_str())) {
        let before = content(connection, store, table).await;
        // Two values, for one of them may be the column's own, and that is no change.
        let changes =
            [1, 2].map(|n| format!("UPDATE {} SET {} = {}", table.name, column.name, column.value(store, n)));
        let mut passed = 0;
        for change in &changes {
            match connection.execute_unprepared(change).await {
                Ok(_) => passed += 1,
                Err(err) => assert!(err.to_string().contains("append-only: UPDATE"), "{change}: {err}"),
            }
        }
        if allowed.contains(&column.name.as_str()) {
            assert_eq!(passed, 2, "{changes:?}");
        } else {
            assert!(passed < 2, "{changes:?}");
            assert_eq!(content(connection, store, table).await, before, "{changes:?}");
        }
    }
}

testkit::on_both! {
    async fn a_sealed_run_changes_only_in_how_it_stands(db: TestDatabase) {
        let (connection, runs) = (db.connection().await, table_named("runs"));
        fill(&connection, db.store()).await;
        run(&connection, "UPDATE runs SET step_count = step_count + 1, goal = 'still open'").await;
        run(&connection, SEAL_RUN).await;
        only(&connection, db.store(), &runs, LIVE, &["assurance"]).await; // it may fall
        run(&connection, &upsert(&runs)).await; // the same row over itself changes nothing
        refused(&connection, "UPDATE runs SET state = 'LIVE'", "append-only").await;
    }

    async fn the_assurance_of_a_sealed_run_is_lowered_and_never_raised(db: TestDatabase) {
        let (connection, runs) = (db.connection().await, table_named("runs"));
        fill(&connection, db.store()).await;
        run(&connection, "UPDATE runs SET assurance = 'ENFORCED'").await;
        run(&connection, SEAL_RUN).await;
        run(&connection, "UPDATE runs SET assurance = 'REPORTED'").await;
        let lowered = content(&connection, db.store(), &runs).await;
        refused(&connection, "UPDATE runs SET assurance = 'ENFORCED'", "append-only").await;
        assert_eq!(content(&connection, db.store(), &runs).await, lowered);
    }

    async fn a_sealed_trace_never_changes(db: TestDatabase) {
        let (connection, traces) = (db.connection().await, table_named("aos_traces"));
        fill(&connection, db.store()).await;
        run(&connection, "UPDATE aos_traces SET step_count = step_count + 1").await;
        run(&connection, &upsert(&traces)).await;
        let seal = "UPDATE aos_traces SET status = 'COMPLETED', root_hash = chain_head, completed_at = started_at, \
                    sealed_leaf_index = 7";
        run(&connection, seal).await;
        only(&connection, db.store(), &traces, &[], &[]).await;
        refused(&connection, &upsert(&traces), "append-only").await;
        refused(&connection, "UPDATE aos_traces SET sealed_leaf_index = NULL", "append-only").await;
    }

    async fn what_a_run_did_of_an_incident_changes_only_in_what_recurs(db: TestDatabase) {
        let (connection, runs) = (db.connection().await, table_named("incident_runs"));
        fill(&connection, db.store()).await;
        only(&connection, db.store(), &runs, &["later_impact_nanousd", "occurrences", "last_at"], &[]).await;
        run(&connection, &upsert(&runs)).await;
    }

    async fn a_job_changes_in_how_it_stands_and_never_in_what_it_is_to_do(db: TestDatabase) {
        let (connection, jobs) = (db.connection().await, table_named("jobs"));
        fill(&connection, db.store()).await;
        run(&connection, &upsert(&jobs)).await;
        let stands =
            ["attempts", "lease", "stage", "percentage", "eta_at", "started_at", "error", "events", "head", "updated_at"];
        // Which of these go together, the checks of the table say; and of kinds there is one.
        let apart = ["state", "lease_owner", "due_at", "finished_at", "kind"];
        only(&connection, db.store(), &jobs, &stands, &apart).await;
        for lowered in ["lease", "events"] {
            refused(&connection, &format!("UPDATE jobs SET {lowered} = {lowered} - 1"), "append-only").await;
        }
        for torn in
            ["lease_owner = 'somebody'", "state = 'RUNNING'", "state = 'DEAD'", "due_at = NULL", "percentage = 101"]
        {
            refused(&connection, &format!("UPDATE jobs SET {torn}"), "").await;
        }
        run(&connection, "UPDATE jobs SET state = 'SUCCEEDED', due_at = NULL, finished_at = created_at").await;
    }

    async fn a_failed_capture_can_only_be_superseded(db: TestDatabase) {
        let (connection, failures) = (db.connection().await, table_named("evidence_capture_failures"));
        fill(&connection, db.store()).await;
        refused(&connection, "UPDATE evidence_capture_failures SET resolution = 'permanent'", "append-only").await;
        run(&connection, "UPDATE evidence_capture_failures SET resolution = 'superseded'").await;
        refused(&connection, "UPDATE evidence_capture_failures SET resolution = 'transient'", "append-only").await;
        let others = failures.columns.iter().filter(|column| column.name != "resolution");
        for column in others {
            let value = column.value(db.store(), 2);
            let change = format!("UPDATE evidence_capture_failures SET resolution = 'superseded', {} = {value}", column.name);
            refused(&connection, &change, "append-only").await;
        }
    }

    async fn a_signing_key_can_only_be_retired_and_only_once(db: TestDatabase) {
        let (connection, keys) = (db.connection().await, table_named("signing_keys"));
        fill(&connection, db.store()).await;
        for column in keys.columns.iter().filter(|column| column.name != "retired_at") {
            let change = format!("UPDATE signing_keys SET {} = {}", column.name, column.value(db.store(), 1));
            refused(&connection, &change, "append-only").await;
        }
        run(&connection, "UPDATE signing_keys SET retired_at = created_at").await;
        only(&connection, db.store(), &keys, &[], &[]).await;
        refused(&connection, "UPDATE signing_keys SET retired_at = NULL", "append-only").await;
    }

    async fn a_log_only_grows(db: TestDatabase) {
        let connection = db.connection().await;
        fill(&connection, db.store()).await;
        run(&connection, "UPDATE log_heads SET tree_size = 5, epoch = 2").await;
        refused(&connection, "UPDATE log_heads SET tree_size = 4", "append-only").await;
        refused(&connection, "UPDATE log_heads SET epoch = 1", "append-only").await;
        run(&connection, "UPDATE log_heads SET tree_size = 6").await;
    }
}
