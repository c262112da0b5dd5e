//! One job that this server has taken, while its handler works at it.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use drivers::StoreError;
use engines::jobs::{Failure, JobRetryManager, Moved, complete, fail, go_on, hand_back};
use futures::FutureExt as _;
use models::jobs::{Job, JobAuditEvent};

use super::policy::policy_of;
use crate::{
    errors::{Error, IN_THE_LOG, told},
    fallen,
    retrying::retrying,
    spine::Spine,
};

/// How far a job is is written where it is further, and this often where it is not: no write for each piece of it.
const TOLD_EVERY: TimeDelta = TimeDelta::seconds(15);

/// How often it is tried to write what came of a job, at the pace at which leases are renewed: one lasts about as long.
const END_TRIES: u32 = 4;

/// Does jobs of one kind.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Does the job, and says now and then that it goes on.
    async fn run(&self, work: &Work) -> Result<(), Broken>;
}

/// Why a job was broken off.
#[derive(Debug)]
pub enum Broken {
    /// It is not this server's any more.
    LeaseLost,
    /// The attempt failed.
    Failed(Error),
}

impl From<Error> for Broken {
    fn from(err: Error) -> Self {
        Self::Failed(err)
    }
}

impl From<StoreError> for Broken {
    fn from(err: StoreError) -> Self {
        Self::Failed(err.into())
    }
}

/// How often a lease is renewed, in real time, and for how many of these a handler may say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Well within a lease.
    pub renew_every: Duration,
    /// So often a lease is renewed of which the handler has said nothing since.
    pub silent_for: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { renew_every: Duration::from_secs(15), silent_for: 40 }
    }
}

/// A job under the lease of this server.
pub struct Work {
    spine: Spine,
    job: Job,
    by: String,
    /// When it was written last how far it is, and how far.
    told: Mutex<(DateTime<Utc>, u64)>,
    /// Whether the handler has said that it goes on since the lease was renewed.
    has_spoken: AtomicBool,
}

/// What came of an attempt.
enum Ran {
    Done,
    Failed(Failure),
    LeaseLost,
}

impl Work {
    pub(super) fn new(spine: &Spine, job: Job, by: &str) -> Self {
        let told = Mutex::new((spine.now(), 0));
        Self { spine: spine.clone(), job, by: by.to_owned(), told, has_spoken: AtomicBool::new(false) }
    }

    /// The job, as it was taken.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// What operations are given.
    #[must_use]
    pub fn spine(&self) -> &Spine {
        &self.spine
    }

    /// Says that it goes on, and that so many of a hundred are done: as many as before, or more. Where it says no
    /// longer that, the handler has hung. It is written where it is news; whether the lease lasts is looked at beside
    /// this. Fails where the lease is lost: then nothing more is to be done. That it cannot be written now fails
    /// nothing.
    pub async fn go_on(&self, percentage: u64) -> Result<(), Broken> {
        self.has_spoken.store(true, Ordering::Relaxed);
        if !self.is_news(percentage) {
            return Ok(());
        }
        match self.renewed(Some(percentage)).await {
            Err(Broken::Failed(err)) => {
                let error = &err as &dyn std::error::Error;
                tracing::debug!(error, job = %self.job.id, "how far a job is could not be written");
                Ok(())
            }
            renewed => renewed,
        }
    }

    fn is_news(&self, percentage: u64) -> bool {
        let now = self.spine.now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = percentage > told.1 || (now - told.0).abs() >= TOLD_EVERY;
        if is_news {
            *told = (now, percentage);
        }
        is_news
    }

    async fn renewed(&self, percentage: Option<u64>) -> Result<(), Broken> {
        let policy = policy_of(&self.spine, self.job.kind);
        self.write(&|job, now| go_on(job, percentage, &self.by, &policy, now)).await
    }

    /// Has the handler work at it until it is through, or the lease is lost; and writes what came of that. Whether the
    /// attempt did not fail.
    pub(super) async fn run(&self, handler: &dyn Handler, pace: Pace) -> bool {
        let ran = tokio::select! {
            ran = AssertUnwindSafe(handler.run(self)).catch_unwind() => match ran {
                Ok(Ok(())) => Ran::Done,
                Ok(Err(Broken::LeaseLost)) => Ran::LeaseLost,
                Ok(Err(Broken::Failed(err))) => {
                    tracing::warn!(error = &err as &dyn std::error::Error, job = %self.job.id, "a job broke off");
                    Ran::Failed(failure_of(&err))
                }
                Err(panic) => {
                    tracing::error!(panic = fallen::said(panic.as_ref()), job = %self.job.id, "a job panicked");
                    failed(&format!("it panicked; {IN_THE_LOG}"))
                }
            },
            ran = self.keep(pace) => ran,
        };
        let is_well = !matches!(ran, Ran::Failed(_));
        self.end(&ran, pace).await;
        is_well
    }

