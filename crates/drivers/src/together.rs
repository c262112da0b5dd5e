//! Writes that wait, and go to the store together: a group's whole plan in one trip there and back.
//!
//! On Postgres they are one statement, a `WITH` of all of them. They see the rows as they were before it, so no two of
//! them may touch one row; a key that one adds is there for what refers to it, for that is asked at the statement's
//! end. SQLite is in the process, but each of its connections has a thread of its own, to which a trip is two changes
//! of thread: it gets a text of several statements, and carries out one after the other.

use std::sync::{Mutex, PoisonError};

use sea_orm::{DbBackend, Statement, Value, Values};

use crate::{StoreError, rowtype::Rows};

/// So many bytes of rows wait, and then they are sent: while they are, each is in memory three times, and all of them
/// are waited for as one statement is. What nearly every group writes is far less.
const MOST_WAITING: usize = 4 << 20;

/// So many places a text of several statements of SQLite has at most. Of how many rows each of its tables gets depends
/// which text it is: where they are few, texts are few and short enough to be kept (`TEXTS_KEPT`), and where they are
/// many a trip more is little beside what it carries.
const MOST_PLACES: usize = 1_024;

/// A statement that fails where it does not touch as many rows as it says, if it says so.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) table: &'static str,
    /// None where it may be any number.
    pub(crate) expected: Option<u64>,
    /// Whether its rows are found at the version that they were decided on: where they are fewer, one of them was
    /// written since, and whoever decided tries again.
    pub(crate) decided: bool,
    /// Whether it is to see what those before it wrote: on Postgres it then goes behind them, in a trip of its own.
    pub(crate) behind: bool,
    pub(crate) sql: String,
    pub(crate) sends: Sends,
}

/// What a statement is sent with.
#[derive(Debug)]
pub(crate) enum Sends {
    /// Values, in the order of their places.
    Values(Values),
    /// Rows of a table, which are its one argument. Postgres only.
    Rows(Rows),
}

impl Write {
    /// One that touches whatever rows it finds.
    pub(crate) fn any(table: &'static str, statement: Statement) -> Self {
        let Statement { sql, values, .. } = statement;
        let sends = Sends::Values(values.unwrap_or_else(|| Values(Vec::new())));
        Self { table, expected: None, decided: false, behind: false, sql, sends }
    }

    /// What it is sent with, taken out.
    pub(crate) fn taken(&mut self) -> Sends {
        std::mem::replace(&mut self.sends, Sends::Values(Values(Vec::new())))
    }

    /// How many bytes of rows wait with it.
    fn bytes(&self) -> usize {
        match &self.sends {
            Sends::Rows(rows) => rows.bytes(),
            Sends::Values(values) => values.0.iter().map(bytes_of).sum(),
        }
    }

    /// How many arguments its text takes; rows of a type are one.
    fn places(&self) -> usize {
        match &self.sends {
            Sends::Rows(_) => 1,
            Sends::Values(values) => values.0.len(),
        }
    }

    /// That it touched so many rows.
    pub(crate) fn touched(&self, actual: u64) -> Result<(), StoreError> {
        let table = self.table;
        let Some(expected) = self.expected else { return Ok(()) };
        match actual == expected {
            true => Ok(()),
            false if self.decided => {
                Err(StoreError::Retry(format!("{table}: a row was written since it was read").into()))
            }
            false => Err(StoreError::RowsAffected { table, expected, actual }),
        }
    }
}

fn bytes_of(value: &Value) -> usize {
    let text = match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 0,
    };
    size_of::<Value>() + text
}

/// What waits; none where nothing is to wait.
#[derive(Debug, Default)]
pub(crate) struct Together(Mutex<Option<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    writes: Vec<Write>,
    bytes: usize,
}

impl Together {
    /// From now on writes wait.
    pub(crate) fn begin(&self) {
        self.lock().get_or_insert_default();
    }

    /// Keeps a write, if writes wait; else gives it back.
    pub(crate) fn keep(&self, write: Write) -> Option<Write> {
        match &mut *self.lock() {
            Some(waiting) => {
                waiting.bytes += write.bytes();
                waiting.writes.push(write);
                None
            }
            None => Some(write),
        }
    }

