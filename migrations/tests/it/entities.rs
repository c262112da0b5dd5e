//! Each table has its entity, in its domain, and the two agree: names, types, NULL. Overview owns no table.

use std::{collections::BTreeMap, path::Path};

use entities::{account, activity, counts, incidents, jobs, ledger, logs, policies};
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait, Iterable as _};

use crate::{
    catalogue::{tables, texts},
    rows::{fill, table_named},
};

/// Reads every row of an entity, and answers its table and its columns.
async fn read<E: EntityTrait>(connection: &DatabaseConnection, entity: E) -> (String, Vec<(String, bool)>) {
    let rows = E::find().all(connection).await.unwrap_or_else(|err| panic!("{}: {err}", entity.table_name()));
    assert_eq!(rows.len(), 1, "{}", entity.table_name());
    let columns = E::Column::iter()
        .map(|column| (sea_orm::IdenStatic::as_str(&column).to_owned(), column.def().is_null()));
    (entity.table_name().to_owned(), columns.collect())
}

macro_rules! read_all {
    ($connection:expr, $($domain:ident: $($table:ident)+;)+) => {{
        let mut found = BTreeMap::new();
        $($(
            let (table, columns) = read($connection, $domain::$table::Entity).await;
            assert_eq!(table, stringify!($table), "a module is named as its table");
            found.insert(table, columns);
        )+)+
        found
    }};
}

testkit::on_both! {
    async fn each_table_has_its_entity_and_they_agree(db: TestDatabase) {
        let connection = db.connection().await;
        fill(&connection, db.store()).await;
        let entities = read_all! { &connection,
            account: api_keys governed_changes idempotency_keys installation login_links sessions signing_keys tenants;
            activity: freezes intervention_acks interventions run_interventions runs;
            counts: counters;
            incidents: incident_events incident_runs incidents;
            jobs: job_audit_events jobs;
            ledger: checkpoints log_heads log_marks run_log tree_nodes;
            logs: aos_traces audit_ledger evidence_capture_failures llm_run_records run_contents run_salts run_segments step_keys
                system_records uncounted_steps;
            policies: limit_breaches limit_integrity limit_usage limit_versions limits permits policy_enforcements
                policy_proposals policy_rule_integrity policy_rule_versions policy_rules
                policy_snapshots prevention_records;
        };
        assert_eq!(tables(&connection, db.store()).await, entities.keys().cloned().collect::<Vec<_>>());
        for (name, columns) in entities {
            let stored = table_named(&name).columns.into_iter().map(|column| (column.name, column.nullable));
            assert_eq!(columns, stored.collect::<Vec<_>>(), "{name}");
        }
    }

    async fn overview_owns_no_table(db: TestDatabase) {
        let entities = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/entities/src");
        assert!(entities.join("incidents.rs").exists(), "a domain's entities are in its file");
        for overview in ["overview.rs", "overview"] {
            assert!(!entities.join(overview).exists(), "overview has no entity");
        }
        let named = match db.store() {
            testkit::Store::Sqlite => "SELECT name FROM sqlite_master WHERE name LIKE '%overview%'",
            testkit::Store::Postgres => "SELECT relname::text FROM pg_class WHERE relname LIKE '%overview%'",
        };
        assert_eq!(texts(&db.connection().await, named).await, Vec::<String>::new());
    }
}
