//! Grouped commit: what waits for a tenant's choke point shares one transaction.
//!
//! No timer. The first call finds its lane idle and goes at once, alone; calls that arrive while it commits
//! wait together and go as the next group. So a lone call pays nothing, and a crowd shares the commit.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use models::ids::TenantId;
use tokio::sync::oneshot;

use super::{
    call::Answer,
    group,
    item::{Bond, Item, MAX_GROUP, MAX_GROUP_BYTES, Reply, Seats},
    prepare::Call,
};
use crate::{budget::Budget, context::TenantSettings, errors::Error, spine::Spine};

/// The waiting room of the choke point: one lane a tenant.
pub(crate) struct Queue {
    lanes: Mutex<HashMap<TenantId, Lane>>,
    /// The newest settings that anybody came with. A lane may go on for hours, and credentials that are older come even
    /// after newer ones while the store is down: neither may bring back what a tenant has changed.
    newest: Mutex<HashMap<TenantId, Arc<TenantSettings>>>,
    /// The places of what waits, and its bytes.
    places: Budget,
    bytes: Budget,
    /// How many calls have come.
    came: AtomicU64,
}

#[derive(Default)]
struct Lane {
    items: VecDeque<Item>,
    busy: bool,
}

impl Queue {
    pub(crate) fn new(places: Budget, bytes: Budget) -> Self {
        Self { lanes: Mutex::default(), newest: Mutex::default(), places, bytes, came: AtomicU64::new(0) }
    }

    pub(super) fn budgets(&self) -> [&Budget; 2] {
        [&self.places, &self.bytes]
    }

    pub(crate) fn calls(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// Puts `calls` in line and waits for their answers; `None` for a call of a batch that was not attempted.
    pub(crate) async fn submit(
        &self,
        spine: &Spine,
        tenant: &Arc<TenantSettings>,
        calls: Vec<Call>,
        bond: Bond,
    ) -> Result<Vec<Option<Answer>>, Error> {
        let count = calls.len();
        self.came.fetch_add(count as u64, Ordering::Relaxed);
        let weight: usize = calls.iter().map(Call::weight).sum();
        let (places, bytes) = (self.places.share(Some(tenant.id)), self.bytes.share(Some(tenant.id)));
        places.take(count)?;
        bytes.take(weight)?;
        let (answer, answered) = oneshot::channel();
        let reply = Reply::new(answer, Seats::of(places, bytes));
        if self.enter(tenant.id, Item { calls, weight, bond, tenant: Arc::clone(tenant), reply }) {
            set_going(spine.clone(), tenant.id);
        }
        answered.await.map_err(|_| Error::Internal("the choke point lost a call".to_owned()))
    }

    /// The tenant of a group as it is by the newest settings that came with one of its items, or before.
    pub(super) fn newest(&self, items: &[Item]) -> Option<Arc<TenantSettings>> {
        let came = items.iter().map(|item| &item.tenant).max_by_key(|tenant| tenant.generation)?;
        Some(self.learn(came))
    }

    /// The newest settings of a tenant that anybody came with, these among them.
    pub(super) fn learn(&self, came: &Arc<TenantSettings>) -> Arc<TenantSettings> {
        let mut known = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = known.entry(came.id).or_insert_with(|| Arc::clone(came));
        if newest.generation < came.generation {
            newest.clone_from(came);
        }
        Arc::clone(newest)
    }

    /// Forgets a tenant's settings: who comes next says what they are.
    pub(super) fn forget_settings(&self, tenant: TenantId) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }

    /// Adds an item; true where the lane was idle and the caller must set it going.
    fn enter(&self, tenant: TenantId, item: Item) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(tenant).or_default();
        lane.items.push_back(item);
        !mem::replace(&mut lane.busy, true)
    }

    /// Takes the next group; `None` leaves the lane idle.
    fn take(&self, tenant: TenantId) -> Option<Vec<Item>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get_mut(&tenant)?;
        let mut group = Vec::new();
        let (mut size, mut bytes) = (0, 0);
        while let Some(item) = lane.items.front() {
            let is_full = size + item.calls.len() > MAX_GROUP || bytes + item.weight > MAX_GROUP_BYTES;
            if size > 0 && is_full {
                break;
            }
            size += item.calls.len();
            bytes += item.weight;
            group.extend(lane.items.pop_front());
        }
        if group.is_empty() {
            lanes.remove(&tenant);
            return None;
        }
        Some(group)
    }
}

/// Works a lane in a task of its own: it outlives its caller, for a cut connection must not cut the group that it
/// leads. No `async fn`, whose code each crate that submits calls would build for itself, and with it the choke
/// point's.
fn set_going(spine: Spine, tenant: TenantId) {
    tokio::spawn(drain(spine, tenant));
}

/// Works a lane until it is empty. A panic in a group fails that group's calls, never the lane.
async fn drain(spine: Spine, tenant: TenantId) {
    while let Some(items) = spine.choke().queue.take(tenant) {
        let work = tokio::spawn(group::run(spine.clone(), items));
        if let Err(err) = work.await {
            tracing::error!(error = %err, "a group of the choke point panicked; its callers were told that it failed");
        }
    }
}
