//! A server that stops gives back what it has not done.

use chrono::{DateTime, Utc};
use models::jobs::{Job, JobAuditEventType, JobState};

use super::{JobAuditEmitter, JobProgressTracker, Moved};

/// QUEUED, for whoever comes first. Nothing failed, so it is no attempt.
#[must_use]
pub fn hand_back(job: Job, by: &str, now: DateTime<Utc>) -> Moved {
    let mut job = Job {
        state: JobState::Queued,
        attempts: job.attempts.saturating_sub(1),
        lease_owner: None,
        due_at: Some(now),
        ..job
    };
    JobProgressTracker::new(now).queue(&mut job);
    JobAuditEmitter::new(by, now).emit(job, JobAuditEventType::Scheduled, None)
}
