//! Looking at what our guarantees rest on: the triggers that refuse changes, and how durable a commit is.

mod condition;

use std::collections::BTreeMap;

use migrations::{Dialect, HISTORY, trigger_functions};
use sea_orm::{DbBackend, Statement};

use crate::{Db, StoreError, conn::Conn, tally::value};

/// What an inspection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How many triggers the schema has.
    pub triggers: usize,
    /// What is not as it must be; empty is good.
    pub faults: Vec<String>,
}

impl Db {
    /// Looks at a store that is up to date. Whoever owns a database can change all of this, and change it back: what
    /// shows that is the logs and their checkpoints.
    pub async fn inspect(&self) -> Result<Inspection, StoreError> {
        let store = self.read().await?;
        let conn = &store.conn;
        let (dialect, there, mut faults) = match conn.backend() {
            DbBackend::Postgres => {
                (Dialect::Postgres, triggers_of_postgres(conn).await?, settings_of_postgres(conn).await?)
            }
            _ => (Dialect::Sqlite, triggers_of_sqlite(conn).await?, settings_of_sqlite(conn).await?),
        };
        let owed = owed(dialect);
        for (name, made) in &owed {
            match there.get(name) {
                None => faults.push(format!("the trigger {name} is missing")),
                Some(Trigger::Off) => faults.push(format!("the trigger {name} is switched off")),
                Some(Trigger::Says(says)) if *says != said(dialect, made) => {
                    faults.push(format!("the trigger {name} was changed"));
                }
                Some(Trigger::Says(_)) => {}
            }
        }
        Ok(Inspection { triggers: owed.len(), faults })
    }
}

/// A trigger of the database as it is.
enum Trigger {
    Off,
    Says(String),
}

/// The triggers that the whole history leaves behind, each with the statement that made it.
fn owed(dialect: Dialect) -> BTreeMap<String, String> {
    let mut owed = BTreeMap::new();
    for statement in HISTORY.iter().flat_map(|change| change.statements(dialect)) {
        let name = |rest: &str| rest.split_whitespace().next().unwrap_or_default().to_owned();
        if let Some(rest) = statement.strip_prefix("CREATE TRIGGER ") {
            owed.insert(name(rest), statement);
        } else if let Some(rest) = statement.strip_prefix("DROP TRIGGER ") {
            owed.remove(&name(rest));
        }
    }
    owed
}

async fn triggers_of_sqlite(conn: &Conn) -> Result<BTreeMap<String, Trigger>, StoreError> {
    let query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
    let rows = conn.rows(Statement::from_string(DbBackend::Sqlite, query)).await?;
    rows.iter()
        .map(|row| Ok((value("sqlite_master", row, 0)?, Trigger::Says(value("sqlite_master", row, 1)?))))
        .collect()
}

/// What the store says of a trigger that this statement made. SQLite has the statement itself. Of Postgres it is asked
/// when the trigger fires, under which condition, and what it calls: that is a function with its body and its path.
fn said(dialect: Dialect, made: &str) -> String {
    if dialect == Dialect::Sqlite {
        return made.to_owned();
    }
    let after = |word: &str| made.split_once(word).map_or("", |(_, rest)| rest);
    let word = |rest: &str| rest.split([' ', '(']).next().unwrap_or_default().to_owned();
    let (function, event) = (word(after(" EXECUTE FUNCTION ")), word(after(" BEFORE ")));
    let level = word(after(" FOR EACH "));
    let table = word(after(" ON "));
    let functions = trigger_functions();
    let body = functions.iter().find(|(name, _)| *name == function).map_or("", |(_, body)| body.as_str());
    format!("{event} of each {level} of {table} when {}: {function}, {body}", condition_of(made))
}

/// The condition in a statement that makes a trigger on Postgres.
fn condition_of(made: &str) -> String {
    let rest = made.split_once(" WHEN (").map_or("", |(_, rest)| rest);
    let condition = rest.rsplit_once(") EXECUTE FUNCTION ").map_or(rest, |(condition, _)| condition);
    condition::in_one_form(condition)
}

/// On Postgres a trigger must be ENABLE ALWAYS, and its function must be in the schema of its table, and look for
/// tables there.
async fn triggers_of_postgres(conn: &Conn) -> Result<BTreeMap<String, Trigger>, StoreError> {
    let query = "SELECT t.tgname::text, t.tgenabled = 'A', \
                 concat(CASE t.tgtype & ~1 WHEN 6 THEN 'INSERT' WHEN 10 THEN 'DELETE' WHEN 18 THEN 'UPDATE' \
                 WHEN 34 THEN 'TRUNCATE' ELSE t.tgtype::text END, ' of each ', \
                 CASE t.tgtype & 1 WHEN 1 THEN 'ROW' ELSE 'STATEMENT' END, ' of ', c.relname, \
                 CASE WHEN t.tgattr::text = '' THEN '' ELSE ' where columns change' END), \
                 CASE WHEN t.tgqual IS NULL THEN '' ELSE pg_get_triggerdef(t.oid) END, \
                 concat(p.proname, ', ', btrim(p.prosrc), \
                 CASE WHEN p.pronamespace = c.relnamespace AND p.proconfig = \
                 ARRAY[format('search_path=pg_catalog, %I, pg_temp', current_schema())] THEN '' ELSE ' elsewhere' END) \
                 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid \
                 WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace";
    let rows = conn.rows(Statement::from_string(DbBackend::Postgres, query)).await?;
    rows.iter()
        .map(|row| {
            let text = |column| value::<String>("pg_trigger", row, column);
            let is_on: bool = value("pg_trigger", row, 1)?;
            let says = format!("{} when {}: {}", text(2)?, condition_of(&text(3)?), text(4)?);
            Ok((text(0)?, if is_on { Trigger::Says(says) } else { Trigger::Off }))
        })
        .collect()
}

async fn settings_of_sqlite(conn: &Conn) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    for (pragma, due) in [("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1)] {
        let rows = conn.rows(Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"))).await?;
        let is: Option<i64> = rows.first().map(|row| value("PRAGMA", row, 0)).transpose()?;
        if is != Some(due) {
            faults.push(format!("PRAGMA {pragma} is {}, and must be {due}", is.unwrap_or(-1)));
        }
    }
    Ok(faults)
}

/// That `fsync` is on was asked when the store was opened.
async fn settings_of_postgres(conn: &Conn) -> Result<Vec<String>, StoreError> {
    let query = "SELECT current_setting('synchronous_commit')";
    let rows = conn.rows(Statement::from_string(DbBackend::Postgres, query)).await?;
    let is: Option<String> = rows.first().map(|row| value("pg_settings", row, 0)).transpose()?;
    let fault = |is: String| format!("synchronous_commit is {is}, and must be on");
    Ok(is.filter(|is| is != "on").map(fault).into_iter().collect())
}
