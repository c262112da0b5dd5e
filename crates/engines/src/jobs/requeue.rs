//! Having a job done after all.

use chrono::{DateTime, Utc};
use models::jobs::{Job, JobAuditEventType, JobState};
use serde_json::json;

use super::{JobAuditEmitter, JobProgressTracker, Moved};

/// Why a job was not put back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequeueError {
    /// It waits, or a server is at it.
    #[error("the job is {0}; it is in the queue already")]
    InQueue(JobState),
    /// It was done.
    #[error("the job succeeded; what it was to do is done")]
    Done,
}

/// QUEUED, with all its attempts: from the dead letter, or where it failed or was cancelled.
pub fn requeue(job: Job, by: &str, reason: Option<&str>, now: DateTime<Utc>) -> Result<Moved, RequeueError> {
    match job.state {
        JobState::Succeeded => return Err(RequeueError::Done),
        JobState::Queued | JobState::Running | JobState::Retrying => {
            return Err(RequeueError::InQueue(job.state));
        }
        JobState::Failed | JobState::Cancelled | JobState::Dead => {}
    }
    let before = job.state;
    let mut job = Job { state: JobState::Queued, attempts: 0, due_at: Some(now), ..job };
    JobProgressTracker::new(now).queue(&mut job);
    let details = json!({ "reason": reason, "was": before });
    Ok(JobAuditEmitter::new(by, now).emit(job, JobAuditEventType::Scheduled, Some(details)))
}
