//! A database a test: copied from one that was migrated once, and gone when the test is over.

use std::collections::BTreeMap;

use migrations::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};

use crate::{
    postgres::{self, Frozen},
    sqlite,
};

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in a folder of its own.
    Sqlite,
    /// A database in the cluster at `HOC_TEST_POSTGRES_URL`.
    Postgres,
}

impl Store {
    /// How the schema is written there.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Sqlite => Dialect::Sqlite,
            Self::Postgres => Dialect::Postgres,
        }
    }
}

/// One test's database. Dropped, it is deleted.
#[derive(Debug)]
pub struct TestDatabase {
    store: Store,
    url: String,
    guard: Guard,
}

#[derive(Debug)]
enum Guard {
    Folder(
        #[expect(dead_code, reason = "it is held, so that it is deleted with the test")] tempfile::TempDir,
    ),
    Database(postgres::Dropped),
}

impl TestDatabase {
    /// A database at head; `None` where there is no Postgres to ask for one.
    ///
    /// # Panics
    /// Where the store fails, and where `CI` is set and no Postgres is given.
    pub async fn migrated(store: Store) -> Option<Self> {
        Self::new(store, true).await
    }

    /// A database without any table; likewise.
    ///
    /// # Panics
    /// As [`Self::migrated`].
    pub async fn empty(store: Store) -> Option<Self> {
        Self::new(store, false).await
    }

    async fn new(store: Store, migrated: bool) -> Option<Self> {
        let (url, guard) = match store {
            Store::Sqlite => {
                let (url, folder) = sqlite::create(migrated).await;
                (url, Guard::Folder(folder))
            }
            Store::Postgres => {
                let (url, database) = postgres::create(migrated).await?;
                (url, Guard::Database(database))
            }
        };
        Some(Self { store, url, guard })
    }

    /// Where it is, for `Db::connect`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which store it is in.
    #[must_use]
    pub const fn store(&self) -> Store {
        self.store
    }

    /// One plain connection, past the drivers, with the settings that they make.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn connection(&self) -> DatabaseConnection {
        match self.store {
            Store::Sqlite => sqlite::connect(&self.url).await,
            Store::Postgres => postgres::connect(&self.url).await,
        }
    }

    /// Runs statements behind the drivers' back, as whoever owns the file or the database can. What the store refuses
    /// comes back as its words.
    ///
    /// # Errors
    /// What the store says to them.
    pub async fn tamper(&self, sql: &str) -> Result<(), String> {
        let done = self.connection().await.execute_unprepared(sql).await;
        done.map(drop).map_err(|err| err.to_string())
    }

    /// Takes from a table the triggers that keep its rows as they are, as whoever owns the database can.
    ///
    /// # Panics
    /// Where the store refuses.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn disarm(&self, table: &str) {
        let sql = match self.store {
            Store::Sqlite => {
                let drop = |kind: &str| format!("DROP TRIGGER IF EXISTS {table}_no_{kind};");
                ["update", "delete", "insert"].map(drop).concat()
            }
            Store::Postgres => format!("ALTER TABLE {table} DISABLE TRIGGER USER"),
        };
        self.tamper(&sql).await.expect("the triggers");
    }

    /// The number that a query answers, asked behind the drivers' back.
    ///
    /// # Panics
    /// Where there is none.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn number(&self, sql: &str) -> i64 {
        let rows = ask(&self.connection().await, sql.to_owned()).await;
        rows[0].try_get_by_index(0).expect("a number")
    }

    /// Takes the database away from whoever uses it, on Postgres: every connection is cut, and no new one is taken,
    /// until [`Self::bring_back`].
    ///
    /// # Panics
    /// On SQLite, which is a file of its user's own.
    pub async fn take_away(&self) {
        self.dropped().take_connections(false).await;
    }

    /// Takes connections again.
    ///
    /// # Panics
    /// As [`Self::take_away`].
    pub async fn bring_back(&self) {
        self.dropped().take_connections(true).await;
    }

    /// Stops every process of Postgres that serves a connection to the database, by SIGSTOP, until what this gives is
    /// dropped. Others can connect meanwhile.
    ///
    /// # Panics
    /// As [`Self::take_away`], and where Postgres is another machine's or user's.
    pub async fn freeze(&self) -> Frozen {
        self.dropped().freeze().await
    }

    /// A copy of the database as it is, on Postgres: a backup, while nobody uses it.
    ///
    /// # Panics
    /// As [`Self::take_away`].
    pub async fn back_up(&self) {
        self.dropped().back_up().await;
    }

    /// The database as it was when it was backed up; whoever uses it is cut off.
    ///
    /// # Panics
    /// As [`Self::take_away`].
    pub async fn restore(&self) {
        self.dropped().restore().await;
    }

    /// Drops the database and makes it anew, migrated and empty: its tables and their types have other numbers, as
    /// after a restore from a dump. Whoever uses it is cut off.
    ///
    /// # Panics
    /// As [`Self::take_away`].
    pub async fn make_anew(&self) {
        self.dropped().make_anew().await;
    }

    fn dropped(&self) -> &postgres::Dropped {
        match &self.guard {
            Guard::Database(database) => database,
            Guard::Folder(_) => panic!("SQLite has no connections to cut"),
        }
    }

    /// How many rows each table has.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn row_counts(&self) -> BTreeMap<String, i64> {
        let connection = self.connection().await;
        let mut counts = BTreeMap::new();
        for table in self.tables(&connection).await {
            let count = ask(&connection, format!("SELECT count(*) AS n FROM {table}")).await;
            counts.insert(table, count[0].try_get("", "n").expect("a count"));
        }
        counts
    }

    /// Everything that is stored, as text: each table's name with its rows, one after another.
    ///
    /// # Panics
    /// Where the store fails.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn contents(&self) -> BTreeMap<String, String> {
        let connection = self.connection().await;
        let mut contents = BTreeMap::new();
        for table in self.tables(&connection).await {
            let rows = match self.store {
                Store::Postgres => format!("SELECT t::text AS told FROM {table} t"),
                Store::Sqlite => {
                    let columns =
                        ask(&connection, format!("SELECT name FROM pragma_table_info('{table}')")).await;
                    let quoted = |row: &QueryResult| {
                        format!("quote({})", row.try_get::<String>("", "name").expect("a name"))
                    };
                    let columns: Vec<_> = columns.iter().map(quoted).collect();
                    format!("SELECT {} AS told FROM {table}", columns.join(" || ' ' || "))
                }
            };
            let rows = ask(&connection, rows).await;
            let told = rows.iter().map(|row| row.try_get::<String>("", "told").expect("a row"));
            contents.insert(table, told.collect::<Vec<_>>().join("\n"));
        }
        // Their bodies are pressed: what they say is looked for as they say it.
        if contents.contains_key("run_segments") {
            self.records_as_text(&mut contents).await;
            self.contents_as_text(&mut contents).await;
        }
        contents
    }

    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub(crate) async fn tables(&self, connection: &DatabaseConnection) -> Vec<String> {
        let tables = match self.store {
            Store::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            Store::Postgres => "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
        };
        let rows = ask(connection, tables.to_owned()).await;
        rows.iter().map(|row| row.try_get("", "name").expect("a name")).collect()
    }
}

#[expect(clippy::expect_used, reason = "a test without its store has failed")]
pub(crate) async fn ask(connection: &DatabaseConnection, sql: String) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.expect("the store answers")
}
