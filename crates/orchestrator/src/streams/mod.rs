//! Streams of events that are open at this replica: how many there are, what wakes them, and when they must end.
//!
//! A stream asks the store only when there is something for it. One watcher a tenant looks for all of the tenant's
//! streams, so quiet streams cost next to nothing, however many there are.
//!
//! Places for streams are bounded in all, for each tenant and for each key, each bound below the one before. An agent
//! hears of a kill by its stream, and nobody may take that from another agent.

mod news;
mod watcher;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use models::{
    activity::Pulse,
    ids::{JobId, KeyId, RunId, TenantId},
    jobs::Job,
};
use tokio::sync::watch;

use self::news::{Caught, Numbered, Watched};
pub(crate) use self::watcher::{AT_ONCE, end_of};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// What open streams share. The spine keeps it.
pub(crate) struct Streams {
    most: usize,
    closing: watch::Sender<bool>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of_key: HashMap<KeyId, usize>,
    of_tenant: HashMap<TenantId, Followed>,
}

/// A tenant that is followed.
struct Followed {
    streams: usize,
    watched: Arc<Watched>,
}

impl Spine {
    pub(crate) fn streams(&self) -> &Streams {
        self.standing()
    }

    /// Ends every stream of events that is open, and each that is opened from now on: the server stops.
    pub fn close_streams(&self) {
        self.streams().closing.send_replace(true);
    }

    /// True from when the server stops.
    #[must_use]
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.streams().closing.subscribe()
    }
}

impl Streams {
    /// Takes `most` streams in all, half of them for one tenant and a quarter for one key.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), closing: watch::Sender::new(false), open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more of the caller; none where there are too many already.
    pub(crate) fn enter(&self, spine: &Spine, ctx: &CallContext) -> Result<Place, Error> {
        let (tenant, key) = (ctx.tenant.id, ctx.key);
        let mut open = self.open();
        let of_tenant = open.of_tenant.get(&tenant).map_or(0, |followed| followed.streams);
        let of_key = open.of_key.get(&key).copied().unwrap_or_default();
        let is_full =
            open.all >= self.most || of_tenant >= self.most.div_ceil(2) || of_key >= self.most.div_ceil(4);
        if is_full {
            return Err(Error::Busy);
        }
        open.all += 1;
        *open.of_key.entry(key).or_default() += 1;
        let followed = open.of_tenant.entry(tenant).or_insert_with(|| {
            let (watched, watching) = Watched::new();
            // It ends when the last stream of the tenant has gone.
            tokio::spawn(watcher::watch(spine.clone(), tenant, Arc::clone(&watched), watching));
            Followed { streams: 0, watched }
        });
        followed.streams += 1;
        let watched = Arc::clone(&followed.watched);
        drop(open);
        let (opens, alive) = (watched.key(key), watched.is_watched());
        Ok(Place {
            spine: spine.clone(),
            tenant,
            key,
            watched,
            opens,
            alive,
            closing: self.closing.subscribe(),
        })
    }

    /// Something happened that the tenant's streams must hear of before the watcher would look by itself.
    pub(crate) fn stir(&self, tenant: TenantId) {
        if let Some(followed) = self.open().of_tenant.get(&tenant) {
            followed.watched.stir();
        }
    }

    /// Forgets the watcher of a tenant: it has ended.
    fn forget(&self, tenant: TenantId, watched: &Arc<Watched>) {
        let mut open = self.open();
        if open.of_tenant.get(&tenant).is_some_and(|followed| Arc::ptr_eq(&followed.watched, watched)) {
            open.of_tenant.remove(&tenant);
        }
    }

    /// Whether nobody follows the tenant any more; then it is forgotten.
    fn is_left(&self, tenant: TenantId, watched: &Arc<Watched>) -> bool {
        let mut open = self.open();
        match open.of_tenant.get(&tenant) {
            Some(followed) if Arc::ptr_eq(&followed.watched, watched) && followed.streams > 0 => false,
            Some(followed) if Arc::ptr_eq(&followed.watched, watched) => {
                open.of_tenant.remove(&tenant);
                true
            }
            _ => true,
        }
    }
}

/// The place of one stream, given back when it is dropped.
pub(crate) struct Place {
    spine: Spine,
    tenant: TenantId,
    key: KeyId,
    watched: Arc<Watched>,
    /// Whether the caller's key opens anything, as the watcher last saw.
    opens: watch::Receiver<bool>,
    /// Ends with the watcher.
    alive: watch::Receiver<()>,
    closing: watch::Receiver<bool>,
}

/// Why a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// There is something for it.
    News,
    /// It ends: the key is revoked, the store fell back, or the server stops.
    End,
}

impl Place {
    /// Follows a run: what is there now is for the caller to read, after this.
    pub(crate) fn follow(&self, run: RunId) -> watch::Receiver<Option<Pulse>> {
        self.watched.run(run)
    }

    /// Follows a job: how it stands now comes with the watcher's next look.
    pub(crate) fn follow_job(&self, job: JobId) -> watch::Receiver<Option<Arc<Job>>> {
        self.watched.job(job)
    }

    /// Whether the stream may go on.
    pub(crate) fn goes_on(&self) -> bool {
        *self.opens.borrow() && !*self.closing.borrow() && self.alive.has_changed().is_ok()
    }

    /// Waits until something has happened in the run or the job that is followed.
    pub(crate) async fn goes_on_with<T>(&mut self, followed: &mut watch::Receiver<T>) -> Woken {
        tokio::select! {
            changed = followed.changed() => if changed.is_ok() { Woken::News } else { Woken::End },
            () = ends(&mut self.opens, &mut self.alive, &mut self.closing) => Woken::End,
        }
    }

    /// Waits until the tenant's run log has a leaf `next`.
    pub(crate) async fn log_goes_on(&mut self, next: u64) -> Woken {
        let mut size = self.watched.log_size();
        tokio::select! {
            grown = size.wait_for(|size| *size > next) => if grown.is_ok() { Woken::News } else { Woken::End },
            () = ends(&mut self.opens, &mut self.alive, &mut self.closing) => Woken::End,
        }
    }

    /// What the watcher still has of the run log from leaf `next` on, and where that ends; none where the store must be
    /// asked.
    pub(crate) fn log_from(&self, next: u64) -> Option<(u64, Numbered)> {
        match self.watched.log_from(next) {
            Caught::All(end, events) => Some((end, events)),
            Caught::NotAll => None,
        }
    }
}

/// Waits until a stream must end.
async fn ends(
    opens: &mut watch::Receiver<bool>,
    alive: &mut watch::Receiver<()>,
    closing: &mut watch::Receiver<bool>,
) {
    tokio::select! {
        _ = opens.wait_for(|opens| !opens) => {}
        // It says nothing; it is gone with the watcher.
        _ = alive.changed() => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("tenant", &self.tenant).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.watched.leaves(self.key);
        let mut open = self.spine.streams().open();
        open.all -= 1;
        if let Some(of_key) = open.of_key.get_mut(&self.key) {
            *of_key -= 1;
            if *of_key == 0 {
                open.of_key.remove(&self.key);
            }
        }
        if let Some(followed) = open.of_tenant.get_mut(&self.tenant)
            && Arc::ptr_eq(&followed.watched, &self.watched)
        {
            followed.streams -= 1;
        }
    }
}
