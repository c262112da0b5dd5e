//! A row of any table, made from the table's own definition, so that no table can be forgotten.

use migrations::{Change, Dialect, HISTORY};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use testkit::Store;

use crate::catalogue::texts;

/// A table as it was created.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: Vec<String>,
}

/// A column as it was created. Generated ones are left out: nobody writes them.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As Postgres calls it, on both stores.
    pub(crate) sql_type: String,
    pub(crate) nullable: bool,
    /// Its vocabulary, if it has one.
    pub(crate) words: Vec<String>,
    /// 32 bytes exactly.
    pub(crate) is_hash: bool,
}

/// Every table, in the order in which rows can be inserted.
pub(crate) fn tables() -> Vec<Table> {
    tables_after(HISTORY)
}

/// Every table that there is after the first changes of the history: whoever tests what a change makes of rows that are
/// there fills these.
pub(crate) fn tables_after(changes: &[Change]) -> Vec<Table> {
    let statements = changes.iter().flat_map(|change| change.statements(Dialect::Postgres));
    let mut tables: Vec<Table> = Vec::new();
    for statement in statements {
        tables.extend(table(&statement));
        if let Some((name, change)) = altered(&statement)
            && let Some(table) = tables.iter_mut().find(|table| table.name == name)
        {
            change(table);
        }
    }
    tables
}

type Alteration<'s> = Box<dyn FnOnce(&mut Table) + 's>;

/// What a later change does to a table: a column more, or less, or under another name, or another vocabulary.
fn altered(statement: &str) -> Option<(&str, Alteration<'_>)> {
    let (name, change) = statement.strip_prefix("ALTER TABLE ")?.split_once(' ')?;
    if let Some(line) = change.strip_prefix("ADD COLUMN ") {
        return Some((name, Box::new(move |table| table.columns.push(column(line)))));
    }
    if let Some(gone) = change.strip_prefix("DROP COLUMN ") {
        return Some((name, Box::new(move |table| table.columns.retain(|column| column.name != gone))));
    }
    if let Some((was, is)) = change.strip_prefix("RENAME COLUMN ").and_then(|names| names.split_once(" TO "))
    {
        let rename = move |table: &mut Table| {
            table
                .columns
                .iter_mut()
                .filter(|column| column.name == was)
                .for_each(|column| is.clone_into(&mut column.name));
        };
        return Some((name, Box::new(rename)));
    }
    let (_, check) = change.strip_prefix("ADD CONSTRAINT ")?.split_once(" CHECK (")?;
    let (of, list) = check.trim_end_matches(')').split_once(" IN (")?;
    let words = words(list);
    Some((
        name,
        Box::new(move |table| {
            let column = table.columns.iter_mut().find(|column| column.name == of);
            column.unwrap_or_else(|| panic!("no column {of}")).words = words;
        }),
    ))
}

fn words(list: &str) -> Vec<String> {
    list.split(", ").map(|word| word.trim_matches('\'').to_owned()).filter(|word| !word.is_empty()).collect()
}

/// The table of this name.
pub(crate) fn table_named(name: &str) -> Table {
    tables().into_iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no table {name}"))
}

fn table(statement: &str) -> Option<Table> {
    let (head, body) = statement.strip_prefix("CREATE TABLE ")?.split_once(" (\n")?;
    let lines: Vec<&str> = body.lines().map(|line| line.trim().trim_end_matches(',')).collect();
    let key =
        lines.iter().find_map(|line| line.strip_prefix("PRIMARY KEY (")).expect("every table has a key");
    let primary_key = key.trim_end_matches(')').split(", ").map(str::to_owned).collect();
    let columns =
        lines.iter().filter(|line| line.starts_with(char::is_lowercase) && !line.contains(" GENERATED "));
    Some(Table { name: head.to_owned(), columns: columns.map(|line| column(line)).collect(), primary_key })
}

