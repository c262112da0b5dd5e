//! Append-only: everything that SQL has to change or lose a row is tried on every table that promises to keep
//! it (spec 4), also by who may switch triggers off for a session.

use sea_orm::DatabaseConnection;
use testkit::Store;

use crate::{
    catalogue,
    rows::{self, Table, content, fill, refused, run, table_named},
};

/// Rows are never changed and never deleted.
const APPEND_ONLY: &[&str] = &[
    "audit_ledger",
    "checkpoints",
    "governed_changes",
    "incident_events",
    "intervention_acks",
    "interventions",
    "job_audit_events",
    "limit_breaches",
    "limit_integrity",
    "limit_versions",
    "llm_run_records",
    "log_marks",
    "policy_enforcements",
    "policy_rule_integrity",
    "policy_rule_versions",
    "policy_snapshots",
    "prevention_records",
    "run_contents",
    "run_interventions",
    "run_log",
    "run_salts",
    "run_segments",
    "step_keys",
    "system_records",
    "tree_nodes",
    "uncounted_steps",
];

/// Rows may change, some only in part (see `sealed`), and are never deleted.
const KEPT: &[&str] = &[
    "aos_traces",
    "api_keys",
    "evidence_capture_failures",
    "incident_runs",
    "incidents",
    "installation",
    "jobs",
    "limits",
    "log_heads",
    "permits",
    "policy_proposals",
    "policy_rules",
    "runs",
    "signing_keys",
    "tenants",
];

/// Rows come and go. Each with its reason.
const FREE: &[(&str, &str)] = &[
    ("counters", "they prove nothing: what they count is there, and they are held against it"),
    ("freezes", "what is frozen now: its history is in interventions"),
    ("idempotency_keys", "an answer is kept for a day; what it tells of has its own records"),
    ("limit_usage", "a window that is over is nobody's evidence: breaches and decisions are"),
    ("login_links", "a link that was used or has expired opens nothing; that it was used is a system record"),
    ("sessions", "a session that is over opens nothing; who logged in when is a system record"),
];

const REFUSAL: &str = "append-only: ";

/// Every way to change a row.
fn updates(store: Store, table: &Table) -> Vec<String> {
    let name = &table.name;
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let (list, key) = (columns.join(", "), table.primary_key.join(", "));
    let all: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let upsert = format!(
        "INSERT INTO {name} ({list}) SELECT {list} FROM {name} WHERE true ON CONFLICT ({key}) DO UPDATE SET {}",
        all.join(", ")
    );
    let mut ways = vec![upsert, format!("UPDATE {name} SET {} = {0}", columns[0])];
    for column in &table.columns {
        ways.push(format!("UPDATE {name} SET {} = {}", column.name, column.value(store, 1)));
    }
    match store {
        Store::Sqlite => ways.push(format!("UPDATE OR REPLACE {name} SET {} = {0}", columns[0])),
        Store::Postgres => ways.push(format!(
            "MERGE INTO {name} t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET {} = t.{0}",
            columns[0]
        )),
    }
    ways
}

/// Every way to lose a row.
fn deletes(store: Store, table: &Table) -> Vec<String> {
    let name = &table.name;
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let list = columns.join(", ");
    let mut ways =
        vec![format!("DELETE FROM {name}"), format!("DELETE FROM {name} WHERE {} IS NOT NULL", columns[0])];
    match store {
        Store::Sqlite => {
            ways.push(format!("INSERT OR REPLACE INTO {name} ({list}) SELECT {list} FROM {name}"));
            ways.push(rows::insert(store, table, &[]).replacen("INSERT", "REPLACE", 1));
        }
        Store::Postgres => {
            ways.push(format!("TRUNCATE {name} CASCADE"));
            ways.push(format!("WITH gone AS (DELETE FROM {name} RETURNING 1) SELECT count(*) FROM gone"));
            ways.push(format!("MERGE INTO {name} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE"));
        }
    }
    ways
}

async fn all_are_refused(connection: &DatabaseConnection, store: Store, table: &Table, ways: Vec<String>) {
    let before = content(connection, store, table).await;
    assert_eq!(before.len(), 1, "{} has a row to lose", table.name);
    for way in &ways {
        refused(connection, way, REFUSAL).await;
    }
    if store == Store::Postgres {
        // As replication does it, which passes ordinary triggers, and with TRUNCATE alone.
        run(connection, "SET session_replication_role = replica").await;
        for way in &ways {
            refused(connection, way, REFUSAL).await;
        }
        run(connection, "SET session_replication_role = origin").await;
        refused(connection, &format!("TRUNCATE {}", table.name), "").await;
    }
    assert_eq!(content(connection, store, table).await, before, "{}", table.name);
}

testkit::on_both! {
    async fn every_table_says_what_it_keeps(db: TestDatabase) {
        let free = FREE.iter().map(|(table, _)| *table);
        let mut said: Vec<&str> = APPEND_ONLY.iter().chain(KEPT).copied().chain(free).collect();
        said.sort_unstable();
        assert_eq!(catalogue::tables(&db.connection().await, db.store()).await, said);
    }

    async fn a_row_is_never_changed(db: TestDatabase) {
        let connection = db.connection().await;
        fill(&connection, db.store()).await;
        for table in APPEND_ONLY.iter().map(|name| table_named(name)) {
            let ways = updates(db.store(), &table);
            all_are_refused(&connection, db.store(), &table, ways).await;
        }
    }

    async fn a_row_is_never_lost(db: TestDatabase) {
        let connection = db.connection().await;
        fill(&connection, db.store()).await;
        for table in APPEND_ONLY.iter().chain(KEPT).map(|name| table_named(name)) {
            let ways = deletes(db.store(), &table);
            all_are_refused(&connection, db.store(), &table, ways).await;
        }
    }

    async fn no_log_but_the_stores_own_lets_go_of_texts(db: TestDatabase) {
        let connection = db.connection().await;
        fill(&connection, db.store()).await;
        // Whoever may delete rows may have tables of his own, which come first where a name is looked for.
        let pretended = "CREATE TEMP TABLE run_log AS SELECT tenant_id, run_id, 'ERASED' AS leaf_type FROM run_salts";
        run(&connection, pretended).await;
        for name in ["run_contents", "run_salts"] {
            refused(&connection, &format!("DELETE FROM {name}"), REFUSAL).await;
            assert_eq!(content(&connection, db.store(), &table_named(name)).await.len(), 1, "{name}");
        }
    }

    async fn a_refusal_has_the_code_that_drivers_map(db: TestDatabase) {
        let connection = db.connection().await;
        fill(&connection, db.store()).await;
        let refusal = sea_orm::ConnectionTrait::execute_unprepared(&connection, "DELETE FROM run_log").await;
        let Err(sea_orm::DbErr::Exec(sea_orm::RuntimeErr::SqlxError(err))) = refusal else { panic!("{refusal:?}") };
        let code = err.as_database_error().and_then(|err| err.code().map(std::borrow::Cow::into_owned));
        let expected = match db.store() {
            Store::Sqlite => "1811", // SQLITE_CONSTRAINT_TRIGGER
            Store::Postgres => "23001", // restrict_violation
        };
        assert_eq!(code.as_deref(), Some(expected));
    }
}
