//! The chain of what happened to a job: each event is hashed over all that it says and over the hash of the one before,
//! and the job says how many there are and which is the last.

use chrono::{DateTime, Utc};
use models::{
    jobs::{CHAIN_BEGINS, Job, JobAuditEvent, JobAuditEventType, JobState},
    time,
};
use proof::{
    canonical,
    hash::{Hash, sha256},
};
use serde_json::{Value, json};

use super::Moved;

/// The member of a first event that binds what the job is to do.
const JOB_HASH: &str = "job_hash";

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// An event is not there.
    #[error("event {0} of its chain is gone")]
    Gone(u64),
    /// An event says something else than what was hashed.
    #[error("event {0} of its chain does not match its hash")]
    Changed(u64),
    /// An event does not go on from the one before.
    #[error("event {0} of its chain does not follow the one before it")]
    Unlinked(u64),
    /// The job names another last event.
    #[error("its chain does not end as the job says")]
    Head,
    /// The job is in another state than its last event left it in.
    #[error("it is {is}, and its last event left it {left}")]
    State {
        /// What the job says.
        is: JobState,
        /// What its last event says.
        left: JobState,
    },
    /// The job waits until another time than its last event says.
    #[error("when it is due is not what its last event says")]
    Due,
    /// The job is to do something else than what it was made for.
    #[error("what it is to do is not what its first event says")]
    Purpose,
}

/// Adds events to chains, in one name and at one time.
#[derive(Clone, Copy, Debug)]
pub struct JobAuditEmitter<'a> {
    actor: &'a str,
    now: DateTime<Utc>,
}

impl<'a> JobAuditEmitter<'a> {
    /// For what `actor`, a person or a server, does at `now`.
    #[must_use]
    pub const fn new(actor: &'a str, now: DateTime<Utc>) -> Self {
        Self { actor, now }
    }

    /// The job was made.
    pub(super) fn emit_created(self, job: Job) -> Moved {
        let details = json!({ JOB_HASH: purpose(&job), "due_at": job.due_at.map(time::text) });
        self.emit(job, JobAuditEventType::Created, Some(details))
    }

    /// Adds an event that leaves the job as it is given.
    pub(super) fn emit(self, job: Job, event_type: JobAuditEventType, details: Option<Value>) -> Moved {
        let mut event = JobAuditEvent {
            tenant: job.tenant,
            job_id: job.id,
            seq: job.events,
            event_type,
            state: job.state,
            actor: self.actor.to_owned(),
            attempt: job.attempts,
            details: details.map(|details| canonical::to_text(&details)),
            at: self.now,
            previous: job.head,
            hash: CHAIN_BEGINS,
        };
        event.hash = sha256(&canonical::to_bytes(&hashed(&event)));
        Moved { job: Job { events: job.events + 1, head: event.hash, updated_at: self.now, ..job }, event }
    }
}

/// What the hash of an event is over: every field but itself.
fn hashed(event: &JobAuditEvent) -> Value {
    let JobAuditEvent {
        tenant,
        job_id,
        seq,
        event_type,
        state,
        actor,
        attempt,
        details,
        at,
        previous,
        hash: _,
    } = event;
    json!({
        "type": "hoc/job-audit-event/v1",
        "tenant_id": tenant,
        "job_id": job_id,
        "seq": seq,
        "event_type": event_type,
        "state": state,
        "actor": actor,
        "attempt": attempt,
        "details": details,
        "created_at": time::text(*at),
        "previous": previous,
    })
}

/// Over what a job is to do and whose it is: what never changes of it.
fn purpose(job: &Job) -> Hash {
    let Job { tenant, id, kind, payload, standing, created_by, created_at, .. } = job;
    sha256(&canonical::to_bytes(&json!({
        "type": "hoc/job/v1",
        "tenant_id": tenant,
        "job_id": id,
        "kind": kind,
        "payload": payload,
        "standing": standing,
        "created_by": created_by,
        "created_at": time::text(*created_at),
    })))
}

/// Plays a chain again, oldest event first, and holds the job against it.
pub fn verify_chain(job: &Job, events: &[JobAuditEvent]) -> Result<(), ChainFault> {
    let mut head = CHAIN_BEGINS;
    for (event, seq) in events.iter().zip(0..) {
        if event.seq != seq {
            return Err(ChainFault::Gone(seq));
        }
        // What was put in its place may have no canonical form.
        if canonical::try_to_bytes(&hashed(event)).map(|bytes| sha256(&bytes)) != Ok(event.hash) {
            return Err(ChainFault::Changed(seq));
        }
        if event.previous != head || (event.tenant, event.job_id) != (job.tenant, job.id) {
            return Err(ChainFault::Unlinked(seq));
        }
        head = event.hash;
    }
    let there = events.len() as u64;
    if there < job.events {
        return Err(ChainFault::Gone(there));
    }
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Err(ChainFault::Gone(0)) };
    if there > job.events || head != job.head {
        return Err(ChainFault::Head);
    }
    if job.state != last.state {
        return Err(ChainFault::State { is: job.state, left: last.state });
    }
    if matches!(job.state, JobState::Queued | JobState::Retrying) && job.due_at.map(time::text) != due(last) {
        return Err(ChainFault::Due);
    }
    let made: Option<Value> = first.details.as_deref().and_then(|details| serde_json::from_str(details).ok());
    let bound = made.and_then(|made| made[JOB_HASH].as_str()?.parse::<Hash>().ok());
    if bound == Some(purpose(job)) { Ok(()) } else { Err(ChainFault::Purpose) }
}

/// When a job is due that waits since this event.
fn due(event: &JobAuditEvent) -> Option<String> {
    let member = match event.event_type {
        JobAuditEventType::Created => "due_at",
        JobAuditEventType::Retried | JobAuditEventType::Failed => "next_attempt_at",
        JobAuditEventType::Completed | JobAuditEventType::Cancelled => "next_round_at",
        JobAuditEventType::Scheduled => return Some(time::text(event.at)),
        JobAuditEventType::Started | JobAuditEventType::Progress | JobAuditEventType::DeadLettered => {
            return None;
        }
    };
    let details: Value = serde_json::from_str(event.details.as_deref()?).ok()?;
    details[member].as_str().map(str::to_owned)
}
