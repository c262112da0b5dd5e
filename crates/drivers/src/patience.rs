//! How long a database is waited for.

use std::time::Duration;

use sea_orm::sqlx;
use tokio::time::timeout;

use crate::StoreError;

/// A database that says nothing for so long is taken to be down. Of several statements that go as one text it is asked
/// of all together.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for the database, but not for ever.
pub(crate) async fn in_time<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    timeout(PATIENCE, answer).await.map_err(|_| StoreError::silent())?.map_err(StoreError::from)
}
