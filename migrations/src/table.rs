//! Tables and indexes, written once for both stores.
//!
//! A table's body has a line for each column, `name kind`, then lines of constraints, each beginning with a
//! capital and taken as they are. Kinds: `id hash bytes text bool count int time word(A,B,..)`; a `?` after
//! it allows NULL; `= <expression>` makes the column a stored, generated one. Nothing has a default: who
//! inserts says everything.

use std::fmt::Write as _;

use crate::dialect::{Dialect, Kind};

/// A column as its line says it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column<'a> {
    name: &'a str,
    kind: Kind,
    nullable: bool,
    generated: Option<&'a str>,
}

/// The columns and the constraints of a body.
fn parse(body: &str) -> (Vec<Column<'_>>, Vec<&str>) {
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
    let (constraints, columns): (Vec<_>, Vec<_>) =
        lines.partition(|line| line.starts_with(char::is_uppercase));
    (columns.into_iter().map(column).collect(), constraints)
}

fn column(line: &str) -> Column<'_> {
    let (name, rest) = line.split_once(' ').unwrap_or_else(|| panic!("column `{line}` has no kind"));
    let (kind, generated) = match rest.split_once(" = ") {
        Some((kind, expression)) => (kind.trim(), Some(expression.trim())),
        None => (rest.trim(), None),
    };
    let (kind, words) = match kind.split_once('(') {
        Some((kind, words)) => (kind, words.strip_suffix(')')),
        None => (kind, None),
    };
    let nullable = kind.ends_with('?');
    let kind = match (kind.trim_end_matches('?'), words) {
        ("id", None) => Kind::Id,
        ("hash", None) => Kind::Hash,
        ("bytes", None) => Kind::Bytes,
        ("text", None) => Kind::Text,
        ("bool", None) => Kind::Bool,
        ("count", None) => Kind::Count,
        ("int", None) => Kind::Int,
        ("time", None) => Kind::Time,
        ("word", Some(words)) => Kind::Word(words.split(',').map(|word| word.trim().to_owned()).collect()),
        _ => panic!("column `{line}` has no known kind"),
    };
    Column { name, kind, nullable, generated }
}

/// The names of a body's columns that can be written, but for `except`.
pub(crate) fn columns_but<'a>(body: &'a str, except: &[&str]) -> Vec<&'a str> {
    let (columns, _) = parse(body);
    for name in except {
        assert!(columns.iter().any(|column| column.name == *name), "no column `{name}`");
    }
    let written = columns.iter().filter(|column| column.generated.is_none());
    written.map(|column| column.name).filter(|name| !except.contains(name)).collect()
}

/// `CREATE TABLE`.
pub(crate) fn create(dialect: Dialect, table: &str, body: &str) -> String {
    create_with(dialect, table, body, None)
}

/// `CREATE TABLE` of rows that are updated again and again: on Postgres, pages keep room for them.
pub(crate) fn create_busy(dialect: Dialect, table: &str, body: &str, fillfactor: u8) -> String {
    create_with(dialect, table, body, Some(fillfactor))
}

/// The same of small rows that are looked for by their primary key: on SQLite they stand in the tree of that key, where
/// others have a tree of rows and one of keys. Not for rows that may be longer than a fifth of a page: each of those
/// would have pages of its own. Who makes such a table anew by [`rebuild`] has to say this again.
pub(crate) fn by_key(dialect: Dialect, create: String) -> String {
    match dialect {
        Dialect::Sqlite => create + ", WITHOUT ROWID",
        Dialect::Postgres => create,
    }
}

fn create_with(dialect: Dialect, table: &str, body: &str, fillfactor: Option<u8>) -> String {
    let (columns, constraints) = parse(body);
    let mut parts: Vec<String> = columns.iter().map(|column| definition(dialect, table, column)).collect();
    parts.extend(constraints.iter().map(|constraint| (*constraint).to_owned()));
    let tail = match (dialect, fillfactor) {
        (Dialect::Sqlite, _) => " STRICT".to_owned(),
        (Dialect::Postgres, Some(percent)) => format!(" WITH (fillfactor = {percent})"),
        (Dialect::Postgres, None) => String::new(),
    };
    format!("CREATE TABLE {table} (\n    {}\n){tail}", parts.join(",\n    "))
}

fn definition(dialect: Dialect, table: &str, column: &Column<'_>) -> String {
    let Column { name, kind, nullable, generated } = column;
    let mut text = format!("{name} {}", dialect.sql_type(kind));
    if !nullable {
        text.push_str(" NOT NULL");
    }
    if let Some(expression) = generated {
        let _ = write!(text, " GENERATED ALWAYS AS ({expression}) STORED");
    }
    if let Some(check) = dialect.check(name, kind) {
        let _ = write!(text, " CONSTRAINT {table}_{name}_check CHECK ({check})");
    }
    text
}

