//! How far a store's schema is, by the names that it remembers: each must be of our own history.

use std::collections::BTreeSet;

use migrations::{HISTORY, Migrator, MigratorTrait as _};
use sea_orm::DatabaseConnection;

use crate::StoreError;

/// The changes that a store lacks, oldest first. Refuses one that was made by another history than ours.
pub(crate) async fn pending(db: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    let applied = Migrator::get_migration_models(db).await?;
    let applied: BTreeSet<String> = applied.into_iter().map(|change| change.version).collect();
    let ours = HISTORY.iter().map(|change| change.name);
    let (known, lacking): (Vec<&str>, Vec<&str>) = ours.partition(|name| applied.contains(*name));
    match known.len() {
        n if n == applied.len() => Ok(lacking.into_iter().map(str::to_owned).collect()),
        0 => Err(StoreError::Unreleased),
        _ => Err(StoreError::Newer),
    }
}
