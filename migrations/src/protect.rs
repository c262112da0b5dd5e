//! Triggers that refuse to change or delete rows, on both stores and for everybody.
//!
//! On Postgres they are ENABLE ALWAYS, so that `session_replication_role` does not switch them off, and TRUNCATE is
//! refused too. On SQLite, `INSERT OR REPLACE` evades a delete trigger unless the connection says
//! `recursive_triggers=ON`, as every connection of ours does. Whoever owns the database can drop a trigger; the hash
//! chain and the logs show that.

use crate::dialect::Dialect;

/// The trigger functions of Postgres by name, with their bodies, as the catalogue has them: for who looks whether they
/// are what they were.
#[must_use]
pub fn trigger_functions() -> [(&'static str, String); 2] {
    let refused =
        "RAISE EXCEPTION 'append-only: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = '23001'; END";
    let (old, new) = (erased("OLD"), erased("NEW"));
    [
        ("refuse_append_only", format!("BEGIN {refused}")),
        (
            "refuse_but_erased",
            format!(
                "BEGIN IF TG_OP = 'DELETE' THEN IF {old} THEN RETURN OLD; END IF; \
                 ELSIF TG_OP = 'INSERT' AND NOT {new} THEN RETURN NEW; END IF; {refused}"
            ),
        ),
    ]
}

/// Makes the trigger functions of Postgres, once. SQLite's triggers say it themselves, and name tables of their own
/// file alone. A function looks for tables and operators along the caller's path, and among temporary ones first,
/// unless it has a path of its own.
pub(crate) fn refusal(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => vec![],
        Dialect::Postgres => trigger_functions()
            .into_iter()
            .map(|(name, body)| {
                format!(
                    "DO $do$ BEGIN EXECUTE format($made$ CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql \
                     SET search_path = pg_catalog, %I, pg_temp AS $$ {} $$ $made$, current_schema()); END $do$",
                    body.replace('%', "%%")
                )
            })
            .collect(),
    }
}

/// A row is never changed and never deleted.
pub(crate) fn append_only(dialect: Dialect, table: &str) -> Vec<String> {
    [refuse(dialect, table, "UPDATE", None), kept(dialect, table)].concat()
}

/// A row may change, but is never deleted.
pub(crate) fn kept(dialect: Dialect, table: &str) -> Vec<String> {
    [refuse(dialect, table, "DELETE", None), truncate(dialect, table)].concat()
}

/// A row is never deleted, and a change of which `refused` holds (of OLD and NEW) is refused.
pub(crate) fn kept_unless(dialect: Dialect, table: &str, refused: &str) -> Vec<String> {
    [refuse(dialect, table, "UPDATE", Some(refused)), kept(dialect, table)].concat()
}

/// That any of `columns` changes.
pub(crate) fn changes(columns: &[&str]) -> String {
    let each = columns.iter().map(|column| format!("NEW.{column} IS DISTINCT FROM OLD.{column}"));
    format!("({})", each.collect::<Vec<_>>().join(" OR "))
}

/// Rows of runs: never changed; deleted where the run log says that the run was erased, and only there; and none is
/// added then.
pub(crate) fn erasable(dialect: Dialect, table: &str) -> Vec<String> {
    let own = match dialect {
        Dialect::Sqlite => [
            refuse(dialect, table, "DELETE", Some(&format!("NOT {}", erased("OLD")))),
            refuse(dialect, table, "INSERT", Some(&erased("NEW"))),
        ]
        .concat(),
        // A condition of a trigger takes no query there.
        Dialect::Postgres => ["delete", "insert"]
            .into_iter()
            .flat_map(|operation| {
                [
                    format!(
                        "CREATE TRIGGER {table}_no_{operation} BEFORE {} ON {table} FOR EACH ROW \
                         EXECUTE FUNCTION refuse_but_erased()",
                        operation.to_uppercase()
                    ),
                    format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{operation}"),
                ]
            })
            .collect(),
    };
    [refuse(dialect, table, "UPDATE", None), own, truncate(dialect, table)].concat()
}

/// That the run of a row was erased. Said so that the index serves in which no addendum is: of those a run may have
/// many.
fn erased(row: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM run_log WHERE run_log.tenant_id = {row}.tenant_id AND run_log.run_id = {row}.run_id \
         AND run_log.leaf_type = 'ERASED' AND run_log.leaf_type <> 'ADDENDUM')"
    )
}

fn refuse(dialect: Dialect, table: &str, operation: &str, when: Option<&str>) -> Vec<String> {
    refuse_as(dialect, &format!("{table}_no_{}", operation.to_lowercase()), table, operation, when)
}

/// A change of which `refused` holds is refused as well: for columns with a rule of their own, or that come later.
pub(crate) fn kept_too(dialect: Dialect, table: &str, columns: &str, refused: &str) -> Vec<String> {
    refuse_as(dialect, &format!("{table}_{columns}_no_update"), table, "UPDATE", Some(refused))
}

fn refuse_as(dialect: Dialect, name: &str, table: &str, operation: &str, when: Option<&str>) -> Vec<String> {
    let when = when.map_or_else(String::new, |condition| format!(" WHEN ({condition})"));
    match dialect {
        Dialect::Sqlite => vec![format!(
            "CREATE TRIGGER {name} BEFORE {operation} ON {table}{when} BEGIN \
             SELECT RAISE(ABORT, 'append-only: {operation} of {table} is refused'); END"
        )],
        Dialect::Postgres => vec![
            format!(
                "CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW{when} \
                 EXECUTE FUNCTION refuse_append_only()"
            ),
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"),
        ],
    }
}

fn truncate(dialect: Dialect, table: &str) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => vec![],
        Dialect::Postgres => vec![
            format!(
                "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT \
                 EXECUTE FUNCTION refuse_append_only()"
            ),
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate"),
        ],
    }
}
