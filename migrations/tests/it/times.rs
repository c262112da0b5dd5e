//! A time comes back as it went, and sorts as time does, also where it is stored as text.

use models::time;
use sea_orm::{ConnectionTrait as _, Statement, prelude::DateTimeUtc};
use testkit::Store;

use crate::rows::{insert, table_named};

/// In order. Their fractions have as many digits as there are ways to leave some out.
const TIMES: &[&str] = &[
    "1999-12-31T23:59:59.999999Z",
    "2026-01-01T00:00:00.000000Z",
    "2026-01-01T00:00:00.000001Z",
    "2026-01-01T00:00:00.001000Z",
    "2026-01-01T00:00:00.001001Z",
    "2026-01-01T00:00:00.100000Z",
    "2026-01-01T00:00:00.999999Z",
    "2026-01-01T00:00:01.000000Z",
];

testkit::on_both! {
    async fn times_come_back_and_sort(db: TestDatabase) {
        let (connection, records) = (db.connection().await, table_named("system_records"));
        let backend = connection.get_database_backend();
        let bound = match db.store() {
            Store::Sqlite => "?",
            Store::Postgres => "$1",
        };
        let id = records.columns.iter().find(|column| column.name == "id").expect("it has one");
        for (n, text) in TIMES.iter().enumerate().rev() {
            let row = insert(db.store(), &records, &[("id", &id.value(db.store(), n)), ("created_at", bound)]);
            let at = time::parse(text).expect("a time");
            let row = Statement::from_sql_and_values(backend, row, [at.into()]);
            connection.execute_raw(row).await.expect("the row is inserted");
        }
        let read = async |filter: &str, values: Vec<sea_orm::Value>| -> Vec<String> {
            let query = format!("SELECT created_at FROM system_records {filter} ORDER BY created_at");
            let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, query, values)).await;
            let rows = rows.expect("the rows are read");
            rows.iter().map(|row| time::text(row.try_get::<DateTimeUtc>("", "created_at").expect("a time"))).collect()
        };
        assert_eq!(read("", vec![]).await, TIMES);
        for (n, text) in TIMES.iter().enumerate() {
            let at = time::parse(text).expect("a time");
            assert_eq!(read(&format!("WHERE created_at < {bound}"), vec![at.into()]).await, TIMES[..n]);
        }
    }
}
