//! Making a job.

use chrono::{DateTime, Utc};
use models::{
    ids::{JobId, TenantId},
    jobs::{CHAIN_BEGINS, Job, JobKind, JobState, ProgressStage},
};

use super::{JobAuditEmitter, Moved};

/// What a job is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it does.
    pub kind: JobKind,
    /// What it is to do, as its kind says: canonical JSON.
    pub payload: String,
    /// Its name, if it comes round again for ever.
    pub standing: Option<String>,
    /// When a server may take it.
    pub due_at: DateTime<Utc>,
}

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
