//! The events of a job as they happen, and how far it is between them, for whoever waits for it.
//!
//! Events are read from committed rows, in the order of the chain. So a stream that broke goes on behind the last event
//! that its reader has, at any replica. The tenant's watcher (see `streams`) looks once a second at all jobs that are
//! followed, and says what is new; a stream reads the events that it has not, and rests until then.

use std::{collections::VecDeque, sync::Arc};

use models::{
    ids::JobId,
    jobs::{Job, JobAuditEvent, ProgressStage},
};

use tokio::sync::watch;

use crate::{
    context::CallContext,
    errors::Error,
    spine::Spine,
    streams::{AT_ONCE, Place, Woken},
};

/// What happened to a job.
#[derive(Clone, Debug)]
pub enum JobEvent {
    /// Its chain has another event.
    Happened(Box<JobAuditEvent>),
    /// It is further on. With the place of the last event before that.
    Progress(Box<Job>, u64),
    /// It is over.
    Ended(Box<Job>),
}

/// Where a reader of a job's events stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobPlace {
    /// It has none yet.
    Beginning,
    /// It has this event.
    Event(u64),
    /// It has the last one.
    End,
}

/// A job that is followed.
#[derive(Debug)]
pub struct JobEvents {
    spine: Spine,
    ctx: CallContext,
    /// As it was when it was looked at last.
    job: Arc<Job>,
    /// The place of the next event.
    next: u64,
    /// How far it was when that was told last.
    told: Option<(ProgressStage, u64)>,
    waiting: VecDeque<JobEvent>,
    done: bool,
    /// Whether all that was there has been read.
    caught_up: bool,
    news: watch::Receiver<Option<Arc<Job>>>,
    place: Place,
}

/// `jobs.events`: follows a job from behind `from`; none where nothing can follow any more.
#[tracing::instrument(name = "jobs.events", skip_all, fields(tenant = %ctx.tenant.id, job = %id))]
pub async fn events(
    spine: &Spine,
    ctx: &CallContext,
    id: JobId,
    from: JobPlace,
) -> Result<Option<JobEvents>, Error> {
    let found = spine.read_first().await?.jobs().find_job(ctx.tenant.id, id).await?;
    let job = found.ok_or_else(|| Error::not_found("job", id))?;
    let next = match from {
        JobPlace::Beginning => 0,
        // One that never was is no reason to keep silent about those that come.
        JobPlace::Event(seq) => seq.saturating_add(1).min(job.events),
        JobPlace::End => return Ok(None),
    };
    let place = spine.streams().enter(spine, ctx)?;
    Ok(Some(JobEvents {
        spine: spine.clone(),
        ctx: ctx.clone(),
        job: Arc::new(job),
        next,
        told: None,
        waiting: VecDeque::new(),
        done: false,
        caught_up: false,
        news: place.follow_job(id),
        place,
    }))
}

impl JobEvents {
    /// The next event, as soon as there is one; none when the job is over, the key is revoked or the server stops.
    pub async fn next(&mut self) -> Result<Option<JobEvent>, Error> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.done || !self.place.goes_on() {
                return Ok(None);
            }
            if self.caught_up && self.place.goes_on_with(&mut self.news).await == Woken::End {
                return Ok(None);
            }
            self.look().await?;
            self.caught_up = self.waiting.is_empty();
        }
    }

    /// Reads the events that are new, as far as the job goes that was looked at.
    async fn look(&mut self) -> Result<(), Error> {
        // What another stream was told last may be older than what this one began with.
        let how_far = |job: &Job| (job.events, job.percentage);
        let news = self.news.borrow_and_update().clone();
        if let Some(job) = news.filter(|job| how_far(job) >= how_far(&self.job)) {
            self.job = job;
        }
        let job = Arc::clone(&self.job);
        if self.next < job.events {
            let (store, most) = (self.spine.read_first().await?, AT_ONCE.min(job.events - self.next));
            let events = store.jobs().events_from(self.ctx.tenant.id, job.id, self.next, most).await?;
            // What is gone of its chain does not come any more.
            self.next = events.last().map_or(job.events, |last| last.seq + 1);
            self.waiting.extend(events.into_iter().map(|event| JobEvent::Happened(Box::new(event))));
        }
        if self.next < job.events {
            return Ok(());
        }
        let stands = (job.stage, job.percentage);
        if job.state.is_over() {
            self.done = true;
            self.waiting.push_back(JobEvent::Ended(Box::new(Job::clone(&job))));
        } else if self.told.replace(stands) != Some(stands) {
            self.waiting
                .push_back(JobEvent::Progress(Box::new(Job::clone(&job)), self.next.saturating_sub(1)));
        }
        Ok(())
    }
}
