//! A store that is put back in place, under whoever uses it: it stays the same file, or the same database on the same
//! connections, and has the rows that it had.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};

use crate::databases::{Store, TestDatabase};

/// How each trigger is switched off, and on as it was: those that keep rows as they are fire for everybody.
const TRIGGERS_OF_POSTGRES: &str = "SELECT
         format('ALTER TABLE public.%I DISABLE TRIGGER %I;', c.relname, t.tgname) AS off,
         format('ALTER TABLE public.%I ENABLE %s TRIGGER %I;', c.relname,
                CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END, t.tgname) AS \"on\"
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace";

const TRIGGERS_OF_SQLITE: &str = "SELECT 'DROP TRIGGER ' || name || ';' AS off, sql || ';' AS \"on\" FROM sqlite_master WHERE type = 'trigger'";

impl TestDatabase {
    /// Keeps what is stored now, for [`Self::put_back`]; what was kept before is forgotten.
    ///
    /// # Panics
    /// Where the store refuses.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn keep(&self) {
        let connection = self.connection().await;
        let sql = match self.store() {
            Store::Sqlite => {
                let path = self.kept_file();
                if std::path::Path::new(&path).exists() {
                    std::fs::remove_file(&path).expect("the older one goes");
                }
                format!("VACUUM INTO '{path}'")
            }
            Store::Postgres => {
                let tables = self.tables(&connection).await;
                let copy = |table: &String| format!("CREATE TABLE kept.{table} AS TABLE public.{table};");
                let copies = tables.iter().map(copy).collect::<Vec<_>>().concat();
                format!("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept; {copies}")
            }
        };
        connection.execute_unprepared(&sql).await.expect("it is kept");
    }

    /// Puts back what was kept, in one transaction, past all that keeps rows as they are. On Postgres a superuser may.
    ///
    /// # Panics
    /// Where the store refuses.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn put_back(&self) {
        let connection = self.connection().await;
        let mut rows = Vec::new();
        for table in self.tables(&connection).await {
            rows.push(self.put_back_table(&connection, &table).await);
        }
        let rows = rows.concat();
        let sql = match self.store() {
            // Whoever writes meanwhile waits for a second and gives up, before this is told of a deadlock.
            Store::Postgres => {
                let triggers = ask(&connection, TRIGGERS_OF_POSTGRES.to_owned()).await;
                let [off, on] = ["off", "on"].map(|column| texts(&triggers, column).concat());
                format!(
                    "BEGIN; SET LOCAL deadlock_timeout = '30s'; SET LOCAL session_replication_role = replica;
                     {off} {rows} {on} COMMIT"
                )
            }
            Store::Sqlite => {
                let triggers = ask(&connection, TRIGGERS_OF_SQLITE.to_owned()).await;
                let [off, on] = ["off", "on"].map(|column| texts(&triggers, column).concat());
                let kept = self.kept_file();
                format!(
                    "PRAGMA foreign_keys = OFF; ATTACH '{kept}' AS kept;
                     BEGIN IMMEDIATE; {off} {rows} {on} COMMIT; DETACH kept"
                )
            }
        };
        connection.execute_unprepared(&sql).await.expect("it is put back");
    }

    async fn put_back_table(&self, connection: &DatabaseConnection, table: &str) -> String {
        let (there, columns) = match self.store() {
            Store::Sqlite => ("main", format!("SELECT name FROM pragma_table_info('{table}')")),
            Store::Postgres => (
                "public",
                format!(
                    "SELECT column_name::text AS name FROM information_schema.columns
                     WHERE table_schema = 'public' AND table_name = '{table}' AND is_generated = 'NEVER'"
                ),
            ),
        };
        let columns = texts(&ask(connection, columns).await, "name");
        let columns: Vec<_> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let columns = columns.join(", ");
        format!(
            "DELETE FROM {there}.{table};
             INSERT INTO {there}.{table} ({columns}) SELECT {columns} FROM kept.{table};"
        )
    }

    /// Beside the file of the store itself.
    fn kept_file(&self) -> String {
        let path = self.url().trim_start_matches("sqlite://");
        format!("{}.kept", path.split('?').next().unwrap_or(path))
    }
}

async fn ask(connection: &DatabaseConnection, sql: String) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.expect("the store answers")
}

fn texts(rows: &[QueryResult], column: &str) -> Vec<String> {
    rows.iter().map(|row| row.try_get("", column).expect("a text")).collect()
}
