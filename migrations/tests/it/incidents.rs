//! What becomes of incidents that there are, each of a run of its own, when one cause has one that is open.

use migrations::{HISTORY, Migrator, MigratorTrait as _};
use testkit::{Store, TestDatabase};

use crate::{
    catalogue::texts,
    rows::{insert, refused, run, table_named, tables_after},
};

const CHANGE: &str = "m20261127_000044_one_incident_a_cause";

/// The n-th id of the test's own, as each store writes one.
fn id(store: Store, n: usize) -> String {
    let n = 100 + n;
    match store {
        Store::Sqlite => format!("X'01900000000070008000{n:012x}'"),
        Store::Postgres => format!("'01900000000070008000{n:012x}'"),
    }
}

fn time(n: usize) -> String {
    format!("'2026-02-02T00:00:0{n}.000000+00:00'")
}

/// The state of each incident, and its number among the open ones of its cause. The first five are of one cause.
const THERE: [(&str, &str, usize); 6] = [
    ("'x0'", "ACTIVE", 0),
    ("'x0'", "ACKED", 1),
    ("'x0'", "RESOLVED", 0),
    ("'x0'", "ACTIVE", 2),
    ("'x0'", "ACTIVE", 3),
    ("'another'", "ACTIVE", 0),
];

testkit::on_both! {
    async fn incidents_of_one_cause_stay_and_are_joined_from_now_on(db: TestDatabase) {
        let store = db.store();
        let at = HISTORY.iter().position(|change| change.name == CHANGE).expect("it is in the history");
        let old = TestDatabase::empty(store).await.expect("there was one a moment ago");
        let connection = old.connection().await;
        Migrator::up(&connection, Some(u32::try_from(at).expect("few"))).await.expect("it is made as it was");
        let tables = tables_after(&HISTORY[..at]);
        let of = |name: &str| tables.iter().find(|table| table.name == name).expect("it is there");
        for table in tables.iter().filter(|table| !table.name.starts_with("incident")) {
            run(&connection, &insert(store, table, &[])).await;
        }
        for (n, (cause, state, _)) in THERE.iter().enumerate() {
            let (own, created) = (id(store, n), time(n));
            let agent = format!("'agent \"{n}\"'");
            let (trace, key) = (id(store, 50 + n), format!("'key {n}'"));
            let row = [("id", &*own), ("agent_id", &*agent), ("trace_id", &*trace), ("idempotency_key", &*key)];
            run(&connection, &insert(store, of("runs"), &row)).await;
            // The last is of no run.
            let no_run = *cause == "'another'";
            let (run_key, source) = if no_run { ("''".to_owned(), "NULL") } else { (format!("'{n}'"), &*own) };
            let resolved = if *state == "RESOLVED" { &*created } else { "NULL" };
            let state = format!("'{state}'");
            let row = [
                ("id", &*own), ("cause_key", cause), ("lifecycle_state", &*state), ("resolved_at", resolved),
                ("run_key", &*run_key), ("source_run_id", source), ("seq", if no_run { "NULL" } else { "0" }),
                ("affected_count", "3"), ("cost_impact_microusd", "5"), ("later_impact_microusd", "7"),
                ("created_at", &*created), ("updated_at", &*time(9)),
            ];
            run(&connection, &insert(store, of("incidents"), &row)).await;
            for (n, event) in [(2 * n, "created"), (2 * n + 1, "recurred")] {
                let (event, ine, at) = (format!("'{event}'"), id(store, n), time(n % 10));
                let row = [("id", &*ine), ("incident_id", &*own), ("event_type", &*event), ("created_at", &*at)];
                run(&connection, &insert(store, of("incident_events"), &row)).await;
            }
        }
        Migrator::up(&connection, None).await.expect("the old schema upgrades");

        let columns = "namesake || ' ' || occurrences || ' ' || affected_count || ' ' || cost_impact_nanousd || ' ' || agents";
        let rows = texts(&connection, &format!("SELECT {columns} FROM incidents ORDER BY id")).await;
        let expected: Vec<String> = THERE.iter().enumerate().map(|(n, (cause, _, namesake))| {
            if *cause == "'another'" { return format!("{namesake} 3 0 12 []"); }
            format!("{namesake} 3 1 12 [\"agent \\\"{n}\\\"\"]")
        }).collect();
        assert_eq!(rows, expected);
        let seen = "SELECT COUNT(*) || '' FROM incidents AS i WHERE last_seen_at = (SELECT MAX(created_at) FROM incident_events \
                    AS e WHERE e.incident_id = i.id)";
        assert_eq!(texts(&connection, seen).await, ["6"]);
        let columns = "relation || ' ' || seq || ' ' || occurrences || ' ' || cost_impact_nanousd || ' ' || later_impact_nanousd";
        let rows = texts(&connection, &format!("SELECT {columns} FROM incident_runs ORDER BY run_id")).await;
        assert_eq!(rows, vec!["SOURCE 0 3 5 7"; 5]);
        assert_eq!(texts(&connection, "SELECT COUNT(*) || '' FROM incident_events").await, ["12"]);

        // What is new has no number: where the cause has one that is open, it has no place.
        let incidents = table_named("incidents");
        let own = id(store, 80);
        let another = insert(store, &incidents, &[("id", &own), ("namesake", "0"), ("source_run_id", "NULL")]);
        refused(&connection, &another, match store { Store::Sqlite => "UNIQUE", Store::Postgres => "incidents_open_cause" }).await;
        run(&connection, "UPDATE incidents SET lifecycle_state = 'RESOLVED', resolved_at = created_at").await;
        run(&connection, &another).await;
    }
}
