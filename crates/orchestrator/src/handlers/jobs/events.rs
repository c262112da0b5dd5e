//! The events of a job as they happen, and how far it is between them, for whoever waits for it.
//!
//! Events are read from committed rows, in the order of the chain. So a stream that broke goes on behind the last event
//! that its reader has, at any replica. Nothing tells a server what another one does for a job: a stream looks once a
//! second.

use std::{collections::VecDeque, time::Duration};

use models::{
    ids::JobId,
    jobs::{Job, JobAuditEvent, ProgressStage},
};

use crate::{
    context::CallContext,
    errors::Error,
    spine::Spine,
    streams::{AT_ONCE, Place, Woken},
};

/// How often a stream looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
    job: JobId,
    /// The place of the next event.
    next: u64,
    /// How far it was when that was told last.
    told: Option<(ProgressStage, u64)>,
    waiting: VecDeque<JobEvent>,
    done: bool,
    /// Whether all that was there has been read.
    caught_up: bool,
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
        job: id,
        next,
        told: None,
        waiting: VecDeque::new(),
        done: false,
        caught_up: false,
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
            if self.caught_up && self.place.rests(LOOK_EVERY).await == Woken::End {
                return Ok(None);
            }
            self.look().await?;
            self.caught_up = self.waiting.is_empty();
        }
    }

    /// Reads what is new, all of it from one moment.
    async fn look(&mut self) -> Result<(), Error> {
        let (store, tenant) = (self.spine.read_first().await?, self.ctx.tenant.id);
        let found = store.jobs().find_job(tenant, self.job).await?;
        let job = found.ok_or_else(|| Error::not_found("job", self.job))?;
        let events = store.jobs().events_from(tenant, self.job, self.next, AT_ONCE).await?;
        self.next += events.len() as u64;
        self.waiting.extend(events.into_iter().map(|event| JobEvent::Happened(Box::new(event))));
        if self.next < job.events {
            return Ok(());
        }
        let stands = (job.stage, job.percentage);
        if job.state.is_over() {
            self.done = true;
            self.waiting.push_back(JobEvent::Ended(Box::new(job)));
        } else if self.told.replace(stands) != Some(stands) {
            self.waiting.push_back(JobEvent::Progress(Box::new(job), self.next.saturating_sub(1)));
        }
        Ok(())
    }
}
