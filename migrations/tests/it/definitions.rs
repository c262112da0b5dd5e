//! An ACTIVE rule or limit without the integrity row of its very version cannot exist (spec 2).

use migrations::{HISTORY, Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, TransactionTrait as _};
use testkit::{Store, TestDatabase};

use crate::{
    catalogue::texts,
    rows::{insert, refused, run, table_named},
};

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

    async fn limits_that_share_a_name_from_before_keep_it(db: TestDatabase) {
        let store = db.store();
        let empty = TestDatabase::empty(store).await.expect("there was one a moment ago");
        let connection = empty.connection().await;
        let before = HISTORY.iter().position(|change| change.name.ends_with("_limit_names")).expect("it is there");
        Migrator::up(&connection, Some(u32::try_from(before).expect("a few"))).await.expect("what was before");
        let (mut limits, integrity) = (table_named("limits"), table_named("limit_integrity"));
        limits.columns.retain(|column| column.name != "namesake");
        let (id, at) = (|n| limits.columns[1].value(store, n), |n| integrity.columns[6].value(store, n));
        let limit = |n: usize, more: &[(&str, &str)]| {
            let (id, at) = (id(n), at(9 - n));
            insert(store, &limits, &[&[("id", id.as_str()), ("created_at", &at)], more].concat())
        };
        let made = [
            limit(1, &[]),
            limit(2, &[]),
            limit(3, &[("status", "'DISABLED'")]),
            limit(4, &[]),
            limit(5, &[("name", "'another'")]),
        ];
        for (n, made) in (1..).zip(made) {
            run(&connection, &insert(store, &integrity, &[("limit_id", &id(n))])).await;
            run(&connection, &made).await;
        }
        Migrator::up(&connection, None).await.expect("it copes");
        let numbered = "SELECT name || ' ' || CAST(namesake AS text) FROM limits ORDER BY id";
        assert_eq!(texts(&connection, numbered).await, ["x0 2", "x0 1", "x0 0", "x0 0", "another 0"], "4 is the oldest");
        // None is renamed or taken out of force; what is written from now on has a name of its own.
        let rewritten = format!("UPDATE limits SET namesake = 0 WHERE id = {}", id(2));
        refused(&connection, &rewritten, "").await;
        refused(&connection, &format!("UPDATE limits SET status = 'ACTIVE' WHERE id = {}", id(3)), "").await;
        run(&connection, &rewritten.replace("SET ", "SET name = 'mine', ")).await;
    }
}
