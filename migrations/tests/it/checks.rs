//! What a column refuses, on both stores alike: other words, negative counts, hashes of another length, NULL.

use testkit::Store;

use crate::rows::{fill, insert, refused, run, tables};

/// A precedence, and what one shard of a counter says, of which the sum is what there is.
fn may_be_below_zero(table: &str, column: &str) -> bool {
    column == "precedence" || table == "counters" && column != "shard"
}

testkit::on_both! {
    async fn a_column_takes_only_what_it_is_for(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        for table in tables() {
            for column in &table.columns {
                let mut wrong = vec![];
                if !column.nullable {
                    wrong.push("NULL");
                }
                if !column.words.is_empty() {
                    wrong.extend(["'NO_SUCH_WORD'", "''"]);
                }
                match (column.sql_type.as_str(), store) {
                    ("bigint", _) if !may_be_below_zero(&table.name, &column.name) => wrong.extend(["-1", "'x'"]),
                    ("bigint", _) | ("uuid", Store::Postgres) => wrong.push("'x'"),
                    ("uuid", Store::Sqlite) => wrong.extend(["X'01'", "'0190000000007000800000000000000'", "1"]),
                    ("boolean", Store::Sqlite) => wrong.extend(["2", "'true'"]),
                    ("boolean", Store::Postgres) => wrong.push("2"),
                    ("timestamptz", Store::Sqlite) => wrong.extend(["1", "'2026-01-01T00:00:00Z'", "'now'"]),
                    ("timestamptz", Store::Postgres) => wrong.push("'never'"),
                    ("bytea", Store::Sqlite) => wrong.extend(if column.is_hash { vec!["X'00'", "'x'"] } else { vec!["'x'"] }),
                    ("bytea", Store::Postgres) if column.is_hash => wrong.push("'\\x00'"),
                    _ => {}
                }
                for value in wrong {
                    refused(&connection, &insert(store, &table, &[(&column.name, value)]), "").await;
                }
            }
        }
        fill(&connection, store).await; // so it was the value that was refused
    }

    async fn a_run_that_is_at_risk_says_so_itself(db: TestDatabase) {
        let (connection, store) = (db.connection().await, db.store());
        fill(&connection, store).await;
        let risk = "SELECT CAST(CAST(at_risk AS INTEGER) AS TEXT) FROM runs";
        let quiet = "UPDATE runs SET risk_level = 'NORMAL', incident_count = 0, policy_violation = NOT policy_violation";
        run(&connection, "UPDATE runs SET incident_count = 0").await;
        assert_eq!(crate::catalogue::texts(&connection, risk).await, ["0"]);
        run(&connection, quiet).await;
        assert_eq!(crate::catalogue::texts(&connection, risk).await, ["1"], "a violation");
        run(&connection, quiet).await;
        assert_eq!(crate::catalogue::texts(&connection, risk).await, ["0"]);
        run(&connection, "UPDATE runs SET incident_count = 1").await;
        assert_eq!(crate::catalogue::texts(&connection, risk).await, ["1"], "an incident");
        run(&connection, "UPDATE runs SET incident_count = 0, risk_level = 'AT_RISK'").await;
        assert_eq!(crate::catalogue::texts(&connection, risk).await, ["1"], "a risk level");
    }
}
