//! The events of a run, as they happen: its steps and its end, for people who watch it and for its own agent.
//!
//! Events are read from committed rows, in the order of the commits. So a stream that broke goes on behind the last
//! event that its reader has, at any replica, and no event is taken back. A stream reads when its tenant's watcher (see
//! `streams`) says that there is something for it, and rests until then.

use std::collections::VecDeque;

use drivers::ReadTx;
use models::{
    activity::{Ack, AckVia, Pulse, Run, RunState},
    ids::{InterventionId, RunId},
    page::{Cursor, PageRequest},
};
use proof::words::InterventionKind;
use tokio::sync::watch;

use super::{
    get::find,
    interventions::{InterventionView, interventions_of},
    steps::{StepView, steps_of},
};
use crate::{
    context::CallContext,
    errors::Error,
    spine::Spine,
    streams::{Place, Woken},
};

/// What happened in a run.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// A step was recorded, or refused.
    Step(Box<StepView>),
    /// A person killed it: its agent must stop.
    Killed(Box<InterventionView>, Box<Run>),
    /// It is sealed.
    Ended(Box<Run>),
}

/// Where a reader of a run's events stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPlace {
    /// It has none yet.
    Beginning,
    /// It has this step.
    Step(u64),
    /// It has the last one.
    End,
}

/// A run that is followed.
#[derive(Debug)]
pub struct RunEvents {
    spine: Spine,
    ctx: CallContext,
    run: RunId,
    after: Option<u64>,
    waiting: VecDeque<RunEvent>,
    done: bool,
    /// A kill that was handed to the connection of the run's own agent.
    told: Option<InterventionId>,
    /// Whether all that was there has been read.
    caught_up: bool,
    pulse: watch::Receiver<Option<Pulse>>,
    place: Place,
}

/// `activity.events`: follows a run from behind `from`; none where nothing can follow any more.
#[tracing::instrument(name = "activity.events", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn events(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    from: RunPlace,
) -> Result<Option<RunEvents>, Error> {
    // Like all of a stream, not behind somebody's lists: it may be how an agent hears of a kill.
    let store = spine.read_first().await?;
    let found = find(&store, ctx, run).await?;
    let after = match from {
        RunPlace::Beginning => None,
        // One that never was is no reason to keep silent about those that come.
        RunPlace::Step(index) => {
            let steps = found.totals().step_count + found.refused_count;
            steps.checked_sub(1).map(|last| index.min(last))
        }
        RunPlace::End => {
            // Who names the last event has it: its connection may have broken before it asked for more.
            let kill = if found.key_id == ctx.key { kill_of(&store, ctx, run).await? } else { None };
            drop(store);
            if let Some(kill) = kill {
                confirm(spine, ctx, run, kill.intervention.id).await?;
            }
            return Ok(None);
        }
    };
    drop(store);
    let place = spine.streams().enter(spine, ctx)?;
    Ok(Some(RunEvents {
        spine: spine.clone(),
        ctx: ctx.clone(),
        run,
        after,
        waiting: VecDeque::new(),
        done: false,
        told: None,
        caught_up: false,
        // Before anything is read, so that nothing that is committed after that is missed.
        pulse: place.follow(run),
        place,
    }))
}

impl RunEvents {
    /// The next event, as soon as there is one; none when the run is over, the key is revoked or the server stops.
    pub async fn next(&mut self) -> Result<Option<RunEvent>, Error> {
        // The connection asks for more: it has taken what it was given before.
        if let Some(kill) = self.told.take() {
            confirm(&self.spine, &self.ctx, self.run, kill).await?;
        }
        loop {
            if let Some(event) = self.waiting.pop_front() {
                if let RunEvent::Killed(kill, run) = &event
                    && run.key_id == self.ctx.key
                {
                    self.told = Some(kill.intervention.id);
                }
                return Ok(Some(event));
            }
            if self.done || !self.place.goes_on() {
                return Ok(None);
            }
            if self.caught_up && self.place.goes_on_with(&mut self.pulse).await == Woken::End {
                return Ok(None);
            }
            self.look().await?;
            self.caught_up = self.waiting.is_empty();
        }
    }

    /// Reads what is new, all of it from one moment, and not behind somebody's lists.
    async fn look(&mut self) -> Result<(), Error> {
        let store = self.spine.read_first().await?;
        let run = find(&store, &self.ctx, self.run).await?;
        let page =
            self.after.map_or_else(PageRequest::default, |after| PageRequest::from(Cursor::After(after)));
        let (page, _) = steps_of(&store, &self.ctx, &run, page).await?;
        if let Some(last) = page.items.last() {
            self.after = Some(last.step.record.step_index);
        }
        let more = page.has_more;
        self.waiting.extend(page.items.into_iter().map(|step| RunEvent::Step(Box::new(step))));
        if run.state == RunState::Completed && !more {
            self.done = true;
            self.waiting.push_back(match kill_of(&store, &self.ctx, self.run).await? {
                Some(kill) => RunEvent::Killed(Box::new(kill), Box::new(run)),
                None => RunEvent::Ended(Box::new(run)),
            });
        }
        Ok(())
    }
}

/// The kill that ended a run.
async fn kill_of(store: &ReadTx, ctx: &CallContext, run: RunId) -> Result<Option<InterventionView>, Error> {
    let acts = interventions_of(store, ctx, run).await?;
    Ok(acts.into_iter().find(|act| {
        act.intervention.kind == InterventionKind::Kill && act.intervention.effective_at.is_some()
    }))
}

/// The run's own agent has taken the news of a kill from its stream.
async fn confirm(spine: &Spine, ctx: &CallContext, run_id: RunId, kill: InterventionId) -> Result<(), Error> {
    let tx = spine.begin().await?;
    let ack = Ack {
        tenant: ctx.tenant.id,
        intervention_id: kill,
        run_id,
        via: AckVia::Stream,
        acked_at: spine.now(),
    };
    tx.activity().insert_acks(&[ack]).await?;
    Ok(tx.commit().await?)
}
