//! Every `match` on the database that statements need. Empty would be best.
//!
//! Both send a group of rows in few statements whose texts are few, so that the prepared ones are used
//! again: Postgres takes an array of the table's row type, one text for any number of rows (see `rowtype`);
//! SQLite takes VALUES, padded to a power of two with rows of NULL that match nothing.

use std::fmt::Write as _;

use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityName, EntityTrait, IdenStatic, Iterable, QueryOrder as _,
    Select, Value,
    sea_query::{ArrayType, ColumnType, Expr, ExprTrait as _, SimpleExpr},
};

use crate::raised::OfRaised;

/// Values of one statement at most: SQLite's own limit.
const SQLITE_BINDS: usize = 32_766;

/// Rows of one statement at most. More gain nothing and make long texts.
const SQLITE_ROWS: usize = 128;
const POSTGRES_ROWS: usize = 1_024;

/// How the next of `rows` waiting rows are cut off, each with `columns` values.
pub(crate) fn chunk(backend: DbBackend, rows: usize, columns: usize) -> usize {
    match backend {
        DbBackend::Postgres => rows.min(POSTGRES_ROWS),
        _ => rows.min(SQLITE_ROWS).min(floor_power_of_two(SQLITE_BINDS / columns.max(1))),
    }
}

fn floor_power_of_two(n: usize) -> usize {
    if n < 2 { n } else { 1 << n.ilog2() }
}

/// What an insert does with a row whose key is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The statement fails.
    Fails,
    /// The row that is there stays.
    Stays,
}

/// `INSERT` of `rows` rows, all columns in the entity's order.
pub(crate) fn insert<E: EntityTrait>(backend: DbBackend, rows: usize, taken: Taken) -> String {
    let columns = names(E::Column::iter());
    let mut sql = format!("INSERT INTO {} ({columns}) ", quoted(E::default().table_name()));
    match backend {
        DbBackend::Postgres => {
            let _ = write!(sql, "SELECT {columns} FROM {}", row_array::<E>());
        }
        _ => sql.push_str(&padded(rows, E::Column::iter().count())),
    }
    if taken == Taken::Stays {
        sql.push_str(" ON CONFLICT DO NOTHING");
    }
    sql
}

/// The columns by which a row says which state it is in: how often it was written, and a mark of who did last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versioned<C> {
    pub(crate) count: C,
    pub(crate) mark: C,
    /// A column of the mark's type that no update changes: where both marks are sent, the one that is asked for is in
    /// it.
    pub(crate) asked: C,
}

/// What an update asks of a row beside its key, and changes beside what is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<C> {
    /// Nothing.
    Nothing,
    /// That a column says one of our own words.
    Word(C, &'static str),
    /// That it is at the version that is sent, count and mark. It leaves that, with another mark that is sent.
    Version(Versioned<C>),
    /// Nothing, and it leaves its version, with a mark that the store draws.
    AnyVersion(Versioned<C>),
    /// Nothing: the rows belong to runs that this unit of work has written, which have left their versions.
    OfRaised(OfRaised),
}

impl<C> Given<C> {
    /// The columns that are sent for it, after the others.
    pub(crate) fn sent(self) -> Vec<C> {
        match self {
            Self::Version(Versioned { count, mark, asked }) => vec![count, mark, asked],
            Self::Nothing | Self::Word(..) | Self::AnyVersion(_) | Self::OfRaised(_) => vec![],
        }
    }
}

