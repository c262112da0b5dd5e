//! Jobs: work that is done once by whichever server takes it, how far it is, and what happened to it.
#![expect(missing_docs, reason = "the fields are named by spec 4; the structs say what they are")]

use chrono::{DateTime, Utc};
use proof::hash::Hash;
use serde::{Deserialize, Serialize};

use crate::ids::{JobId, TenantId};

proof::words! {
    /// What a job does.
    JobKind { LogCheck = "log_check" }

    /// Where a job is in its life. FAILED: no repeat would help. DEAD: every attempt that it had failed; it lies in the
    /// dead letter until somebody has it done again.
    JobState { Queued = "QUEUED", Running = "RUNNING", Retrying = "RETRYING", Succeeded = "SUCCEEDED",
        Failed = "FAILED", Cancelled = "CANCELLED", Dead = "DEAD" }

    /// How far a job is, in words.
    ProgressStage { Queued = "queued", Starting = "starting", Running = "running", Completing = "completing",
        Completed = "completed", Failed = "failed", Cancelled = "cancelled" }

    /// What happened to a job. Hashed, in the chain of its events: a word is added, never renamed or removed.
    JobAuditEventType { Created = "created", Scheduled = "scheduled", Started = "started", Progress = "progress",
        Completed = "completed", Failed = "failed", Retried = "retried", Cancelled = "cancelled",
        DeadLettered = "dead_lettered" }
}

impl JobState {
    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Dead)
    }
}

/// One job, as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub tenant: TenantId,
    pub id: JobId,
    pub kind: JobKind,
    pub state: JobState,
    /// What it is to do, as its kind says: canonical JSON. It never changes.
    pub payload: String,
    /// The name of one that comes round again for ever; one of a tenant has each name.
    pub standing: Option<String>,
    /// How often it was taken since it was put in the queue, or since its last round.
    pub attempts: u64,
    /// How often it was taken at all. Who took it writes by this number, and by no older one.
    pub lease: u64,
    /// The server that is at it, where one is.
    pub lease_owner: Option<String>,
    /// When a server may take it: its time, or while one is at it the end of that lease. None when it is over.
    pub due_at: Option<DateTime<Utc>>,
    pub stage: ProgressStage,
    /// From 0 to 100.
    pub percentage: u64,
    /// When it will be done, if it goes on as it went.
    pub eta_at: Option<DateTime<Utc>>,
    /// When the last attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, where it did.
    pub error: Option<String>,
    /// How many events its chain has.
    pub events: u64,
    /// The hash of the last of them.
    pub head: Hash,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a job is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    pub tenant: TenantId,
    pub kind: JobKind,
    /// What it is to do, as its kind says: canonical JSON.
    pub payload: String,
    /// Its name, if it comes round again for ever.
    pub standing: Option<String>,
    /// When a server may take it.
    pub due_at: DateTime<Utc>,
}

/// What a job is told whose kind says it all.
pub const TOLD_NOTHING: &str = "{}";

/// A failed attempt, as its event tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryAttempt {
    /// Which attempt it was, from 1.
    pub number: u64,
    /// When it failed, as times are written.
    pub at: String,
    pub error: String,
    /// How long the job rests, where it is tried again.
    pub delay_ms: Option<u64>,
    pub will_retry: bool,
    pub next_attempt_at: Option<String>,
}

/// One event of a job's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAuditEvent {
    pub tenant: TenantId,
    pub job_id: JobId,
    /// Its place in the chain, from 0.
    pub seq: u64,
    pub event_type: JobAuditEventType,
    /// What it left the job in.
    pub state: JobState,
    /// The person, or the server.
    pub actor: String,
    /// Which attempt it was in.
    pub attempt: u64,
    /// Canonical JSON.
    pub details: Option<String>,
    pub at: DateTime<Utc>,
    /// The hash of the event before; of the first, nothing but zeros.
    pub previous: Hash,
    /// Over all the rest.
    pub hash: Hash,
}

/// What the first event of a chain names as the one before.
pub const CHAIN_BEGINS: Hash = Hash([0; 32]);

/// The filters of the list of jobs; what is not set does not filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub kind: Option<JobKind>,
}
