//! A migration: its name, and the statements that it is on each store.

use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager,
    sea_orm::{ConnectionTrait as _, DbBackend, DbErr},
};

use crate::dialect::Dialect;

/// One change of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Its name, date first, by which the store remembers it: that of its file.
    pub name: &'static str,
    pub(crate) statements: fn(Dialect) -> Vec<String>,
}

impl Change {
    /// What it is on a store, statement by statement.
    #[must_use]
    pub fn statements(&self, dialect: Dialect) -> Vec<String> {
        (self.statements)(dialect)
    }
}

impl MigrationName for Change {
    fn name(&self) -> &'static str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Change {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let dialect = match connection.get_database_backend() {
            DbBackend::Postgres => Dialect::Postgres,
            DbBackend::Sqlite => Dialect::Sqlite,
            other => return Err(DbErr::Migration(format!("{other:?} is no store of ours"))),
        };
        for statement in self.statements(dialect) {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true) // SQLite would run it without one, and leave half a change behind
    }
}
