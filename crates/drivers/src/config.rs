//! Where the store is, and what holds for its connections on either database.

use std::fmt;

/// Prepared statements kept for each connection to Postgres. Every statement of ours has few texts (see `dialect`), but
/// for what a group writes as one, which has hundreds: what comes often is kept, and the rest is planned anew (ADR 13).
pub(crate) const STATEMENTS_KEPT: usize = 512;

/// Texts kept prepared for each connection of SQLite. What a group writes is a text of a dozen statements, all of which
/// are kept with it. A statement takes 5 to 70 kB, by how wide its table is, and each of its places 100 bytes more: a
/// text of a group comes to 100 to 300 kB, a query to some 15 kB. So what the writer keeps is 40 MiB at most and mostly
/// less than 20, and what a reader keeps is 2.
pub(crate) const TEXTS_KEPT: usize = 128;

/// What sessions of ours are called in Postgres, those of a server and all others.
pub(crate) const SERVER: &str = "hoc serve";
pub(crate) const COMMAND: &str = "hoc";

/// Where the store is, and how strict to be about it.
#[derive(Clone)]
pub struct ConnectConfig {
    /// `sqlite://FILE`, `sqlite::memory:` or `postgres://...`.
    pub url: String,
    /// Production refuses SQLite.
    pub production: bool,
    /// Only a test may run on a Postgres with `fsync=off`.
    pub test: bool,
    /// Connections to Postgres, or readers of SQLite, at most.
    pub max_connections: u32,
    /// A server opens it: [`Db::served_from`](crate::Db::served_from) tells of it, on Postgres.
    pub serves: bool,
}

impl ConnectConfig {
    /// The store at `url`, for development.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), production: false, test: false, max_connections: 16, serves: false }
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for ConnectConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.split(':').next().unwrap_or_default();
        f.debug_struct("ConnectConfig")
            .field("scheme", &scheme)
            .field("production", &self.production)
            .field("test", &self.test)
            .field("max_connections", &self.max_connections)
            .field("serves", &self.serves)
            .finish()
    }
}
