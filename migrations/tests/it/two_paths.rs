//! The two-path guard: an empty database migrated to head, and an older schema upgraded to head, end in the
//! same schema, whole schemas compared.
//!
//! A release puts the scripts that made its schema into `migrations/released/VERSION.{postgres,sqlite}.sql`
//! (this test writes them to its folder under `target/tmp`). From then on they are what an upgrade starts
//! from, and no change in them may be edited.

use std::{fmt::Write as _, fs, path::PathBuf};

use migrations::{Change, HISTORY, Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use testkit::{Store, TestDatabase};

use crate::catalogue::Schema;

/// The scripts of every release: version and text.
fn released(store: Store) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("released");
    let ending = format!(".{}.sql", name(store));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of released schemas is there") {
        let path = entry.expect("the folder is readable").path();
        let file = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        if let Some(version) = file.strip_suffix(&ending) {
            found.push((version.to_owned(), fs::read_to_string(&path).expect("the script is readable")));
        }
    }
    found.sort();
    found
}

fn name(store: Store) -> &'static str {
    match store {
        Store::Sqlite => "sqlite",
        Store::Postgres => "postgres",
    }
}

/// What a line of a script begins with where a change begins.
const MARK: &str = "-- change: ";

/// Some changes as one script.
fn script(changes: &[Change], store: Store) -> String {
    let mut text = String::new();
    for change in changes {
        let _ = writeln!(text, "{MARK}{}", change.name);
        for statement in change.statements(store.dialect()) {
            let _ = writeln!(text, "{statement};");
        }
    }
    text
}

/// Makes the schema that a script makes, as it was when it was released.
async fn play(connection: &DatabaseConnection, script: &str) {
    Migrator::install(connection).await.expect("the table of migrations is made");
    connection.execute_unprepared(script).await.expect("the script runs");
    for change in script.lines().filter_map(|line| line.strip_prefix(MARK)) {
        let row = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{change}', 0)");
        connection.execute_unprepared(&row).await.expect("the change is remembered");
    }
}

async fn head(store: Store) -> Schema {
    let db = TestDatabase::migrated(store).await.expect("there was one a moment ago");
    Schema::of(&db.connection().await, store).await
}

testkit::on_both! {
    async fn one_step_at_a_time_is_the_same_as_all_at_once(db: TestDatabase) {
        let empty = TestDatabase::empty(db.store()).await.expect("there was one a moment ago");
        let connection = empty.connection().await;
        for _ in HISTORY {
            Migrator::up(&connection, Some(1)).await.expect("the step is made");
        }
        let stepped = Schema::of(&connection, db.store()).await;
        assert_eq!(head(db.store()).await.difference(&stepped), Vec::<String>::new());
        Migrator::up(&connection, None).await.expect("head is head");
        assert_eq!(stepped, Schema::of(&connection, db.store()).await);
    }

    async fn a_released_schema_upgrades_to_head(db: TestDatabase) {
        let store = db.store();
        let head = head(store).await;
        // Until there is a release, and after: any beginning of the history could have been one.
        let beginnings = (1..=HISTORY.len()).map(|n| (format!("the first {n}"), script(&HISTORY[..n], store)));
        for (version, script) in released(store).into_iter().chain(beginnings) {
            let old = TestDatabase::empty(store).await.expect("there was one a moment ago");
            let connection = old.connection().await;
            play(&connection, &script).await;
            Migrator::up(&connection, None).await.expect("the old schema upgrades");
            let upgraded = Schema::of(&connection, store).await;
            assert_eq!(head.difference(&upgraded), Vec::<String>::new(), "upgraded from {version}");
        }
    }

    async fn a_released_change_is_never_edited(db: TestDatabase) {
        let store = db.store();
        let now = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("head.{}.sql", name(store)));
        fs::write(&now, script(HISTORY, store)).expect("the script of head is written");
        for (version, script_then) in released(store) {
            let changes = script_then.lines().filter(|line| line.starts_with(MARK)).count();
            assert_eq!(script_then, script(&HISTORY[..changes], store), "{version} was released with other changes");
        }
    }

    /// Else the tests above would prove nothing.
    async fn a_difference_is_seen(db: TestDatabase) {
        let head = head(db.store()).await;
        let plants: &[&str] = match db.store() {
            Store::Sqlite => &[
                "ALTER TABLE runs ADD COLUMN planted TEXT",
                "ALTER TABLE runs ADD COLUMN planted INTEGER DEFAULT 1",
                "CREATE TABLE planted (a INTEGER)",
                "DROP INDEX runs_live",
                "DROP INDEX runs_live; CREATE INDEX runs_live ON runs (started_at, tenant_id, id) WHERE state = 'COMPLETED'",
                "DROP INDEX runs_live; CREATE INDEX runs_live ON runs (started_at, tenant_id, id)",
                "DROP TRIGGER runs_no_delete",
                "DROP TRIGGER tree_nodes_no_update; CREATE TRIGGER tree_nodes_no_update BEFORE UPDATE ON tree_nodes \
                 BEGIN SELECT 1; END",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'DEFERRABLE INITIALLY DEFERRED', '') \
                 WHERE name = 'limits'",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, '''KILL'', ', '') \
                 WHERE name = 'policy_rules'",
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name = 'runs'",
            ],
            Store::Postgres => &[
                "ALTER TABLE runs ADD COLUMN planted text",
                "ALTER TABLE runs ALTER COLUMN attempt SET DEFAULT 1",
                "ALTER TABLE runs ALTER COLUMN goal SET NOT NULL",
                "ALTER TABLE runs ALTER COLUMN at_risk DROP EXPRESSION",
                "ALTER TABLE runs RESET (fillfactor)",
                "CREATE TABLE planted (a bigint)",
                "CREATE SEQUENCE planted",
                "DROP INDEX runs_live",
                "DROP INDEX runs_live; CREATE INDEX runs_live ON runs (started_at, tenant_id, id) WHERE state = 'COMPLETED'",
                "ALTER TABLE runs DROP CONSTRAINT runs_state_check",
                "ALTER TABLE limits ALTER CONSTRAINT limits_tenant_id_id_version_fkey NOT DEFERRABLE",
                "ALTER TABLE limits ALTER CONSTRAINT limits_tenant_id_id_version_fkey DEFERRABLE INITIALLY IMMEDIATE",
                "DROP TRIGGER runs_no_delete ON runs",
                "ALTER TABLE runs ENABLE TRIGGER runs_no_delete",
                "CREATE OR REPLACE FUNCTION refuse_append_only() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RETURN NULL; END $$",
            ],
        };
        for plant in plants {
            let other = TestDatabase::migrated(db.store()).await.expect("there was one a moment ago");
            let connection = other.connection().await;
            connection.execute_unprepared(plant).await.unwrap_or_else(|err| panic!("{plant}: {err}"));
            assert_ne!(head.difference(&Schema::of(&connection, db.store()).await), Vec::<String>::new(), "{plant}");
        }
    }
}
