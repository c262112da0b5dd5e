//! What happens, as it happens: a run's steps and its end, for whoever watches it and for its own agent; and the
//! beginnings and ends of all runs of a tenant.
//!
//! Events are read from what is committed, in its own order, so a stream that broke goes on behind the last one that
//! its reader has, at any replica, and tells nothing that could be undone. A stream reads when its tenant's watcher (see
//! `streams`) says that there is something for it, and rests until then.

use std::{collections::VecDeque, time::Duration};

use drivers::ReadTx;
use models::{
    activity::{Ack, AckVia, Pulse, Run, RunState},
    ids::{InterventionId, KeyId, RunId},
    page::{Cursor, PageRequest},
};
use proof::{
    leaves::RunLeaf,
    words::{InterventionKind, LogName, RunStatus},
};
use tokio::sync::watch;

use super::activity::{self, InterventionView, StepView};
use crate::{
    context::CallContext,
    errors::Error,
    spine::Spine,
    streams::{AT_ONCE, Place, Woken, end_of},
};

/// How long a stream rests that was told of events which are not there.
const REST: Duration = Duration::from_millis(250);

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
    let found = activity::find(&store, ctx, run).await?;
    let after = match from {
        RunPlace::Beginning => None,
        RunPlace::Step(index) => Some(index),
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
            if self.caught_up && self.place.run_goes_on(&mut self.pulse).await == Woken::End {
                return Ok(None);
            }
            self.look().await?;
            self.caught_up = self.waiting.is_empty();
        }
    }

    /// Reads what is new, all of it from one moment, and not behind somebody's lists.
    async fn look(&mut self) -> Result<(), Error> {
        let store = self.spine.read_first().await?;
        let run = activity::find(&store, &self.ctx, self.run).await?;
        let page =
            self.after.map_or_else(PageRequest::default, |after| PageRequest::from(Cursor::After(after)));
        let page = activity::steps_of(&store, &self.ctx, &run, page).await?;
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
    let acts = activity::interventions_of(store, ctx, run).await?;
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

/// What happened among a tenant's runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantEvent {
    /// A run began.
    Opened {
        /// It.
        run_id: RunId,
        /// When.
        started_at: String,
    },
    /// A run is sealed.
    Sealed {
        /// It.
        run_id: RunId,
        /// How it ended.
        status: RunStatus,
        /// When.
        sealed_at: String,
    },
    /// Something came to a sealed run.
    Added {
        /// The run.
        run_id: RunId,
        /// When.
        added_at: String,
    },
}

/// A tenant that is followed.
#[derive(Debug)]
pub struct TenantEvents {
    spine: Spine,
    ctx: CallContext,
    next: u64,
    waiting: VecDeque<(u64, TenantEvent)>,
    place: Place,
}

/// `activity.tenant_events`: follows the tenant's runs, an agent its own: from behind the event `after`, else from now.
#[tracing::instrument(name = "activity.tenant_events", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn tenant_events(
    spine: &Spine,
    ctx: &CallContext,
    after: Option<u64>,
) -> Result<TenantEvents, Error> {
    let place = spine.streams().enter(spine, ctx)?;
    let next = if let Some(after) = after {
        after.saturating_add(1)
    } else {
        let head = spine.read_first().await?.ledger().head(ctx.tenant.id, LogName::Runs).await?;
        head.map_or(0, |head| head.frontier.size())
    };
    Ok(TenantEvents { spine: spine.clone(), ctx: ctx.clone(), next, waiting: VecDeque::new(), place })
}

impl TenantEvents {
    /// The next event and its number, as soon as there is one; none when the key is revoked or the server stops.
    pub async fn next(&mut self) -> Result<Option<(u64, TenantEvent)>, Error> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if !self.place.goes_on() || self.place.log_goes_on(self.next).await == Woken::End {
                return Ok(None);
            }
            match self.place.log_from(self.next) {
                Some((end, events)) => {
                    self.next = self.next.max(end);
                    for (index, event) in events {
                        self.hear(index, event.run, event.key, &event.leaf);
                    }
                }
                None if self.look().await? => {}
                // The watcher has seen what is not there: the store fell back, which the server tells by itself.
                None => tokio::time::sleep(REST).await,
            }
        }
    }

    /// Reads what is new and not at hand; whether the log has anything there.
    async fn look(&mut self) -> Result<bool, Error> {
        let tenant = self.ctx.tenant.id;
        let store = self.spine.read_first().await?;
        let head = store.ledger().head(tenant, LogName::Runs).await?;
        let size = head.map_or(0, |head| head.frontier.size());
        if size <= self.next {
            return Ok(false);
        }
        let leaves = store.ledger().run_log_from(tenant, self.next, AT_ONCE).await?;
        self.next = end_of(&leaves, size);
        let ids: Vec<RunId> = leaves.iter().map(|leaf| leaf.run_id).collect();
        let runs = store.activity().pulses(tenant, &ids).await?;
        drop(store);
        for entry in leaves {
            if let Some(run) = runs.iter().find(|run| run.run == entry.run_id) {
                self.hear(entry.leaf_index, run.run, run.key, &entry.leaf);
            }
        }
        Ok(true)
    }

    /// Keeps an event for the reader, if it is for them.
    fn hear(&mut self, index: u64, run_id: RunId, key: KeyId, leaf: &RunLeaf) {
        if self.ctx.sees_only_own_runs() && key != self.ctx.key {
            return;
        }
        let event = match leaf {
            RunLeaf::Opened(leaf) => TenantEvent::Opened { run_id, started_at: leaf.started_at.clone() },
            RunLeaf::Sealed(leaf) => {
                TenantEvent::Sealed { run_id, status: leaf.status, sealed_at: leaf.sealed_at.clone() }
            }
            RunLeaf::Addendum(leaf) => TenantEvent::Added { run_id, added_at: leaf.added_at.clone() },
        };
        self.waiting.push_back((index, event));
    }
}
