//! A page of a list is a range of an index, however long the table is: the store never sorts, nor reads rows
//! that are not in the page (one filter, newest first).

use sea_orm::{ConnectionTrait as _, Statement};
use testkit::{Store, TestDatabase};

/// Each list: table, its time, its filters.
const LISTS: &[(&str, &str, &[&str])] = &[
    (
        "runs",
        "started_at",
        &[
            "state",
            "status",
            "at_risk",
            "risk_level",
            "agent_id",
            "project_id",
            "source",
            "provider_type",
            "is_synthetic",
            "integrity_status",
            "evidence_health",
            "latency_bucket",
            "assurance",
            "key_id",
            "conversation_id",
        ],
    ),
    ("incidents", "created_at", &["lifecycle_state", "severity", "category", "cause_type"]),
    ("jobs", "created_at", &["state", "kind"]),
    ("policy_rules", "created_at", &["status"]),
    ("limits", "created_at", &["status"]),
    ("policy_proposals", "created_at", &["status"]),
    ("audit_ledger", "created_at", &["event_type", "entity_type", "actor_type", "entity_id"]),
    ("system_records", "created_at", &["correlation_id"]),
    ("llm_run_records", "created_at", &["provider", "model", "execution_status", "is_synthetic"]),
    ("limit_breaches", "breached_at", &["limit_id"]),
    ("policy_enforcements", "triggered_at", &["policy_id"]),
];

/// On SQLite, whose planner goes by the indexes alone; Postgres has the same indexes and goes by statistics.
#[tokio::test]
async fn a_page_is_a_range_of_an_index() {
    let db = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
    let connection = db.connection().await;
    for (table, at, filters) in LISTS {
        let whole = (*table != "policy_enforcements").then_some(*at); // that list is always of one policy
        for filter in filters.iter().copied().chain(whole) {
            let filtered = if filter == *at { String::new() } else { format!("AND {filter} = ?") };
            let query = format!(
                "EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE tenant_id = ? {filtered} AND ({at}, id) < (?, ?) \
                 ORDER BY {at} DESC, id DESC LIMIT 51"
            );
            let statement = Statement::from_string(connection.get_database_backend(), &query);
            let plan = connection.query_all_raw(statement).await.expect("a plan");
            let steps: Vec<String> =
                plan.iter().map(|row| row.try_get("", "detail").expect("a text")).collect();
            assert_eq!(steps.len(), 1, "{query}: {steps:?}");
            assert!(
                steps[0].starts_with(&format!("SEARCH {table} USING INDEX {table}_by_")),
                "{query}: {steps:?}"
            );
            assert!(steps[0].ends_with(&format!("({at},id)<(?,?))")), "{query}: {steps:?}");
            assert!(filter == *at || steps[0].contains(&format!("{filter}=?")), "{query}: {steps:?}");
        }
    }
}
