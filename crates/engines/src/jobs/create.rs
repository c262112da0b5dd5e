//! Making a job.

use chrono::{DateTime, Utc};
use models::{
    ids::JobId,
    jobs::{CHAIN_BEGINS, Job, JobState, NewJob, ProgressStage},
};

use super::{JobAuditEmitter, Moved};

/// QUEUED, to be taken when it is due.
#[must_use]
pub fn create(new: NewJob, id: JobId, by: &str, now: DateTime<Utc>) -> Moved {
    let NewJob { tenant, kind, payload, standing, due_at } = new;
    let job = Job {
        tenant,
        id,
        kind,
        state: JobState::Queued,
        payload,
        standing,
        attempts: 0,
        lease: 0,
        lease_owner: None,
        due_at: Some(due_at),
        stage: ProgressStage::Queued,
        percentage: 0,
        eta_at: None,
        started_at: None,
        finished_at: None,
        error: None,
        events: 0,
        head: CHAIN_BEGINS,
        created_by: by.to_owned(),
        created_at: now,
        updated_at: now,
    };
    JobAuditEmitter::new(by, now).emit_created(job)
}
