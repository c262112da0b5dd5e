//! Writes that wait, and go to Postgres together: a group's whole plan in one trip there and back.
//!
//! They are one statement, a `WITH` of all of them. They see the rows as they were before it, so no two of them may
//! touch one row; a key that one adds is there for what refers to it, for that is asked at the statement's end.
//! SQLite is in the process, so there a statement costs no trip, and none waits.

use std::sync::{Mutex, PoisonError};

use sea_orm::Values;

use crate::{StoreError, rowtype::Rows};

/// So many bytes of rows wait, and then they are sent: while they are, each is in memory three times, and all of them
/// are waited for as one statement is. What nearly every group writes is far less.
const MOST_WAITING: usize = 4 << 20;

/// A statement that touches as many rows as it says, or fails.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) table: &'static str,
    pub(crate) expected: u64,
    /// Whether its rows are found at the version that they were decided on: where they are fewer, one of them was
    /// written since, and whoever decided tries again.
    pub(crate) decided: bool,
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
    /// How many bytes of rows wait with it.
    fn bytes(&self) -> usize {
        match &self.sends {
            Sends::Rows(rows) => rows.bytes(),
            Sends::Values(_) => 0,
        }
    }

    /// That it touched so many rows.
    pub(crate) fn touched(&self, actual: u64) -> Result<(), StoreError> {
        let Self { table, expected, .. } = *self;
        match actual == expected {
            true => Ok(()),
            false if self.decided => {
                Err(StoreError::Retry(format!("{table}: a row was written since it was read").into()))
            }
            false => Err(StoreError::RowsAffected { table, expected, actual }),
        }
    }
}

/// What waits; none where nothing is to wait.
#[derive(Debug, Default)]
pub(crate) struct Together(Mutex<Option<Vec<Write>>>);

impl Together {
    /// From now on writes wait.
    pub(crate) fn begin(&self) {
        self.lock().get_or_insert_default();
    }

    /// Keeps a write, if writes wait; else gives it back.
    pub(crate) fn keep(&self, write: Write) -> Option<Write> {
        match &mut *self.lock() {
            Some(waiting) => {
                waiting.push(write);
                None
            }
            None => Some(write),
        }
    }

    /// Whether so much waits that it is to be sent before there is more.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.lock();
        waiting.iter().flatten().map(Write::bytes).sum::<usize>() >= MOST_WAITING
    }

    /// Takes what waits. What comes after it waits as well.
    pub(crate) fn take(&self) -> Vec<Write> {
        self.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Write>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits, in parts that go together, in the order in which it came: rows do, and values go alone, for Postgres
/// binds them to one statement.
pub(crate) fn parts(writes: Vec<Write>) -> Vec<Vec<Write>> {
    let mut parts: Vec<Vec<Write>> = Vec::new();
    let rows = |write: &Write| matches!(write.sends, Sends::Rows(_));
    for write in writes {
        match parts.last_mut() {
            Some(part) if rows(&write) && part.iter().all(rows) => part.push(write),
            _ => parts.push(vec![write]),
        }
    }
    parts
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

/// The statements as one of Postgres, whose one row has how many rows each of them touched.
pub(crate) fn as_one(writes: &[Write]) -> String {
    let parts = writes.iter().enumerate().map(|(at, write)| {
        let sql = write.sql.replacen("$1::", &format!("${}::", at + 1), 1);
        format!("w{at} AS ({sql} RETURNING 1)")
    });
    let counts = (0..writes.len()).map(|at| format!("(SELECT COUNT(*) FROM w{at})"));
    format!("WITH {} SELECT {}", parts.collect::<Vec<_>>().join(", "), counts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(sql: &str) -> Write {
        Write {
            table: "t",
            expected: 1,
            decided: false,
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
    }

    #[test]
    fn several_statements_are_one() {
        let all = [
            write("INSERT INTO a SELECT x FROM UNNEST($1::\"a\"[])"),
            write("UPDATE b SET x = v.x FROM UNNEST($1::\"b\"[]) AS v"),
        ];
        assert_eq!(
            as_one(&all),
            "WITH w0 AS (INSERT INTO a SELECT x FROM UNNEST($1::\"a\"[]) RETURNING 1), \
             w1 AS (UPDATE b SET x = v.x FROM UNNEST($2::\"b\"[]) AS v RETURNING 1) \
             SELECT (SELECT COUNT(*) FROM w0), (SELECT COUNT(*) FROM w1)"
        );
        assert_eq!(parts(all.into()).len(), 2, "values go alone");
    }
}
