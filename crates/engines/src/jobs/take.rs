//! A server takes a job that is due: one that waited, or one whose server has gone silent.

use chrono::{DateTime, Utc};
use models::jobs::{Job, JobAuditEventType, JobState};
use serde_json::json;

use super::{JobAuditEmitter, JobProgressTracker, JobRetryManager, Moved, Policy, fail::give_up, retry};

/// What came of taking a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// The server has it, under a new lease.
    Started(Moved),
    /// Nobody has it: as often as it may be tried, whoever was at it went silent.
    GivenUp(Moved),
}

/// RUNNING under the next lease, or given up. The caller has found that it is due, and holds its row.
#[must_use]
pub fn take(job: Job, by: &str, policy: &Policy, now: DateTime<Utc>) -> Taken {
    let before = job.lease_owner.clone();
    if let Some(owner) = &before
        && !JobRetryManager::new(policy.retry).should_retry(job.attempts, true)
    {
        return Taken::GivenUp(give_up(job, &retry::silent(owner), JobState::Dead, policy, by, now));
    }
    let mut job = Job {
        state: JobState::Running,
        attempts: job.attempts + 1,
        lease: job.lease + 1,
        lease_owner: Some(by.to_owned()),
        due_at: Some(now + policy.lease),
        // Why the attempt before failed, the chain says.
        error: None,
        ..job
    };
    JobProgressTracker::new(now).start(&mut job);
    let details = json!({ "lease": job.lease, "taken_over_from": before });
    Taken::Started(JobAuditEmitter::new(by, now).emit(job, JobAuditEventType::Started, Some(details)))
}
