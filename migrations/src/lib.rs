//! Schema history: one for both stores, never edited once released.
//!
//! It begins with the `baseline`, the schema as it was when nothing had been released, in a folder of its own. To
//! change the schema, add a file: its name, date first, and its `statements`; and list it below. Tables are rendered by
//! `table` from one text for both stores; what differs is in `dialect`, what must not be changed or deleted in
//! `protect`. SQLite cannot add a foreign key or change a constraint: rebuild the table. There is no way down: a schema
//! goes back by restoring a backup.

mod baseline;
mod change;
mod dialect;
mod protect;
mod table;

use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::MigratorTrait;

pub use self::{change::Change, dialect::Dialect, protect::trigger_functions};

/// Every change, oldest first.
pub const HISTORY: &[Change] =
    &[Change { name: "m20261129_000106_baseline", statements: baseline::statements }];

/// What brings a store's schema to head.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        HISTORY.iter().map(|change| Box::new(*change) as Box<dyn MigrationTrait>).collect()
    }
}
