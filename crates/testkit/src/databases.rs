//! A database a test: copied from one that was migrated once, and gone when the test is over.

use migrations::Dialect;
use sea_orm::DatabaseConnection;

use crate::{postgres, sqlite};

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
    _guard: Guard,
}

#[derive(Debug)]
pub(crate) enum Guard {
    Folder(
        #[expect(dead_code, reason = "it is held, so that it is deleted with the test")] tempfile::TempDir,
    ),
    Database(
        #[expect(dead_code, reason = "it is held, so that it is deleted with the test")] postgres::Dropped,
    ),
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
            Store::Sqlite => sqlite::create(migrated).await,
            Store::Postgres => postgres::create(migrated).await?,
        };
        Some(Self { store, url, _guard: guard })
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
}
