//! A job goes on: its lease is renewed, and how far it is is noted.

use chrono::{DateTime, Utc};
use models::jobs::{Job, JobAuditEvent, JobAuditEventType};
use serde_json::json;

use super::{JobAuditEmitter, JobProgressTracker, Moved, Policy};

/// An event of the chain tells of each of so many parts of a job: what is between them, the job itself says.
const TOLD_PARTS: u64 = 4;

/// The job under a lease that ends later, and so far done as it says; or where it does not say, as far as it was. An
/// event where another quarter is done. One that comes round again for ever has none: nobody waits for it.
#[must_use]
pub fn go_on(
    mut job: Job,
    percentage: Option<u64>,
    by: &str,
    policy: &Policy,
    now: DateTime<Utc>,
) -> (Job, Option<JobAuditEvent>) {
    job.due_at = Some(now + policy.lease);
    job.updated_at = now;
    let Some(percentage) = percentage else { return (job, None) };
    let before = part(job.percentage);
    JobProgressTracker::new(now).update(&mut job, percentage);
    if job.standing.is_some() || part(job.percentage) == before {
        return (job, None);
    }
    let details = json!({ "percentage": job.percentage, "stage": job.stage });
    let emitter = JobAuditEmitter::new(by, now);
    let Moved { job, event } = emitter.emit(job, JobAuditEventType::Progress, Some(details));
    (job, Some(event))
}

fn part(percentage: u64) -> u64 {
    percentage * TOLD_PARTS / 100
}