    /// Whether so much waits that it is to be sent before there is more.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().as_ref().is_some_and(|waiting| waiting.bytes >= MOST_WAITING)
    }

    /// Takes what waits. What comes after it waits as well.
    pub(crate) fn take(&self) -> Vec<Write> {
        self.lock().as_mut().map(std::mem::take).unwrap_or_default().writes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits, in parts that go together, in the order in which it came.
pub(crate) fn parts(backend: DbBackend, writes: Vec<Write>) -> Vec<Vec<Write>> {
    let mut parts: Vec<Vec<Write>> = Vec::new();
    for write in writes {
        match parts.last_mut() {
            Some(part) if joins(backend, part, &write) => part.push(write),
            _ => parts.push(vec![write]),
        }
    }
    parts
}

fn joins(backend: DbBackend, part: &[Write], next: &Write) -> bool {
    let mut all = part.iter().chain([next]);
    match backend {
        DbBackend::Postgres => !all.any(|write| write.behind),
        _ => all.map(Write::places).sum::<usize>() <= MOST_PLACES,
    }
}

/// What they write, each table once.
pub(crate) fn tables(writes: &[Write]) -> Vec<&'static str> {
    let mut tables = Vec::with_capacity(writes.len());
    for Write { table, .. } in writes {
        if !tables.contains(table) {
            tables.push(*table);
        }
    }
    tables
}

/// The statements as one: on Postgres a statement whose one row has how many rows each of them touched, on SQLite a
/// text that is answered statement by statement.
pub(crate) fn as_one(backend: DbBackend, writes: &[Write]) -> Result<String, StoreError> {
    if backend != DbBackend::Postgres {
        writes.iter().try_for_each(has_a_value_for_each_place)?;
        return Ok(writes.iter().map(|write| write.sql.as_str()).collect::<Vec<_>>().join("; "));
    }
    let mut before = 0;
    let parts = writes.iter().enumerate().map(|(at, write)| {
        let sql = renumbered(&write.sql, before);
        before += write.places();
        format!("w{at} AS ({sql} RETURNING 1)")
    });
    let counts = (0..writes.len()).map(|at| format!("(SELECT COUNT(*) FROM w{at})"));
    let (parts, counts) = (parts.collect::<Vec<_>>(), counts.collect::<Vec<_>>());
    Ok(format!("WITH {} SELECT {}", parts.join(", "), counts.join(", ")))
}

/// On SQLite each statement of a text takes its values from where the one before it ended, and what is missing at the
/// end is NULL. So one value too few or too many would store rows of others with what is not theirs, and nothing would
/// fail. In no text of ours is there another `?`.
fn has_a_value_for_each_place(write: &Write) -> Result<(), StoreError> {
    let (places, values) = (write.sql.matches('?').count(), write.places());
    if places == values {
        return Ok(());
    }
    let table = write.table;
    Err(StoreError::Database(format!("a write to {table} has {values} values for {places} places").into()))
}

