//! A cause has one incident that is open, which runs join (ADR 33): the store takes no second one.

use testkit::Store;

use crate::rows::{fill, insert, refused, run, table_named};

testkit::on_both! {
    async fn a_cause_has_one_incident_that_is_open(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        fill(&connection, store).await;
        let incidents = table_named("incidents");
        let own = incidents.columns[1].value(store, 5);
        let another = insert(store, &incidents, &[("id", &own)]);
        let why = match store {
            Store::Sqlite => "UNIQUE",
            Store::Postgres => "incidents_open_cause",
        };
        refused(&connection, &another, why).await;
        run(&connection, "UPDATE incidents SET lifecycle_state = 'RESOLVED', resolved_at = created_at").await;
        run(&connection, &another).await;
        let opened_again = "UPDATE incidents SET lifecycle_state = 'ACTIVE', resolved_at = NULL";
        refused(&connection, opened_again, why).await;
    }
}
