//! SQLite: a file a test, copied from one that this process migrated once.

use migrations::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();

pub(crate) async fn create(migrated: bool) -> (String, TempDir) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("test.db");
    if migrated {
        let template = TEMPLATE.get_or_init(template).await;
        std::fs::write(&file, template).expect("the copy of the template is written");
    }
    (format!("sqlite://{}?mode=rwc", file.display()), folder)
}

/// The bytes of a database at head.
async fn template() -> Vec<u8> {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("template.db");
    let connection =
        Database::connect(format!("sqlite://{}?mode=rwc", file.display())).await.expect("SQLite opens");
    Migrator::up(&connection, None).await.expect("SQLite migrates");
    connection.close().await.expect("SQLite closes");
    std::fs::read(&file).expect("the template is read")
}

pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
        sqlite.foreign_keys(true).pragma("recursive_triggers", "ON").pragma("journal_mode", "WAL")
    });
    Database::connect(options).await.expect("SQLite opens")
}
