//! Whether a store takes what a call writes.

use std::time::{Duration, Instant};

use sea_orm::Statement;

use super::Db;
use crate::{StoreError, connect::Pools, room};

/// How long an answer of [`Db::can_commit`] holds.
const SAME_MOMENT: Duration = Duration::from_millis(100);

impl Db {
    /// Whether the store takes writes and commits them now. A row is really written, and left as it is, because a full
    /// disk refuses nothing else; and more than a row, where a write found no room since. Callers that ask at the same
    /// moment share the answer, so that asking cannot become a load.
    pub async fn can_commit(&self) -> Result<(), StoreError> {
        let mut committed = self.committed.lock().await;
        let missed = self.room.missed();
        if missed.is_none() && committed.is_some_and(|at| at.elapsed() < SAME_MOMENT) {
            return Ok(());
        }
        *committed = None;
        if missed.is_some() {
            self.has_room().await?;
        }
        let tx = self.begin().await?;
        // There and back: SQLite does not write a row anew that is as it was.
        for step in ["name || ' '", "substr(name, 1, length(name) - 1)"] {
            let update = format!("UPDATE installation SET name = {step}");
            tx.conn.execute(Statement::from_string(tx.conn.backend(), update)).await?;
        }
        tx.commit().await?;
        *committed = Some(Instant::now());
        if let Some(missed) = missed {
            self.room.found(missed);
        }
        Ok(())
    }

    /// Whether there is room for as much as a call may write. It is filled, and left as it was.
    pub async fn has_room(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Postgres(_) => {
                let tx = self.begin().await?;
                let filled = tx.conn.execute(Statement::from_string(tx.conn.backend(), room::FILLED)).await;
                tx.rollback().await?;
                match filled {
                    // Where the role may make no table of its own, a commit has to do.
                    Err(err) if err.is_out_of_room() => Err(err),
                    _ => Ok(()),
                }
            }
            Pools::Sqlite { file: Some(file), .. } => {
                let path = file.path().to_owned();
                let filled = tokio::task::spawn_blocking(move || room::fill_beside(&path)).await;
                let filled = filled.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)));
                filled.map_err(|err| StoreError::Unavailable(err.into()))
            }
            Pools::Sqlite { file: None, .. } => Ok(()),
        }
    }
}
