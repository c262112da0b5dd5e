//! What a store is known by, where what was committed to it is kept elsewhere.

use drivers::{Db, StoreName};
use testkit::{Store, TestDatabase};

use crate::sample;

/// The name that a process has for the store which is at the database's URL now.
async fn name(database: &TestDatabase) -> (Db, StoreName) {
    let db = sample::open(database).await;
    db.begin().await.expect("begin").rollback().await.expect("undone");
    let name = db.name().expect("it is known");
    (db, name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_has_one_name_for_all_until_it_is_made_anew() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let ((one, first), (two, again)) = (name(&database).await, name(&database).await);
    assert!(first.shared.is_some());
    assert_eq!(first, again, "two processes call it the same");
    one.can_commit().await.expect("a commit");
    assert_eq!([one.name(), two.name()], [Some(first.clone()), Some(first.clone())]);

    // As a dump does that is put back into the same database, whose Postgres goes on.
    database.tamper("DROP TABLE permits CASCADE").await.expect("the owner may");
    database.tamper("CREATE TABLE permits (id uuid)").await.expect("the owner may");
    let (_, restored) = name(&database).await;
    assert_ne!(restored.shared, first.shared);

    database.make_anew().await;
    let (_, anew) = name(&database).await;
    assert!(![first.shared, restored.shared].contains(&anew.shared), "{anew:?}");
}

#[tokio::test]
async fn an_embedded_store_has_none_once_its_file_is_gone() {
    let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
    let (db, name) = name(&database).await;
    assert_eq!(name.shared, None, "one process has it");
    let path = database.url().trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().expect("a path");
    std::fs::rename(path, format!("{path}.gone")).expect("it moves");
    assert_eq!(db.name(), None);
}
