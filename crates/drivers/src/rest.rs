//! What connections to an embedded store keep of its file in memory, let go of while nobody needs it.

use sea_orm::sqlx::{self, Sqlite, pool::PoolConnection};

use crate::{StoreError, connect::Pools, patience::in_time, tx::Db};

impl Db {
    /// Lets go of the pages that idle connections to an embedded store keep: what was read or written last is read from
    /// the file again, which the system still has in memory. Connections that are at work keep theirs, and nobody waits
    /// for one.
    pub async fn rest(&self) -> Result<(), StoreError> {
        // In memory there is nowhere to read it from again.
        let Pools::Sqlite { writer, readers, file: Some(_) } = self.pools() else { return Ok(()) };
        let mut idle: Vec<PoolConnection<Sqlite>> = writer.try_acquire().into_iter().collect();
        idle.extend(std::iter::from_fn(|| readers.try_acquire()));
        for mut connection in idle {
            in_time(sqlx::query("PRAGMA shrink_memory").execute(&mut *connection)).await?;
        }
        Ok(())
    }
}
