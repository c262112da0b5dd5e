//! A job, as it is written.

use models::jobs::{Job, JobAuditEvent, JobState, RetryAttempt};
use orchestrator::handlers::jobs::JobDetail;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Kept, Time, words};

/// A job, as it stands now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobView {
    job_id: String,
    #[schema(value_type = words::JobKind)]
    kind: &'static str,
    #[schema(value_type = words::JobState)]
    state: &'static str,
    /// What it is to do, as its kind says.
    #[schema(value_type = serde_json::Value)]
    payload: Kept,
    /// Its name, if it comes round again for ever; each tenant has one of that name.
    standing: Option<String>,
    /// How often it was tried since it was put in the queue, or in this round.
    attempts: u64,
    /// When it is due, while it waits.
    run_at: Option<Time>,
    /// The server that is at it.
    lease_owner: Option<String>,
    /// When another may take it, if that one says nothing more.
    lease_until: Option<Time>,
    progress: ProgressView,
    /// Why the last attempt failed, if it did.
    error: Option<String>,
    created_by: String,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    updated_at: Time,
}

/// How far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = JobProgress)]
struct ProgressView {
    #[schema(value_type = words::ProgressStage)]
    stage: &'static str,
    /// From 0 to 100.
    percentage: u64,
    /// When it will be done, if it goes on as it went.
    eta: Option<Time>,
}

/// A job with what happened to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = JobDetail)]
pub(super) struct JobDetailView {
    #[serde(flatten)]
    job: JobView,
    /// The attempts that failed, oldest first.
    attempts_failed: Vec<AttemptView>,
    /// The last 50 events of its chain, oldest first.
    events: Vec<JobEventView>,
}

/// An attempt that failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = JobAttempt)]
struct AttemptView {
    /// From 1.
    number: u64,
    #[schema(value_type = Time)]
    at: String,
    error: String,
    /// How long it rests before the next.
    delay_ms: Option<u64>,
    will_retry: bool,
    #[schema(value_type = Option<Time>)]
    next_attempt_at: Option<String>,
}

/// One event of a job's chain. Its hash is over all the rest, and `previous` is that of the one before.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = JobEvent)]
pub(super) struct JobEventView {
    /// Its place, from 0.
    seq: u64,
    #[schema(value_type = words::JobAuditEventType)]
    event_type: &'static str,
    /// What it left the job in.
    #[schema(value_type = words::JobState)]
    state: &'static str,
    /// The person, or the server.
    actor: String,
    attempt: u64,
    #[schema(value_type = serde_json::Value)]
    details: Option<Kept>,
    at: Time,
    previous: String,
    hash: String,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let due_at = job.due_at.map(Time::from);
        let (run_at, lease_until) =
            if job.state == JobState::Running { (None, due_at) } else { (due_at, None) };
        Self {
            job_id: job.id.to_string(),
            kind: job.kind.as_str(),
            state: job.state.as_str(),
            payload: job.payload.into(),
            standing: job.standing,
            attempts: job.attempts,
            run_at,
            lease_owner: job.lease_owner,
            lease_until,
            progress: ProgressView {
                stage: job.stage.as_str(),
                percentage: job.percentage,
                eta: job.eta_at.map(Time::from),
            },
            error: job.error,
            created_by: job.created_by,
            created_at: job.created_at.into(),
            started_at: job.started_at.map(Time::from),
            finished_at: job.finished_at.map(Time::from),
            updated_at: job.updated_at.into(),
        }
    }
}

impl From<JobDetail> for JobDetailView {
    fn from(detail: JobDetail) -> Self {
        let JobDetail { job, events, attempts } = detail;
        Self {
            job: job.into(),
            attempts_failed: attempts.into_iter().map(AttemptView::from).collect(),
            events: events.into_iter().map(JobEventView::from).collect(),
        }
    }
}

impl From<RetryAttempt> for AttemptView {
    fn from(attempt: RetryAttempt) -> Self {
        let RetryAttempt { number, at, error, delay_ms, will_retry, next_attempt_at } = attempt;
        Self { number, at, error, delay_ms, will_retry, next_attempt_at }
    }
}

impl From<JobAuditEvent> for JobEventView {
    fn from(event: JobAuditEvent) -> Self {
        Self {
            seq: event.seq,
            event_type: event.event_type.as_str(),
            state: event.state.as_str(),
            actor: event.actor,
            attempt: event.attempt,
            details: event.details.map(Kept::from),
            at: event.at.into(),
            previous: event.previous.to_string(),
            hash: event.hash.to_string(),
        }
    }
}
