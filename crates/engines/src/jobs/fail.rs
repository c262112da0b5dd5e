//! An attempt at a job failed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use models::{
    jobs::{Job, JobAuditEventType, JobState, RetryAttempt},
    time,
};
use serde_json::json;

use super::{JobAuditEmitter, JobProgressTracker, JobRetryManager, Moved, Policy, complete::next_round};

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In words that may be shown.
    pub error: String,
    /// Whether it may pass by itself.
    pub may_pass: bool,
}

/// RETRYING after a rest, where that may help and it has an attempt left; else FAILED or DEAD, or where it comes round
/// again for ever, QUEUED for its next round. `jitter` was drawn for the rest.
#[must_use]
pub fn fail(
    job: Job,
    failure: &Failure,
    jitter: Duration,
    by: &str,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Moved {
    let retry = JobRetryManager::new(policy.retry);
    if !retry.should_retry(job.attempts, failure.may_pass) {
        let state = if failure.may_pass { JobState::Dead } else { JobState::Failed };
        return give_up(job, &failure.error, state, policy, by, now);
    }
    let delay = retry.calculate_delay(job.attempts, jitter);
    let next = now + delay;
    let attempt = RetryAttempt {
        number: job.attempts,
        at: time::text(now),
        error: failure.error.clone(),
        delay_ms: u64::try_from(delay.num_milliseconds()).ok(),
        will_retry: true,
        next_attempt_at: Some(time::text(next)),
    };
    let mut job = Job {
        state: JobState::Retrying,
        lease_owner: None,
        due_at: Some(next),
        error: Some(failure.error.clone()),
        ..job
    };
    JobProgressTracker::new(now).queue(&mut job);
    JobAuditEmitter::new(by, now).emit(job, JobAuditEventType::Retried, Some(json!(attempt)))
}

/// Nobody tries it again by himself: `state` says whether anybody might. What comes round again for ever does so, at
/// its time: however often it failed, it is not forgotten.
pub(super) fn give_up(
    job: Job,
    error: &str,
    state: JobState,
    policy: &Policy,
    by: &str,
    now: DateTime<Utc>,
) -> Moved {
    let attempt = RetryAttempt {
        number: job.attempts,
        at: time::text(now),
        error: error.to_owned(),
        delay_ms: None,
        will_retry: false,
        next_attempt_at: job.standing.as_ref().map(|_| time::text(now + policy.every)),
    };
    let mut job = Job { error: Some(error.to_owned()), lease_owner: None, ..job };
    if next_round(&mut job, policy, now).is_none() {
        job.state = state;
        job.due_at = None;
        JobProgressTracker::new(now).fail(&mut job);
    }
    let event =
        if job.state == JobState::Dead { JobAuditEventType::DeadLettered } else { JobAuditEventType::Failed };
    JobAuditEmitter::new(by, now).emit(job, event, Some(json!(attempt)))
}
