//! Cancelling a job.

use chrono::{DateTime, Utc};
use models::jobs::{Job, JobAuditEventType, JobState};
use serde_json::json;

use super::{JobAuditEmitter, JobProgressTracker, Moved, Policy, complete::next_round};

/// Why a job was not cancelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// It is over.
    #[error("the job is {0}; there is nothing to cancel")]
    Over(JobState),
    /// It comes round again for ever, and nobody is at it.
    #[error("the job `{0}` comes round again by itself; a round can be cancelled while it runs")]
    Standing(String),
}

/// CANCELLED, whether or not a server is at it: that one has lost its lease by this, and writes nothing more. Of what
/// comes round again for ever the round is over, and the next comes at its time.
pub fn cancel(
    job: Job,
    by: &str,
    reason: Option<&str>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Moved, CancelError> {
    if job.state.is_over() {
        return Err(CancelError::Over(job.state));
    }
    if let Some(name) = &job.standing
        && job.state != JobState::Running
    {
        return Err(CancelError::Standing(name.clone()));
    }
    let owner = job.lease_owner.clone();
    let mut job = Job { lease_owner: None, ..job };
    let next = next_round(&mut job, policy, now);
    if next.is_none() {
        job.state = JobState::Cancelled;
        job.due_at = None;
        JobProgressTracker::new(now).cancel(&mut job);
    }
    let details = json!({ "reason": reason, "taken_from": owner, "next_round_at": next });
    Ok(JobAuditEmitter::new(by, now).emit(job, JobAuditEventType::Cancelled, Some(details)))
}