/// `UPDATE` of `rows` rows, found by `keys`: the values are those of `keys`, then those of `changing`, then those that
/// are sent for what is given.
pub(crate) fn update<E: EntityTrait>(
    backend: DbBackend,
    rows: usize,
    keys: &[E::Column],
    changing: &[E::Column],
    given: Given<E::Column>,
) -> String {
    let table = quoted(E::default().table_name());
    let more = given.sent();
    let sent = || keys.iter().chain(changing).chain(&more).copied();
    let columns = names(sent());
    let mut assigned: Vec<String> =
        changing.iter().map(|c| format!("{0} = v.{0}", quoted(c.as_str()))).collect();
    let mut found: Vec<String> =
        keys.iter().map(|c| format!("{table}.{0} = v.{0}", quoted(c.as_str()))).collect();
    match given {
        Given::Nothing | Given::OfRaised(_) => {}
        Given::Word(column, word) => found.push(format!("{table}.{} = '{word}'", quoted(column.as_str()))),
        Given::Version(Versioned { count, mark, asked }) => {
            let [count, mark, asked] = [count, mark, asked].map(|column| quoted(column.as_str()));
            assigned.extend([format!("{count} = v.{count} + 1"), format!("{mark} = v.{mark}")]);
            found.extend([format!("{table}.{count} = v.{count}"), format!("{table}.{mark} = v.{asked}")]);
        }
        Given::AnyVersion(Versioned { count, mark, .. }) => {
            let [count, mark] = [count, mark].map(|column| quoted(column.as_str()));
            assigned
                .extend([format!("{count} = {table}.{count} + 1"), format!("{mark} = {}", drawn(backend))]);
        }
    }
    let (assigned, found) = (assigned.join(", "), found.join(" AND "));
    match backend {
        DbBackend::Postgres => {
            format!("UPDATE {table} SET {assigned} FROM {} AS v WHERE {found}", row_array::<E>())
        }
        _ => format!(
            "WITH v ({columns}) AS ({}) UPDATE {table} SET {assigned} FROM v WHERE {found}",
            values(rows.next_power_of_two(), sent().count())
        ),
    }
}

/// The condition that `columns` are one of the keys. `keys` holds one list of values for each column.
pub(crate) fn among<C: ColumnTrait>(backend: DbBackend, columns: &[C], keys: Vec<Vec<Value>>) -> SimpleExpr {
    let rows = keys.first().map_or(0, Vec::len);
    if rows == 0 {
        return Expr::cust("1 = 0");
    }
    let left = join(columns.iter().map(qualified), ", ");
    if backend == DbBackend::Postgres {
        let types = types(columns.iter().copied());
        let sql = match types.as_slice() {
            [only] => format!("{left} = ANY($1::{only}[])"),
            several => format!("({left}) IN (SELECT * FROM {})", unnest(several)),
        };
        return Expr::cust_with_values(sql, arrays(columns.iter().copied(), keys));
    }
    // Padded to a power of two by repeating the last key, which changes nothing.
    let padded = rows.next_power_of_two();
    let flat = (0..padded).flat_map(|row| keys.iter().map(move |column| column[row.min(rows - 1)].clone()));
    let sql = match columns.len() {
        1 => format!("{left} IN {}", tuple(padded)),
        width => format!("({left}) IN ({})", values(padded, width)),
    };
    Expr::cust_with_values(sql, flat.collect::<Vec<_>>())
}

/// The rows of `select` in order of these columns, where its conditions find few: they are sorted.
pub(crate) fn sorted<E: EntityTrait>(backend: DbBackend, select: Select<E>, by: &[E::Column]) -> Select<E> {
    by.iter().fold(select, |select, column| select.order_by_asc(after_the_fact(backend, column)))
}

/// A column to sort or group by after the conditions have found the rows. If SQLite is told the column itself, it may
/// go over a whole index that has this order, because it does not know how few rows there are. If it is told an
/// expression, it cannot.
pub(crate) fn after_the_fact<C: ColumnTrait>(backend: DbBackend, column: &C) -> SimpleExpr {
    let sign = if backend == DbBackend::Postgres { "" } else { "+" };
    Expr::cust(format!("{sign}{}", qualified(column)))
}

/// That columns have these values. Where one `leads`, rows are found by its index: the others only sift what that
/// finds, and are written so that no index serves them.
pub(crate) fn equal(values: Vec<(&'static str, Value)>, leads: Option<(DbBackend, &str)>) -> Condition {
    let one = |(column, value): (&'static str, Value)| match leads {
        Some((DbBackend::Postgres, leads)) if column != leads => {
            Expr::cust_with_values(format!("{} IS NOT DISTINCT FROM $1", quoted(column)), [value])
        }
        Some((_, leads)) if column != leads => {
            Expr::cust_with_values(format!("+{} = ?", quoted(column)), [value])
        }
        _ => Expr::col(column).eq(value),
    };
    values.into_iter().map(one).fold(Condition::all(), Condition::add)
}

/// An id that no row has yet, drawn by the store.
pub(crate) fn drawn_id(backend: DbBackend) -> SimpleExpr {
    Expr::cust(drawn(backend))
}

fn drawn(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "gen_random_uuid()",
        _ => "randomblob(16)",
    }
}

