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
}
