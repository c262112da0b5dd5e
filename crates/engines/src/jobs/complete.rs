//! A job is done.

use chrono::{DateTime, Utc};
use models::{
    jobs::{Job, JobAuditEventType, JobState},
    time,
};
use serde_json::json;

use super::{JobAuditEmitter, JobProgressTracker, Moved, Policy};

/// SUCCEEDED; or where it comes round again for ever, QUEUED for its next round.
#[must_use]
pub fn complete(job: Job, by: &str, policy: &Policy, now: DateTime<Utc>) -> Moved {
    let mut job = Job { lease_owner: None, error: None, ..job };
    let details = json!({ "attempts": job.attempts, "next_round_at": next_round(&mut job, policy, now) });
    if job.standing.is_none() {
        job.state = JobState::Succeeded;
        job.due_at = None;
        JobProgressTracker::new(now).complete(&mut job);
    }
    JobAuditEmitter::new(by, now).emit(job, JobAuditEventType::Completed, Some(details))
}

/// Puts a job that comes round again for ever in the queue for its next round; when that is, as a text. None of one
/// that does not.
pub(super) fn next_round(job: &mut Job, policy: &Policy, now: DateTime<Utc>) -> Option<String> {
    job.standing.as_ref()?;
    let next = now + policy.every;
    job.state = JobState::Queued;
    job.attempts = 0;
    job.lease_owner = None;
    job.due_at = Some(next);
    JobProgressTracker::new(now).queue(job);
    Some(time::text(next))
}
