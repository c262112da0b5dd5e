//! A store of a build from before the first release: every command that opens it refuses it, says what to do, and
//! leaves it as it is.

use testkit::{Store, TestDatabase};

use crate::harness::Place;

/// What such a store remembers of its schema.
const OF_THEN: &str = "CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL); \
                       INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20261121_000001_account', 0)";

const COMMANDS: &[&[&str]] = &[
    &["serve"],
    &["demo", "--json"],
    &["migrate"],
    &["doctor"],
    &["keys", "create", "--role", "viewer", "--owner", "ana"],
    &["keys", "list"],
    &["keys", "revoke", "key_01900000000070008000000000000001"],
    &["keys", "public"],
    &["login-link"],
    &["bundle", "run_01900000000070008000000000000001", "--output", "-"],
    &["verify", "--log", "runs"],
    &["import", "otlp", "spans.json"],
];

async fn a_store_from_before_the_first_release_is_refused(store: Store) {
    let Some(database) = TestDatabase::empty(store).await else { return };
    database.tamper(OF_THEN).await.expect("a store of then");
    let before = database.contents().await;
    let place = Place::sqlite().with("HOC_DATABASE_URL", database.url());
    for args in COMMANDS {
        let ran = place.run(args);
        let told = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, Some(1), "{args:?}: {told}");
        for part in ["made by a build from before the first release", "make a new store", "verify with it"] {
            assert!(told.contains(part), "{args:?} does not say `{part}`: {told}");
        }
    }
    assert_eq!(database.contents().await, before);
}

#[tokio::test]
async fn a_store_from_before_the_first_release_is_refused_on_sqlite() {
    a_store_from_before_the_first_release_is_refused(Store::Sqlite).await;
}

#[tokio::test]
async fn a_store_from_before_the_first_release_is_refused_on_postgres() {
    a_store_from_before_the_first_release_is_refused(Store::Postgres).await;
}
