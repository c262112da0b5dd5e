//! What every move of a job writes: the job, and the event that its chain is owed.

use drivers::Tx;
use engines::jobs::Moved;
use models::jobs::Job;

use crate::errors::Error;

/// Stores a move of a job that this unit of work has locked.
pub(crate) async fn store(tx: &Tx, moved: Moved) -> Result<Job, Error> {
    let Moved { job, event } = moved;
    tx.jobs().save_job(&job).await?;
    tx.jobs().insert_job_events(&[event]).await?;
    Ok(job)
}
