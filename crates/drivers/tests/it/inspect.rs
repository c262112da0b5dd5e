//! What an inspection sees: a store as it was made, and one that somebody changed.

use sea_orm::ConnectionTrait as _;
use testkit::Store;

use crate::sample;

testkit::on_both! {
    async fn a_trigger_that_is_gone_or_changed_is_seen(db: TestDatabase) {
        let store = sample::store(db).await;
        let whole = store.inspect().await.expect("inspected");
        assert_eq!(whole.faults, Vec::<String>::new());
        assert!(whole.triggers > 20, "{}", whole.triggers);
        let (dropped, changed) = match db.store() {
            Store::Sqlite => (
                "DROP TRIGGER audit_ledger_no_update",
                "DROP TRIGGER audit_ledger_no_delete; \
                 CREATE TRIGGER audit_ledger_no_delete BEFORE DELETE ON audit_ledger WHEN 1 = 0 BEGIN \
                 SELECT RAISE(ABORT, 'never'); END",
            ),
            Store::Postgres => (
                "DROP TRIGGER audit_ledger_no_update ON audit_ledger",
                "ALTER TABLE audit_ledger DISABLE TRIGGER audit_ledger_no_delete",
            ),
        };
        let owner = db.connection().await;
        for statement in [dropped, changed] {
            owner.execute_unprepared(statement).await.expect("the owner may");
        }
        owner.close().await.expect("closed");
        let faults = store.inspect().await.expect("inspected").faults;
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("audit_ledger_no_delete"), "{faults:?}");
        assert_eq!(faults[1], "the trigger audit_ledger_no_update is missing");
    }

    async fn a_trigger_that_asks_another_thing_is_seen(db: TestDatabase) {
        let again = |table: &str, event: &str, rest: &str| {
            let name = format!("{table}_no_update");
            let (drop, on) = match db.store() {
                Store::Sqlite => (String::new(), String::new()),
                Store::Postgres => {
                    (format!(" ON {table}"), format!("; ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
                }
            };
            (format!("DROP TRIGGER {name}{drop}; CREATE TRIGGER {name} BEFORE {event} ON {table} {rest}{on}"), name)
        };
        let segments = "run_segments";
        let changed = match db.store() {
            Store::Sqlite => vec![again(segments, "UPDATE", "WHEN 1 = 0 BEGIN SELECT RAISE(ABORT, 'never'); END")],
            Store::Postgres => {
                let row = "FOR EACH ROW EXECUTE FUNCTION refuse_append_only()";
                let when = |asked: &str| format!("FOR EACH ROW WHEN ({asked}) EXECUTE FUNCTION refuse_append_only()");
                let falls = "NEW.tree_size < OLD.tree_size OR NEW.epoch < OLD.epoch";
                vec![
                    // It refuses, but what was not erased.
                    again(segments, "UPDATE", "FOR EACH ROW EXECUTE FUNCTION refuse_but_erased()"),
                    again(segments, "INSERT", row),
                    again(segments, "UPDATE", &when("false")),
                    again(segments, "UPDATE OF body", row),
                    // These are made under a condition.
                    again("aos_traces", "UPDATE", &when("false")),
                    again("aos_traces", "UPDATE", &when("OLD.sealed_leaf_index IS NULL")),
                    again("log_heads", "UPDATE", &when("NEW.tree_size < OLD.tree_size AND NEW.epoch < OLD.epoch")),
                    again("log_heads", "UPDATE OF epoch", &when(falls)),
                    again("log_heads", "UPDATE", row),
                    ("ALTER FUNCTION refuse_but_erased() RESET search_path".to_owned(), "run_salts_no_delete".to_owned()),
                    (
                        "CREATE OR REPLACE FUNCTION refuse_append_only() RETURNS trigger LANGUAGE plpgsql AS \
                         $$ BEGIN RETURN NEW; RAISE EXCEPTION 'append-only'; END $$"
                            .to_owned(),
                        "run_log_no_update".to_owned(),
                    ),
                ]
            }
        };
        for (statement, name) in changed {
            let other = testkit::TestDatabase::migrated(db.store()).await.expect("there was one a moment ago");
            let store = sample::store(&other).await;
            other.tamper(&statement).await.expect("the owner may");
            let faults = store.inspect().await.expect("inspected").faults;
            assert!(faults.contains(&format!("the trigger {name} was changed")), "{statement}: {faults:?}");
        }
    }
}
