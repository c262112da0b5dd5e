//! What can go wrong in the store, said once for every table and both databases.

use std::error::Error as StdError;

use models::page::PageError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// What lies under a failure. Kept as a source; nobody above this crate takes it apart.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// What failed where several tables were written by one statement.
#[derive(Debug, thiserror::Error)]
#[error("of a write to {tables}")]
struct OfTables {
    tables: String,
    #[source]
    cause: Cause,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken.
    #[error("already exists")]
    Conflict(#[source] Cause),
    /// A row that another one needs is missing, or still needed.
    #[error("a related row is missing or in use")]
    Related(#[source] Cause),
    /// The row may not be changed or deleted: its table is append-only, or it is sealed.
    #[error("the store keeps this row as it is")]
    AppendOnly(#[source] Cause),
    /// A CHECK or NOT NULL of the schema refused a value, or it is none that a column can hold.
    #[error("the schema refuses a value")]
    Refused(#[source] Cause),
    /// The statement touched a number of rows it should not have.
    #[error("{table}: expected {expected} row(s), changed {actual}")]
    RowsAffected {
        /// The table.
        table: &'static str,
        /// How many should have changed.
        expected: u64,
        /// How many did.
        actual: u64,
    },
    /// A deadlock or a serialisation failure: the same unit of work may pass next time.
    #[error("the store asks to try again")]
    Retry(#[source] Cause),
    /// A lock that another holds did not come free in the time allowed.
    #[error("what another unit of work holds locked did not come free in time")]
    Locked(#[source] Cause),
    /// The store does not answer, or cannot write. Nothing was committed.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// All connections are in use by others of us: the store is there, and nothing was committed.
    #[error("all connections to the store are in use")]
    Busy(#[source] Cause),
    /// COMMIT was sent and its outcome is not known: the unit of work is durable or it is not.
    #[error("whether the commit took place is not known")]
    UnknownCommit(#[source] Cause),
    /// A stored row, or a value on its way in, says something that cannot be.
    #[error("{table} row {row}: {why}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// Which row, by its key as far as it is known.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// A page was asked for with a cursor that another kind of list gave.
    #[error("the page does not begin anywhere in this list")]
    Cursor(#[source] PageError),
    /// The store may be read and not written: what has to be done first.
    #[error("{0}")]
    ReadOnly(String),
    /// The store was refused at start: it is not one that this configuration may use.
    #[error("{0}")]
    Unfit(String),
    /// The store was made before there was a release: no schema of that time is brought up to ours.
    #[error("the store was made by a build from before the first release, and cannot be brought up to date")]
    Unreleased,
    /// The store is further than this version.
    #[error("the store is that of a newer version")]
    Newer,
    /// Anything else.
    #[error("the store failed")]
    Database(#[source] Cause),
}

impl StoreError {
    /// Whether the store is down, as against having refused what was asked.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether the embedded store found no room on its disk, as far as it can tell that from a disk that fails.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let (Self::Unavailable(cause) | Self::UnknownCommit(cause)) = self else { return false };
        let Some(sqlx::Error::Database(err)) = cause.downcast_ref::<sqlx::Error>() else { return false };
        err.code().is_some_and(|code| NO_ROOM.contains(&&*code))
    }

    /// Whether either store said that it has no room for what was written.
    pub(crate) fn is_out_of_room(&self) -> bool {
        let (Self::Unavailable(cause) | Self::UnknownCommit(cause)) = self else { return false };
        let cause = cause.downcast_ref::<OfTables>().map_or(cause, |of| &of.cause);
        let Some(sqlx::Error::Database(err)) = told(cause.as_ref()) else { return false };
        err.code().is_some_and(|code| code == "53100" || NO_ROOM.contains(&&*code))
    }

    /// Whether the file of an embedded store is not what SQLite left there.
    pub(crate) fn is_damage(&self) -> bool {
        let (Self::Unavailable(cause) | Self::UnknownCommit(cause)) = self else { return false };
        let Some(sqlx::Error::Database(err)) = told(cause.as_ref()) else { return false };
        err.code().is_some_and(|code| primary(&code).is_some_and(|code| DAMAGE.contains(&code)))
    }

    /// Whether it is only that others were first.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// What to do about a store that cannot be opened, where its refusal says so.
    #[must_use]
    pub fn next_step(&self) -> Option<&'static str> {
        let cause = match self {
            Self::Unavailable(cause) | Self::Database(cause) => cause,
            Self::Unreleased => {
                return Some(
                    "make a new store (HOC_DATA_DIR or HOC_DATABASE_URL elsewhere), and keep that build: bundles that it \
                     exported verify with it",
                );
            }
            Self::Newer => return Some("use that version"),
            _ => return None,
        };
        match told(cause.as_ref())? {
            sqlx::Error::Io(_) => Some("is Postgres running there, and are host and port of the URL right?"),
            sqlx::Error::Database(err) => next_step(&err.code()?),
            _ => None,
        }
    }

    /// Whether the same unit of work, started anew, may pass.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        matches!(self, Self::Retry(_))
    }

    /// Whether another unit of work held a lock for too long.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }

    /// Whether what was to be written is the reason, so that no later time and no other connection changes it.
    #[must_use]
    pub fn is_about_the_row(&self) -> bool {
        matches!(
            self,
            Self::Conflict(_)
                | Self::Related(_)
                | Self::AppendOnly(_)
                | Self::Refused(_)
                | Self::Corrupt { .. }
        )
    }

    /// Whether a COMMIT was sent without its outcome becoming known.
    #[must_use]
    pub fn is_unknown_commit(&self) -> bool {
        matches!(self, Self::UnknownCommit(_))
    }

    /// The same failure, met while committing: if the connection was lost, nobody knows what happened.
    pub(crate) fn at_commit(self) -> Self {
        match self {
            Self::Unavailable(cause) => Self::UnknownCommit(cause),
            other => other,
        }
    }

    /// The same on SQLite, which says what it could not do. A page that could not be written to its log is no commit:
    /// the mark that makes it one comes last. A log that could not be made durable may be one, and may not.
    pub(crate) fn at_embedded_commit(self) -> Self {
        match self {
            Self::Unavailable(cause) if wrote_nothing(cause.as_ref()) => Self::Unavailable(cause),
            other => other.at_commit(),
        }
    }

    /// The same, met while SQLite was asked for its one lock: who does not get that in all the time allowed finds no
    /// store.
    pub(crate) fn at_embedded_begin(self) -> Self {
        match self {
            Self::Locked(cause) => Self::Unavailable(cause),
            other => other,
        }
    }

    /// The same, of a row whose key was not at hand where it was read.
    pub(crate) fn in_row(self, row: String) -> Self {
        match self {
            Self::Corrupt { table, why, .. } => Self::Corrupt { table, row, why },
            other => other,
        }
    }

    /// The same, met while these tables were written together: what the store says of it need not name one.
    pub(crate) fn of_tables(self, tables: &[&str]) -> Self {
        let of = |cause: Cause| -> Cause { Box::new(OfTables { tables: tables.join(", "), cause }) };
        match self {
            Self::Conflict(cause) => Self::Conflict(of(cause)),
            Self::Related(cause) => Self::Related(of(cause)),
            Self::AppendOnly(cause) => Self::AppendOnly(of(cause)),
            Self::Refused(cause) => Self::Refused(of(cause)),
            Self::Retry(cause) => Self::Retry(of(cause)),
            Self::Locked(cause) => Self::Locked(of(cause)),
            Self::Unavailable(cause) => Self::Unavailable(of(cause)),
            Self::Database(cause) => Self::Database(of(cause)),
            other => other,
        }
    }

    /// No answer in the time allowed.
    pub(crate) fn silent() -> Self {
        Self::Unavailable("no answer in time".into())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(err: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let variant = match &err {
            E::Database(db) if is_about_an_oid(&db.code().unwrap_or_default(), db.message()) => Self::Retry,
            E::Database(db) => by_code(&db.code().unwrap_or_default()),
            E::PoolTimedOut => Self::Busy,
            E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolClosed | E::WorkerCrashed => Self::Unavailable,
            E::Configuration(why) => return Self::Unfit(format!("the database URL does not serve: {why}")),
            _ => Self::Database,
        };
        variant(Box::new(err))
    }
}

impl From<DbErr> for StoreError {
    fn from(err: DbErr) -> Self {
        if let DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) = &err
            && let sqlx::Error::Database(db) = &**e
        {
            return by_code(&db.code().unwrap_or_default())(Box::new(err));
        }
        match err {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(Box::new(err)),
            _ => Self::Database(Box::new(err)),
        }
    }
}

/// Both databases name their failures by code: Postgres by SQLSTATE (five characters), SQLite by number.
fn by_code(code: &str) -> fn(Cause) -> StoreError {
    match code {
        "23505" | "1555" | "2067" => StoreError::Conflict,
        "23503" | "787" => StoreError::Related,
        // What our triggers raise: restrict_violation, and SQLITE_CONSTRAINT_TRIGGER.
        "23001" | "1811" => StoreError::AppendOnly,
        // Besides those of the schema: too long, of another type, a wrong index (SQLITE_TOOBIG, MISMATCH, RANGE).
        "23514" | "23502" | "275" | "1299" | "18" | "20" | "25" => StoreError::Refused,
        // Serialisation failure, deadlock, a transaction that was ended because we stood still in it, a row type that a
        // migration has changed meanwhile; SQLITE_LOCKED with its kinds, and those of SQLITE_BUSY that tell of a
        // snapshot that is too old or of a recovery.
        "40001" | "40P01" | "25P03" | "42804" | "261" | "517" | "6" | "262" | "518" => StoreError::Retry,
        // Lock timeout; SQLITE_BUSY, and SQLITE_BUSY_TIMEOUT.
        "55P03" | "5" | "773" => StoreError::Locked,
        // Read-only (a failover), statement timeout, a database that takes no connections now, or that is not there.
        "25006" | "57014" | "55000" | "3D000" => StoreError::Unavailable,
        // Connection lost, not let in, resources gone, operator intervention, system error.
        _ if code.len() == 5
            && ["08", "28", "53", "57", "58"].iter().any(|class| code.starts_with(class)) =>
        {
            StoreError::Unavailable
        }
        // A value that is out of range, cannot be encoded, or is more than an index can hold.
        _ if code.len() == 5 && ["22", "54"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Refused
        }
        _ if code.len() < 5 && sqlite_is_down(code) => StoreError::Unavailable,
        _ => StoreError::Database,
    }
}

/// Whether Postgres does not know a type by the number that it had: the database was made anew under us, from a backup.
/// The first is never translated, and the second has a code of its own.
fn is_about_an_oid(code: &str, message: &str) -> bool {
    (code == "XX000" && message.starts_with("cache lookup failed for type")) || code == "42704"
}

/// What the database said, also where a migration met it.
fn told<'c>(cause: &'c (dyn StdError + Send + Sync + 'static)) -> Option<&'c sqlx::Error> {
    match cause.downcast_ref::<DbErr>() {
        Some(
            DbErr::Conn(RuntimeErr::SqlxError(err))
            | DbErr::Exec(RuntimeErr::SqlxError(err))
            | DbErr::Query(RuntimeErr::SqlxError(err)),
        ) => Some(err),
        Some(_) => None,
        None => cause.downcast_ref(),
    }
}

/// What to do about a refusal of Postgres to be connected to, or to be used.
fn next_step(code: &str) -> Option<&'static str> {
    match code {
        "28P01" | "28000" => Some("are user and password of the URL right?"),
        "3D000" => Some("make the database with `createdb`, or name another in the URL"),
        "3F000" => Some(
            "does the search_path of this user name a schema that is there? (`ALTER ROLE .. SET search_path`)",
        ),
        "42P05" | "26000" => Some(
            "does a pooler stand between, such as PgBouncer in transaction mode? Name Postgres itself in the URL, or let it \
             pool sessions",
        ),
        "53300" => Some("let it take more connections, or have fewer of them (HOC_MAX_CONNECTIONS)"),
        "57P03" => Some("it starts or stops: try again in a moment"),
        _ => None,
    }
}

/// FULL, and IOERR while writing, cutting, growing and mapping a file.
const NO_ROOM: [&str; 5] = ["13", "778", "1546", "4874", "5386"];

/// CORRUPT and NOTADB.
const DAMAGE: [u32; 2] = [11, 26];

/// READONLY, IOERR, FULL, CANTOPEN, and a file that is damaged: no record can be committed to it.
fn sqlite_is_down(code: &str) -> bool {
    primary(code).is_some_and(|code| matches!(code, 8 | 10 | 13 | 14) || DAMAGE.contains(&code))
}

/// The primary code of an extended code of SQLite is its low byte. Codes of Postgres have five characters.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff)
}

/// IOERR_WRITE, FULL, and READONLY with its kinds.
fn wrote_nothing(cause: &(dyn StdError + Send + Sync + 'static)) -> bool {
    let Some(sqlx::Error::Database(err)) = cause.downcast_ref::<sqlx::Error>() else { return false };
    let code = err.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code == 778 || matches!(code & 0xff, 8 | 13))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> StoreError {
        by_code(code)("x".into())
    }

    #[test]
    fn the_codes_of_both_databases_mean_the_same() {
        for code in ["23505", "1555", "2067"] {
            assert!(matches!(of(code), StoreError::Conflict(_)), "{code}");
        }
        for code in ["40001", "40P01", "25P03", "517"] {
            assert!(of(code).is_retry(), "{code}");
        }
        for code in ["55P03", "5", "773"] {
            assert!(of(code).is_locked() && !of(code).is_about_the_row(), "{code}");
        }
        for code in ["23514", "23502", "22003", "22021", "54000", "275", "18"] {
            assert!(matches!(of(code), StoreError::Refused(_)) && of(code).is_about_the_row(), "{code}");
        }
        // A file that is damaged among them: no later time mends it, and no record of a step can be kept in it either.
        let gone =
            ["08006", "53300", "57P01", "57014", "10", "2570", "13", "14", "8", "11", "267", "779", "26"];
        let shut = ["28000", "28P01", "3D000"];
        for code in gone.into_iter().chain(shut) {
            assert!(of(code).is_unavailable(), "{code}");
        }
        for code in ["23001", "1811"] {
            assert!(matches!(of(code), StoreError::AppendOnly(_)), "{code}");
        }
        // A right or a table that is missing is no outage, in which steps pass: somebody has to mend the schema.
        for code in ["42601", "42501", "42P01"] {
            assert!(matches!(of(code), StoreError::Database(_)), "{code}");
        }
        assert!(
            !of("25P02").is_about_the_row(),
            "a connection in an aborted transaction says nothing of the row"
        );
        assert!(matches!(of("1"), StoreError::Database(_)));
    }

    #[test]
    fn what_stands_in_the_way_to_a_postgres_is_told_with_what_to_do() {
        for (code, says) in [("42P05", "PgBouncer"), ("26000", "PgBouncer"), ("3F000", "search_path")] {
            assert!(next_step(code).is_some_and(|step| step.contains(says)), "{code}");
        }
        assert_eq!(next_step("42601"), None);
    }

    #[test]
    fn only_a_lost_connection_makes_a_commit_unknown() {
        assert!(of("08006").at_commit().is_unknown_commit());
        assert!(matches!(of("23503").at_commit(), StoreError::Related(_)));
    }
}
