//! What happens among a tenant's runs, as it happens: their beginnings and ends, read as the events of one run are.

use std::{collections::VecDeque, time::Duration};

use models::ids::{KeyId, RunId};
use proof::{
    leaves::RunLeaf,
    words::{LogName, RunStatus},
};

use crate::{
    context::CallContext,
    errors::Error,
    spine::Spine,
    streams::{AT_ONCE, Place, Woken, end_of},
};

/// How long a stream rests that was told of events which are not there.
const REST: Duration = Duration::from_millis(250);

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
    /// What was kept of the texts of a sealed run was erased.
    Erased {
        /// The run.
        run_id: RunId,
        /// When.
        erased_at: String,
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
/// From now too where the log has no such event: that it never was, or was lost by a restore, is no reason to keep
/// silent about what comes.
#[tracing::instrument(name = "activity.tenant_events", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn tenant_events(
    spine: &Spine,
    ctx: &CallContext,
    after: Option<u64>,
) -> Result<TenantEvents, Error> {
    let place = spine.streams().enter(spine, ctx)?;
    let head = spine.read_first().await?.ledger().head(ctx.tenant.id, LogName::Runs).await?;
    let size = head.map_or(0, |head| head.frontier.size());
    let next = after.map_or(size, |after| after.saturating_add(1).min(size));
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
            RunLeaf::Erased(leaf) => TenantEvent::Erased { run_id, erased_at: leaf.erased_at.clone() },
            RunLeaf::Addendum(leaf) => TenantEvent::Added { run_id, added_at: leaf.added_at.clone() },
        };
        self.waiting.push_back((index, event));
    }
}