/// The text with its arguments behind so many others. In no text of ours does anything else begin with `$`.
fn renumbered(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|sign: char| sign.is_ascii_digit());
        text.push('$');
        if let Ok(number) = part[..part.len() - rest.len()].parse::<usize>() {
            text.push_str(&(before + number).to_string());
        }
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(sql: &str) -> Write {
        Write {
            table: "t",
            expected: Some(1),
            decided: false,
            behind: false,
            sql: sql.to_owned(),
            sends: Sends::Values(Values(vec![1_i64.into()])),
        }
    }

    #[test]
    fn nothing_waits_before_it_is_said() {
        let together = Together::default();
        assert!(together.keep(write("a")).is_some());
        together.begin();
        assert!(together.keep(write("a")).is_none());
        assert_eq!(together.take().len(), 1);
        assert!(together.keep(write("b")).is_none(), "what comes after it waits as well");
        together.begin();
        assert_eq!(together.take().len(), 1, "to say it again drops nothing");
    }

    #[test]
    fn who_decided_on_a_row_that_was_written_since_tries_again() {
        assert!(write("a").touched(1).is_ok());
        assert!(matches!(
            write("a").touched(0),
            Err(StoreError::RowsAffected { expected: 1, actual: 0, .. })
        ));
        let decided = Write { decided: true, ..write("a") };
        assert!(matches!(decided.touched(0), Err(StoreError::Retry(_))));
        let any = Write { expected: None, ..write("a") };
        assert!(any.touched(0).is_ok() && any.touched(7).is_ok());
    }

    #[test]
    fn several_statements_are_one() {
        let all = [
            write("INSERT INTO a SELECT x FROM UNNEST($1::\"a\"[])"),
            write("UPDATE b SET x = v.x FROM UNNEST($1::\"b\"[]) AS v"),
        ];
        assert_eq!(
            as_one(DbBackend::Postgres, &all).expect("one"),
            "WITH w0 AS (INSERT INTO a SELECT x FROM UNNEST($1::\"a\"[]) RETURNING 1), \
             w1 AS (UPDATE b SET x = v.x FROM UNNEST($2::\"b\"[]) AS v RETURNING 1) \
             SELECT (SELECT COUNT(*) FROM w0), (SELECT COUNT(*) FROM w1)"
        );
        assert_eq!(parts(DbBackend::Postgres, all.into()).len(), 1);
    }

    #[test]
    fn each_has_its_own_arguments() {
        let two = Write {
            sends: Sends::Values(Values(vec![1_i64.into(), 2_i64.into()])),
            ..write("INSERT INTO c SELECT ($1::int8[])[1], a FROM UNNEST($1::int8[], $2::int8[]) AS v (a, b)")
        };
        let all = [write("DELETE FROM a WHERE x = $1"), two, write("DELETE FROM b WHERE x = $1")];
        assert_eq!(
            as_one(DbBackend::Postgres, &all).expect("one"),
            "WITH w0 AS (DELETE FROM a WHERE x = $1 RETURNING 1), \
             w1 AS (INSERT INTO c SELECT ($2::int8[])[1], a FROM UNNEST($2::int8[], $3::int8[]) AS v (a, b) RETURNING 1), \
             w2 AS (DELETE FROM b WHERE x = $4 RETURNING 1) \
             SELECT (SELECT COUNT(*) FROM w0), (SELECT COUNT(*) FROM w1), (SELECT COUNT(*) FROM w2)"
        );
        assert_eq!(renumbered("SELECT 1", 7), "SELECT 1");
        assert_eq!(renumbered("$1, $12, $", 3), "$4, $15, $");
    }

    #[test]
    fn what_is_to_see_the_others_goes_behind_them_on_postgres() {
        let all = || vec![write("a"), write("b"), Write { behind: true, ..write("c") }, write("d")];
        let sizes = |backend| parts(backend, all()).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(DbBackend::Postgres), [2, 1, 1]);
        assert_eq!(sizes(DbBackend::Sqlite), [4], "they are carried out in their order");
    }

    #[test]
    fn sqlite_gets_them_in_one_text_as_long_as_that_is_short() {
        let one = |places: usize| Write {
            sends: Sends::Values(Values(vec![Value::BigInt(None); places])),
            ..write("INSERT INTO a VALUES (?)")
        };
        assert_eq!(
            as_one(DbBackend::Sqlite, &[one(1), one(1)]).expect("one"),
            "INSERT INTO a VALUES (?); INSERT INTO a VALUES (?)"
        );
        for wrong in [[one(1), one(2)], [one(0), one(2)]] {
            let refused = as_one(DbBackend::Sqlite, &wrong);
            assert!(matches!(refused, Err(StoreError::Database(_))), "values of others: {refused:?}");
        }
        let sizes = |places: &[usize]| {
            let all = places.iter().map(|places| one(*places)).collect();
            parts(DbBackend::Sqlite, all).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[20, 30, 500]), [3]);
        assert_eq!(sizes(&[20, 5_000, 30, 40]), [1, 1, 2], "what is long goes alone, and in its order");
        assert_eq!(sizes(&[1_000, 24, 1]), [2, 1]);
    }
}