    /// Renews the lease for as long as the handler goes on.
    async fn keep(&self, pace: Pace) -> Ran {
        let mut silent = 0;
        loop {
            tokio::time::sleep(pace.renew_every).await;
            silent = if self.has_spoken.swap(false, Ordering::Relaxed) { 0 } else { silent + 1 };
            if silent > pace.silent_for {
                return failed("it said nothing for too long");
            }
            match self.renewed(None).await {
                Ok(()) => {}
                Err(Broken::LeaseLost) => return Ran::LeaseLost,
                // As long as the lease lasts it is tried again; then another server may take the job.
                Err(Broken::Failed(err)) => {
                    let error = &err as &dyn std::error::Error;
                    tracing::warn!(error, job = %self.job.id, "the lease of a job could not be renewed");
                }
            }
        }
    }

    /// Writes what came of it; while the store is away, for as long as the lease lasts.
    async fn end(&self, ran: &Ran, pace: Pace) {
        let (tenant, id, kind) = (self.job.tenant, self.job.id, self.job.kind);
        if let Ran::Failed(failure) = ran {
            tracing::warn!(why = failure.error, %tenant, job = %id, %kind, "an attempt at a job failed");
        }
        for is_last in (0..END_TRIES).map(|tried| tried + 1 == END_TRIES) {
            match self.ended(ran).await {
                Ok(()) => return,
                Err(Broken::LeaseLost) => {
                    tracing::info!(%tenant, job = %id, %kind, "a job is not this server's any more");
                    return;
                }
                Err(Broken::Failed(err)) if is_last => {
                    let error = &err as &dyn std::error::Error;
                    // Its lease ends, and then it is tried again.
                    tracing::warn!(error, %tenant, job = %id, %kind, "what came of a job could not be written");
                }
                Err(Broken::Failed(_)) => tokio::time::sleep(pace.renew_every).await,
            }
        }
    }

    async fn ended(&self, ran: &Ran) -> Result<(), Broken> {
        let policy = policy_of(&self.spine, self.job.kind);
        match ran {
            Ran::Done => self.write(&|job, now| parted(complete(job, &self.by, &policy, now))).await,
            Ran::Failed(failure) => {
                let most = JobRetryManager::new(policy.retry).jitter_below(self.job.attempts);
                // It is drawn with both ends, and is to be below the upper.
                let jitter = self.spine.jitter(most.saturating_sub(Duration::from_millis(1)));
                self.write(&|job, now| parted(fail(job, failure, jitter, &self.by, &policy, now))).await
            }
            Ran::LeaseLost => Err(Broken::LeaseLost),
        }
    }

    /// Gives it back: this server stops.
    pub(super) async fn hand_back(&self) -> Result<(), Broken> {
        self.write(&|job, now| parted(hand_back(job, &self.by, now))).await
    }

    /// Writes what `becomes` of the job, if this server still has it.
    async fn write<Becomes>(&self, becomes: &Becomes) -> Result<(), Broken>
    where
        Becomes: Fn(Job, DateTime<Utc>) -> (Job, Option<JobAuditEvent>) + Sync,
    {
        let has_it = retrying(&self.spine, || self.attempt(becomes)).await?;
        if has_it { Ok(()) } else { Err(Broken::LeaseLost) }
    }

    async fn attempt<Becomes>(&self, becomes: &Becomes) -> Result<bool, Error>
    where
        Becomes: Fn(Job, DateTime<Utc>) -> (Job, Option<JobAuditEvent>) + Sync,
    {
        let Job { tenant, id, lease, .. } = self.job;
        let tx = self.spine.begin().await?;
        let Some(job) = tx.jobs().lock_held(tenant, id, lease).await? else { return Ok(false) };
        let (job, event) = becomes(job, self.spine.now());
        tx.jobs().save_job(&job).await?;
        tx.jobs().insert_job_events(event.as_slice()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn parted(moved: Moved) -> (Job, Option<JobAuditEvent>) {
    (moved.job, Some(moved.event))
}

/// What may pass by itself.
fn failed(why: &str) -> Ran {
    Ran::Failed(Failure { error: told(why), may_pass: true })
}

/// What an operation ended in, as an attempt tells it: what was refused is refused again.
fn failure_of(err: &Error) -> Failure {
    let is_refused = matches!(
        err,
        Error::NotFound { .. } | Error::Invalid(_) | Error::Unreadable(_) | Error::Conflict { .. }
    );
    // Viewers see it; and Postgres keeps no NUL, which a text that is quoted may have.
    Failure { error: told(&err.in_short()).replace('\0', " "), may_pass: !is_refused }
}
