//! A store that has no room for what is written, and room for a row. The embedded one is filled in `hoc`'s tests.

use drivers::StoreError;
use testkit::{Store, TestDatabase};

use crate::sample::{self, TENANT, run};

/// What refuses as a full disk does: new runs, and tables that are filled.
const FULL: &str = "\
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
    CREATE TRIGGER no_room BEFORE INSERT ON runs FOR EACH STATEMENT EXECUTE FUNCTION no_room(); \
    CREATE FUNCTION no_room_at_all() RETURNS event_trigger LANGUAGE plpgsql AS \
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
    CREATE EVENT TRIGGER no_room_at_all ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS') \
      EXECUTE FUNCTION no_room_at_all();";

const EMPTIED: &str = "DROP EVENT TRIGGER no_room_at_all; DROP TRIGGER no_room ON runs;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_a_row_is_committed_proves_nothing_once_a_write_found_no_room() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let db = sample::store(&database).await;
    let write = async || -> Result<(), StoreError> {
        let tx = db.begin().await?;
        tx.activity().insert_runs(&[run(TENANT, 1)]).await?;
        tx.commit().await
    };
    db.can_commit().await.expect("there is room");
    db.has_room().await.expect("there is room");
    database.tamper(FULL).await.expect("a superuser may");
    db.has_room().await.expect_err("whoever looks is told before any write has failed");
    let refused = write().await.expect_err("no room");
    assert!(refused.is_unavailable(), "{refused:?}");
    for _ in 0..3 {
        let refused = db.can_commit().await.expect_err("what a row finds is no room for a call");
        assert!(refused.is_unavailable(), "{refused:?}");
    }
    database.tamper(EMPTIED).await.expect("a superuser may");
    db.can_commit().await.expect("there is room again");
    write().await.expect("there is room again");
}
