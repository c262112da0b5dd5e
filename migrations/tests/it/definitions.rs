//! An ACTIVE rule or limit without the integrity row of its very version cannot exist (spec 2).

use sea_orm::{ConnectionTrait as _, DatabaseConnection, TransactionTrait as _};
use testkit::Store;

use crate::rows::{insert, refused, run, table_named};

/// Each kind of definition: its table, its integrity's, and how that one names it.
const KINDS: &[(&str, &str)] = &[("policy_rules", "policy_rule_integrity"), ("limits", "limit_integrity")];

/// Runs statements in one transaction; whether it commits.
async fn commits(connection: &DatabaseConnection, statements: &[String]) -> bool {
    let tx = connection.begin().await.expect("a transaction begins");
    for statement in statements {
        if tx.execute_unprepared(statement).await.is_err() {
            return false;
        }
    }
    tx.commit().await.is_ok()
}

fn definition(store: Store, table: &str, version: &str) -> String {
    insert(store, &table_named(table), &[("version", version)])
}

testkit::on_both! {
    async fn no_definition_without_its_integrity(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        for (table, integrity) in KINDS {
            let insert_active = definition(store, table, "1");
            assert!(!commits(&connection, std::slice::from_ref(&insert_active)).await, "{table} alone");
            let of_another_version = definition(store, integrity, "2");
            assert!(!commits(&connection, &[of_another_version, insert_active.clone()]).await, "{table}, another version's");
            let other_tenant = table_named(integrity).columns[0].value(store, 5);
            let of_another_tenant =
                insert(store, &table_named(integrity), &[("version", "1"), ("tenant_id", &other_tenant)]);
            assert!(!commits(&connection, &[of_another_tenant, insert_active.clone()]).await, "{table}, another tenant's");
            // Deferred: within the transaction the order does not matter.
            assert!(commits(&connection, &[insert_active, definition(store, integrity, "1")]).await, "{table} with it");
        }
    }

    async fn no_new_version_without_its_integrity(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        for (table, integrity) in KINDS {
            let both = [definition(store, integrity, "1"), definition(store, table, "1")];
            assert!(commits(&connection, &both).await);
            let change = format!("UPDATE {table} SET version = 2, name = 'changed'");
            assert!(!commits(&connection, std::slice::from_ref(&change)).await, "{table} alone");
            assert!(commits(&connection, &[change, definition(store, integrity, "2")]).await, "{table} with it");
            refused(&connection, &format!("DELETE FROM {integrity}"), "append-only").await;
            refused(&connection, &format!("UPDATE {integrity} SET version = 9"), "append-only").await;
        }
    }

    async fn a_name_is_taken_only_among_active_rules(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        let (rules, integrity) = (table_named("policy_rules"), table_named("policy_rule_integrity"));
        let id = |n| rules.columns[1].value(store, n);
        for n in 1..=2 {
            run(&connection, &insert(store, &integrity, &[("rule_id", &id(n))])).await;
        }
        run(&connection, &insert(store, &rules, &[("id", &id(1))])).await;
        let second = insert(store, &rules, &[("id", &id(2))]);
        refused(&connection, &second, "").await;
        refused(&connection, "UPDATE policy_rules SET status = 'RETIRED'", "").await; // without a reason
        let retire = "UPDATE policy_rules SET status = 'RETIRED', retired_at = created_at, retired_by = 'ana', \
                      retirement_reason = 'replaced'";
        run(&connection, retire).await;
        run(&connection, &second).await;
    }

    async fn a_name_is_taken_only_among_active_limits(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        let (limits, integrity) = (table_named("limits"), table_named("limit_integrity"));
        let id = |n| limits.columns[1].value(store, n);
        for n in 1..=2 {
            run(&connection, &insert(store, &integrity, &[("limit_id", &id(n))])).await;
        }
        run(&connection, &insert(store, &limits, &[("id", &id(1))])).await;
        let second = insert(store, &limits, &[("id", &id(2))]);
        refused(&connection, &second, "").await;
        run(&connection, "UPDATE limits SET status = 'DISABLED'").await;
        run(&connection, &second).await;
        refused(&connection, "UPDATE limits SET status = 'ACTIVE'", "").await;
    }
}
