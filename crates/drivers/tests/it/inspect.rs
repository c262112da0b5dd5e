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
        let again = |name: &str, event: &str, rest: &str| {
            let store = db.store();
            let drop = if store == Store::Sqlite { "" } else { " ON run_segments" };
            let on = if store == Store::Sqlite { "" } else { "; ALTER TABLE run_segments ENABLE ALWAYS TRIGGER " };
            let named = if store == Store::Sqlite { "" } else { name };
            format!("DROP TRIGGER {name}{drop}; CREATE TRIGGER {name} BEFORE {event} ON run_segments {rest}{on}{named}")
        };
        let name = "run_segments_no_update";
        let changed = match db.store() {
            Store::Sqlite => vec![(again(name, "UPDATE", "WHEN 1 = 0 BEGIN SELECT RAISE(ABORT, 'never'); END"), name)],
            Store::Postgres => {
                let row = "FOR EACH ROW EXECUTE FUNCTION refuse_append_only()";
                vec![
                    // It refuses, but what was not erased.
                    (again(name, "UPDATE", "FOR EACH ROW EXECUTE FUNCTION refuse_but_erased()"), name),
                    (again(name, "INSERT", row), name),
                    (again(name, "UPDATE", "FOR EACH ROW WHEN (false) EXECUTE FUNCTION refuse_append_only()"), name),
                    (again(name, "UPDATE OF body", row), name),
                    ("ALTER FUNCTION refuse_but_erased() RESET search_path".to_owned(), "run_salts_no_delete"),
                    (
                        "CREATE OR REPLACE FUNCTION refuse_append_only() RETURNS trigger LANGUAGE plpgsql AS \
                         $$ BEGIN RETURN NEW; RAISE EXCEPTION 'append-only'; END $$"
                            .to_owned(),
                        "run_log_no_update",
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