/// How many keys of `width` columns one condition takes.
pub(crate) fn keys_at_once(backend: DbBackend, width: usize) -> usize {
    match backend {
        DbBackend::Postgres => 16_384,
        _ => floor_power_of_two(SQLITE_BINDS / 2 / width.max(1)).min(1_024),
    }
}

/// Turns each column's values into what a statement binds: arrays on Postgres.
fn arrays<C: ColumnTrait>(columns: impl Iterator<Item = C>, values: Vec<Vec<Value>>) -> Vec<Value> {
    columns.zip(values).map(|(c, values)| Value::Array(kind(&c).0, Some(Box::new(values)))).collect()
}

/// How Postgres names the type of a column, and sea-query that of an array of it.
fn kind(column: &impl ColumnTrait) -> (ArrayType, &'static str) {
    match column.def().get_column_type() {
        ColumnType::Uuid => (ArrayType::Uuid, "uuid"),
        ColumnType::BigInteger => (ArrayType::BigInt, "int8"),
        ColumnType::Boolean => (ArrayType::Bool, "bool"),
        ColumnType::TimestampWithTimeZone => (ArrayType::ChronoDateTimeUtc, "timestamptz"),
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => (ArrayType::Bytes, "bytea"),
        // Words, hashes and documents are all text; a value of another kind is refused when it is bound.
        _ => (ArrayType::String, "text"),
    }
}

fn types<C: ColumnTrait>(columns: impl Iterator<Item = C>) -> Vec<&'static str> {
    columns.map(|column| kind(&column).1).collect()
}

fn unnest(types: &[&str]) -> String {
    let arrays = types.iter().enumerate().map(|(i, of)| format!("${}::{of}[]", i + 1));
    format!("UNNEST({})", join(arrays, ", "))
}

fn row_array<E: EntityTrait>() -> String {
    format!("UNNEST($1::{}[])", quoted(E::default().table_name()))
}

fn values(rows: usize, columns: usize) -> String {
    format!("VALUES {}", vec![tuple(columns); rows].join(","))
}

/// `rows` rows, padded to a power of two: what they are padded with is bound as NULL, which the first column of no
/// table of ours is.
fn padded(rows: usize, columns: usize) -> String {
    match rows {
        1 => values(1, columns),
        _ => {
            format!("SELECT * FROM ({}) WHERE column1 IS NOT NULL", values(rows.next_power_of_two(), columns))
        }
    }
}

fn tuple(columns: usize) -> String {
    format!("({})", vec!["?"; columns].join(","))
}

fn names<C: IdenStatic>(columns: impl Iterator<Item = C>) -> String {
    join(columns.map(|c| quoted(c.as_str())), ", ")
}

fn qualified<C: ColumnTrait>(column: &C) -> String {
    format!("{}.{}", quoted(C::EntityName::default().table_name()), quoted(column.as_str()))
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn join(parts: impl Iterator<Item = String>, by: &str) -> String {
    parts.collect::<Vec<_>>().join(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_sends_all_at_once_below_its_limit() {
        let cut = |mut rows: usize, columns: usize| {
            let mut chunks = vec![];
            while rows > 0 {
                chunks.push(chunk(DbBackend::Sqlite, rows, columns));
                rows -= chunks.last().copied().unwrap_or(rows);
            }
            chunks
        };
        assert_eq!(cut(0, 47), Vec::<usize>::new());
        assert_eq!(cut(63, 47), [63]);
        assert_eq!(cut(500, 47), [128, 128, 128, 116]);
        assert!(cut(5_000, 600).iter().all(|rows| rows.next_power_of_two() * 600 <= SQLITE_BINDS));
    }

    #[test]
    fn rows_that_are_not_there_match_nothing() {
        assert_eq!(padded(1, 2), "VALUES (?,?)");
        assert_eq!(padded(3, 1), "SELECT * FROM (VALUES (?),(?),(?),(?)) WHERE column1 IS NOT NULL");
    }
}