fn column(line: &str) -> Column {
    let mut words = line.split(' ');
    let mut next = || words.next().expect("a column has a name and a type").to_owned();
    let (name, sql_type) = (next(), next());
    let vocabulary = line.split_once(" IN (").map_or("", |(_, list)| list.trim_end_matches(')'));
    Column {
        name,
        sql_type,
        nullable: !line.contains(" NOT NULL"),
        words: self::words(vocabulary),
        is_hash: line.ends_with(") = 32)"),
    }
}

impl Column {
    /// A value that the column takes, in SQL. Different for a different `n`, if the column can.
    pub(crate) fn value(&self, store: Store, n: usize) -> String {
        let digit = char::from(b'0' + u8::try_from(n % 10).expect("one digit"));
        let blob = |hex: String| match store {
            Store::Sqlite => format!("X'{hex}'"),
            Store::Postgres => format!("'\\x{hex}'"),
        };
        match (self.sql_type.as_str(), store) {
            ("uuid", Store::Postgres) => format!("'0190000000007000800000000000000{digit}'"),
            ("uuid", Store::Sqlite) => format!("X'0190000000007000800000000000000{digit}'"),
            ("bytea", _) => blob(digit.to_string().repeat(64)),
            ("boolean", Store::Postgres) => (n % 2 == 1).to_string(),
            ("boolean", Store::Sqlite) => (n % 2).to_string(),
            ("bigint", _) => (n + 1).to_string(),
            ("timestamptz", _) => format!("'2026-01-01T00:00:00.00000{digit}+00:00'"),
            ("text", _) if self.words.is_empty() => format!("'x{digit}'"),
            ("text", _) => format!("'{}'", self.words[n % self.words.len()]),
            (other, _) => panic!("no value for a {other}"),
        }
    }
}

/// What a row needs beyond values of the right type, for the constraints between columns.
fn needed(table: &str) -> &'static [&'static str] {
    match table {
        "runs" => &["actor_id"],
        "prevention_records" => &["policy_id"],
        "incidents" => &["source_run_id"],
        "jobs" => &["due_at"],
        _ => &[],
    }
}

/// `INSERT INTO` with every column said; what `given` does not say is the first value, or NULL if it may be.
pub(crate) fn insert(store: Store, table: &Table, given: &[(&str, &str)]) -> String {
    let value = |column: &Column| match given.iter().find(|(name, _)| *name == column.name) {
        Some((_, value)) => (*value).to_owned(),
        None if column.nullable && !needed(&table.name).contains(&column.name.as_str()) => "NULL".to_owned(),
        None => column.value(store, 0),
    };
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let values: Vec<String> = table.columns.iter().map(value).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), values.join(", "))
}

/// A row in every table, which all refer to each other.
pub(crate) async fn fill(connection: &DatabaseConnection, store: Store) {
    for table in tables() {
        run(connection, &insert(store, &table, &[])).await;
    }
}

/// Every row of a table, as text.
pub(crate) async fn content(connection: &DatabaseConnection, store: Store, table: &Table) -> Vec<String> {
    let query = match store {
        Store::Postgres => format!("SELECT t::text FROM {} t ORDER BY 1", table.name),
        Store::Sqlite => {
            let columns: Vec<String> =
                table.columns.iter().map(|column| format!("quote({})", column.name)).collect();
            format!("SELECT {} FROM {} ORDER BY 1", columns.join(" || '|' || "), table.name)
        }
    };
    texts(connection, &query).await
}

pub(crate) async fn run(connection: &DatabaseConnection, statement: &str) {
    connection.execute_unprepared(statement).await.unwrap_or_else(|err| panic!("{statement}: {err}"));
}

/// Asserts that the store refuses a statement, and that its reason holds `why`.
pub(crate) async fn refused(connection: &DatabaseConnection, statement: &str, why: &str) {
    let refusal: Result<_, DbErr> = connection.execute_unprepared(statement).await;
    match refusal {
        Ok(_) => panic!("not refused: {statement}"),
        Err(err) => {
            assert!(err.to_string().contains(why), "{statement}\nwas refused with: {err}\nnot: {why}");
        }
    }
}