/// Makes a table of SQLite anew, with its rows, so that its columns and constraints may change. Columns that are `new`
/// begin as NULL. Indexes and triggers go with the old table: the caller makes them again.
#[cfg_attr(not(test), expect(dead_code, reason = "no change after the baseline has needed it yet"))]
pub(crate) fn rebuild(table: &str, body: &str, new: &[&str]) -> Vec<String> {
    let columns = columns_but(body, new).join(", ");
    let made = create(Dialect::Sqlite, table, body);
    vec![
        made.replacen(&format!("CREATE TABLE {table} ("), &format!("CREATE TABLE {table}_rebuilt ("), 1),
        format!("INSERT INTO {table}_rebuilt ({columns}) SELECT {columns} FROM {table}"),
        format!("DROP TABLE {table}"),
        format!("ALTER TABLE {table}_rebuilt RENAME TO {table}"),
    ]
}

/// `CREATE INDEX`; `on` is `table (columns)` with whatever follows.
pub(crate) fn index(name: &str, on: &str) -> String {
    format!("CREATE INDEX {name} ON {on}")
}

/// `CREATE UNIQUE INDEX`, likewise.
pub(crate) fn unique(name: &str, on: &str) -> String {
    format!("CREATE UNIQUE INDEX {name} ON {on}")
}

/// The indexes of a list that is newest first: one for each filter, then for the list without one.
///
/// An index is `(tenant_id, filter, at, id)`, so a page of a filtered list is a range of it, however long
/// the table is.
pub(crate) fn list_indexes(table: &str, at: &str, filters: &[&str]) -> Vec<String> {
    let filtered = filters.iter().map(|filter| {
        index(&format!("{table}_by_{filter}"), &format!("{table} (tenant_id, {filter}, {at}, id)"))
    });
    filtered.chain([index(&format!("{table}_by_{at}"), &format!("{table} (tenant_id, {at}, id)"))]).collect()
}

#[cfg(test)]
mod tests {
    use testkit::{Store, TestDatabase};

    use super::*;

    const BODY: &str = r"
        id      id
        hash    hash?
        state   word(A, B)
        count   count
        bad     bool = state = 'B' OR count > 0
        PRIMARY KEY (id)
    ";

    #[test]
    fn a_body_becomes_a_table_on_each_store() {
        assert_eq!(
            create_busy(Dialect::Postgres, "t", BODY, 80),
            "CREATE TABLE t (\n    id uuid NOT NULL,\n    hash bytea CONSTRAINT t_hash_check CHECK (length(hash) = 32),\n    \
             state text NOT NULL CONSTRAINT t_state_check CHECK (state IN ('A', 'B')),\n    \
             count bigint NOT NULL CONSTRAINT t_count_check CHECK (count >= 0),\n    \
             bad boolean NOT NULL GENERATED ALWAYS AS (state = 'B' OR count > 0) STORED,\n    \
             PRIMARY KEY (id)\n) WITH (fillfactor = 80)"
        );
        let sqlite = create(Dialect::Sqlite, "t", BODY);
        assert!(
            sqlite.contains("id BLOB NOT NULL CONSTRAINT t_id_check CHECK (length(id) = 16)"),
            "{sqlite}"
        );
        assert!(sqlite.ends_with(") STRICT"), "{sqlite}");
        assert!(by_key(Dialect::Sqlite, sqlite).ends_with(") STRICT, WITHOUT ROWID"));
        let postgres = create(Dialect::Postgres, "t", BODY);
        assert_eq!(by_key(Dialect::Postgres, postgres.clone()), postgres);
    }

    #[test]
    fn written_columns_are_all_but_the_generated_and_the_excepted() {
        assert_eq!(columns_but(BODY, &["hash"]), ["id", "state", "count"]);
    }

    /// How a vocabulary gets a word on SQLite, which changes no constraint.
    #[tokio::test]
    async fn a_rebuilt_table_has_its_rows_and_the_new_body() {
        let db = TestDatabase::empty(Store::Sqlite).await.expect("SQLite is always there");
        db.tamper(&create(Dialect::Sqlite, "t", BODY)).await.expect("the table");
        let row = |id: u8, state: &str| {
            format!("INSERT INTO t (id, state, count) VALUES (X'{id:032x}', '{state}', 1)")
        };
        db.tamper(&row(1, "A")).await.expect("a row");
        db.tamper(&row(2, "C")).await.expect_err("no such word yet");
        let body = BODY.replace("word(A, B)", "word(A, B, C)\n        note    text?");
        for statement in rebuild("t", &body, &["note"]) {
            db.tamper(&statement).await.unwrap_or_else(|err| panic!("{statement}: {err}"));
        }
        db.tamper(&row(2, "C")).await.expect("the new word");
        assert_eq!(db.number("SELECT count(*) FROM t WHERE note IS NULL AND bad").await, 2);
        assert_eq!(db.number("SELECT count(*) FROM sqlite_master WHERE name = 't_rebuilt'").await, 0);
    }

    #[test]
    #[should_panic(expected = "no column `gone`")]
    fn an_exception_must_exist() {
        columns_but(BODY, &["gone"]);
    }
}
