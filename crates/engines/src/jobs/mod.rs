//! What becomes of a job: taken, going on, done, tried again, given up, cancelled, put back. Each move comes with the
//! event that it owes to the job's chain.

mod audit;
mod cancel;
mod complete;
mod create;
mod fail;
mod go_on;
mod hand_back;
mod progress;
mod requeue;
mod retry;
mod take;

use chrono::TimeDelta;
use models::jobs::{Job, JobAuditEvent};

pub use self::{
    audit::{ChainFault, JobAuditEmitter, verify_chain},
    cancel::{CancelError, cancel},
    complete::complete,
    create::create,
    fail::{Failure, fail},
    go_on::go_on,
    hand_back::hand_back,
    progress::JobProgressTracker,
    requeue::{RequeueError, requeue},
    retry::{JobRetryManager, RetryConfig, RetryStrategy, get_retry_history},
    take::{Taken, take},
};

/// How jobs of a kind are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How often one is tried, and how long it rests before that.
    pub retry: RetryConfig,
    /// How long a server has it before another may take it, unless it says that it goes on.
    pub lease: TimeDelta,
    /// How long one that stands rests between its rounds.
    pub every: TimeDelta,
}

/// A job after a move, and what that adds to its chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// As it stands from now on.
    pub job: Job,
    /// What happened.
    pub event: JobAuditEvent,
}

#[cfg(test)]
mod tests;
