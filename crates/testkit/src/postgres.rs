//! Postgres: a database a test, copied from a template that is migrated once for each schema history.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use migrations::{Dialect, HISTORY, Migrator, MigratorTrait as _};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use tokio::sync::OnceCell;

const VARIABLE: &str = "HOC_TEST_POSTGRES_URL";

/// Any number, as long as every test process takes the same.
const LOCK: i64 = 0x686f_635f_7465_7374;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static MADE: AtomicU64 = AtomicU64::new(0);

/// A database that is dropped with this value.
#[derive(Debug)]
pub(crate) struct Dropped {
    base: String,
    name: String,
}

pub(crate) async fn create(migrated: bool) -> Option<(String, Dropped)> {
    let base = base()?;
    let admin = connect(&base).await;
    let template = if migrated { TEMPLATE.get_or_init(|| template(&base)).await } else { "template0" };
    let name = format!("hoc_test_{}_{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    run(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")).await;
    admin.close().await.expect("Postgres closes");
    Some((within(&base, &name), Dropped { base, name }))
}

pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the Postgres of HOC_TEST_POSTGRES_URL answers")
}

/// The cluster for tests, as a URL of any database in it.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration but this")]
fn base() -> Option<String> {
    if let Ok(base) = std::env::var(VARIABLE) {
        return Some(base);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{VARIABLE} is not set: CI must not skip the tests on Postgres"
    );
    #[expect(clippy::print_stderr, reason = "who runs the tests must see that half of them did not run")]
    {
        eprintln!("skipped on Postgres: {VARIABLE} is not set (`cargo xtask test` sets it)");
    }
    None
}

/// The URL of another database in the same cluster.
fn within(base: &str, database: &str) -> String {
    let (place, options) = base.split_once('?').map_or((base, ""), |(place, options)| (place, options));
    let server = match place.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
        None => panic!("{VARIABLE} is not a URL"),
    };
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{server}/{database}{mark}{options}")
}

/// The name of the migrated template, which is made if it is missing. Processes wait for each other.
async fn template(base: &str) -> String {
    let mut hasher = DefaultHasher::new();
    for change in HISTORY {
        (change.name, change.statements(Dialect::Postgres)).hash(&mut hasher);
    }
    let name = format!("hoc_template_{:016x}", hasher.finish());
    let admin = connect(base).await;
    run(&admin, &format!("SELECT pg_advisory_lock({LOCK})")).await;
    let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    let exists = admin.query_one_raw(Statement::from_string(DbBackend::Postgres, exists)).await;
    if exists.expect("Postgres answers").is_none() {
        let making = format!("{name}_making");
        run(&admin, &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).await;
        run(&admin, &format!("CREATE DATABASE {making} TEMPLATE template0")).await;
        let connection = connect(&within(base, &making)).await;
        Migrator::up(&connection, None).await.expect("Postgres migrates");
        connection.close().await.expect("Postgres closes");
        run(&admin, &format!("ALTER DATABASE {making} RENAME TO {name}")).await;
    }
    admin.close().await.expect("Postgres closes"); // and gives back the lock
    name
}

async fn run(connection: &DatabaseConnection, statement: &str) {
    connection.execute_unprepared(statement).await.unwrap_or_else(|err| panic!("{statement}: {err}"));
}

impl Dropped {
    /// Whether the database takes connections; where it does not, it keeps none either.
    pub(crate) async fn take_connections(&self, take: bool) {
        let (admin, name) = (connect(&self.base).await, &self.name);
        run(&admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {take}")).await;
        if !take {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
            run(&admin, &format!("{cut} = '{name}'")).await;
        }
        admin.close().await.expect("Postgres closes");
    }
}

/// Connections whose processes in Postgres stand still. Dropped, they go on.
#[derive(Debug)]
pub struct Frozen {
    processes: Vec<String>,
}

impl Frozen {
    fn signal(&self, signal: &str) -> bool {
        let sent = process::Command::new("kill").arg(signal).args(&self.processes).status();
        sent.is_ok_and(|status| status.success())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

impl Dropped {
    /// Stops (SIGSTOP) the process of every connection to the database but its own.
    pub(crate) async fn freeze(&self) -> Frozen {
        let admin = connect(&self.base).await;
        let processes = "SELECT pid::text AS pid FROM pg_stat_activity WHERE datname";
        let processes = Statement::from_string(DbBackend::Postgres, format!("{processes} = '{}'", self.name));
        let rows = admin.query_all_raw(processes).await.expect("Postgres answers");
        let frozen =
            Frozen { processes: rows.iter().map(|row| row.try_get("", "pid").expect("a pid")).collect() };
        admin.close().await.expect("Postgres closes");
        assert!(!frozen.processes.is_empty(), "nobody is connected to {}", self.name);
        assert!(frozen.signal("-STOP"), "the processes of Postgres are not ours to stop");
        frozen
    }

    pub(crate) async fn back_up(&self) {
        let (admin, name) = (connect(&self.base).await, &self.name);
        run(&admin, &format!("CREATE DATABASE {name}_backup TEMPLATE {name} STRATEGY file_copy")).await;
        admin.close().await.expect("Postgres closes");
    }

    pub(crate) async fn restore(&self) {
        let (admin, name) = (connect(&self.base).await, &self.name);
        run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        run(&admin, &format!("ALTER DATABASE {name}_backup RENAME TO {name}")).await;
        admin.close().await.expect("Postgres closes");
    }

    pub(crate) async fn make_anew(&self) {
        let (admin, name) = (connect(&self.base).await, &self.name);
        run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        admin.close().await.expect("Postgres closes");
        let connection = connect(&within(&self.base, name)).await;
        Migrator::up(&connection, None).await.expect("Postgres migrates");
        connection.close().await.expect("Postgres closes");
    }
}

impl Drop for Dropped {
    /// On a thread of its own, for the test's runtime may be ending. What cannot be dropped stays: the
    /// cluster is thrown away after the tests.
    fn drop(&mut self) {
        let (base, name) = (self.base.clone(), self.name.clone());
        let dropper = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                let Ok(admin) = Database::connect(base).await else { return };
                let _ =
                    admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                let _ = admin.close().await;
            });
        });
        let _ = dropper.join();
    }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn another_database_of_the_same_cluster() {
        for (base, other) in [
            ("postgres://postgres@localhost/postgres?host=/s/d", "postgres://postgres@localhost/x?host=/s/d"),
            ("postgres://localhost:5432", "postgres://localhost:5432/x"),
            ("postgresql://u:p@h:1/a", "postgresql://u:p@h:1/x"),
        ] {
            assert_eq!(within(base, "x"), other);
        }
    }
}
