//! One test, both stores.

/// Writes each test as a module with two tests, `name::sqlite` and `name::postgres`, each with a database of
/// its own. The calling crate needs tokio.
///
/// ```text
/// testkit::on_both! {
///     async fn comes_back_as_it_went(db: TestDatabase) {
///         let db = Db::connect(&ConnectConfig::new(db.url())).await.expect("a store");
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestDatabase) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing from around it")]
            use super::*;

            async fn on($db: &$crate::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let db = $crate::TestDatabase::migrated($crate::Store::Sqlite).await.expect("SQLite is always there");
                on(&db).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(db) = $crate::TestDatabase::migrated($crate::Store::Postgres).await {
                    on(&db).await;
                }
            }
        }
    )*};
}
