//! What a change makes of the rows that are there: the labels of open runs, out of their metadata.

use migrations::{HISTORY, Migrator, MigratorTrait as _};
use sea_orm::prelude::Json;
use testkit::{Store, TestDatabase};

use crate::{
    catalogue::texts,
    rows::{insert, run, tables_after},
};

const CHANGE: &str = "m20261127_000028_labels";

/// What an open run says of itself, and what its labels are after the change.
const OPEN: &[(&str, &str)] = &[
    ("NULL", "[]"),
    (r#"'{"labels":["b","a"]}'"#, r#"["b","a"]"#),
    (r#"'{"a":{"labels":["x"]},"labels":["a",7,null,["x"],{"x":"x"},"b"]}'"#, r#"["a","b"]"#),
    (r#"'{"labels":["say \"no\"","\u00e4"]}'"#, r#"["say \"no\"","ä"]"#),
    (r#"'{"n":123456789012345678901234567890,"labels":["a"]}'"#, r#"["a"]"#),
    (r#"'{"labels":[]}'"#, "[]"),
    (r#"'{"labels":"pii"}'"#, "[]"),
    (r#"'{"labels":{"pii":true}}'"#, "[]"),
    (r#"'{"labels":null}'"#, "[]"),
    (r#"'["labels"]'"#, "[]"),
    (r#"'"labels"'"#, "[]"),
    ("'7'", "[]"),
];

/// The n-th id of the test's own, as each store writes one.
fn id(store: Store, n: usize) -> String {
    let n = 100 + n;
    match store {
        Store::Sqlite => format!("X'01900000000070008000{n:012x}'"),
        Store::Postgres => format!("'01900000000070008000{n:012x}'"),
    }
}

testkit::on_both! {
    async fn open_runs_get_the_labels_of_their_metadata(db: TestDatabase) {
        let store = db.store();
        let at = HISTORY.iter().position(|change| change.name == CHANGE).expect("it is in the history");
        let old = TestDatabase::empty(store).await.expect("there was one a moment ago");
        let connection = old.connection().await;
        Migrator::up(&connection, Some(u32::try_from(at).expect("few"))).await.expect("it is made as it was");
        for table in tables_after(&HISTORY[..at]) {
            run(&connection, &insert(store, &table, &[])).await;
        }
        let runs = tables_after(&HISTORY[..at]).into_iter().find(|table| table.name == "runs").expect("it is there");
        // And one that says the same as the second, and is sealed.
        for (n, (metadata, _)) in OPEN.iter().chain([&OPEN[1]]).enumerate() {
            let row = [("id", &*id(store, n)), ("metadata", metadata)];
            run(&connection, &insert(store, &runs, &row)).await;
        }
        let seal = "UPDATE runs SET state = 'COMPLETED', status = 'SUCCEEDED', completed_at = started_at WHERE id =";
        run(&connection, &format!("{seal} {}", id(store, OPEN.len()))).await;
        Migrator::up(&connection, None).await.expect("the old schema upgrades");

        let ids: Vec<String> = (0..=OPEN.len()).map(|n| id(store, n)).collect();
        let query = format!("SELECT labels FROM runs WHERE id IN ({}) ORDER BY id", ids.join(", "));
        let read = |labels: &str| labels.parse::<Json>().expect("JSON");
        let labels: Vec<Json> = texts(&connection, &query).await.iter().map(|labels| read(labels)).collect();
        let expected: Vec<Json> = OPEN.iter().map(|(_, labels)| read(labels)).chain([read("[]")]).collect();
        assert_eq!(labels, expected, "the last one was sealed: what it was judged by stands in its decisions");
    }
}
