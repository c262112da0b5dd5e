//! What this process saw last of each log, and whether the store still goes on from there.
//!
//! A store can fall back under a running server: a failover to a standby that lagged, a backup put in its place. What was
//! acknowledged after that moment is gone, and a server that noticed nothing would sign a second history beside the one
//! that it has signed. So the heads that commits of ours left, and those that we signed, are remembered, and a head that
//! is to be gone on from must extend what is remembered of its log: it has no fewer leaves, and the same root where it
//! had as many. One that does not is kept in mind until it does, or until somebody has begun a new epoch of the log.
//!
//! What governs a tenant is in no log, and is remembered beside them (`governed`).
//!
//! A head is compared whenever it is locked or signed; all that are remembered are compared before the first unit of work
//! that may write on another Postgres than before, for within one a commit does not go away.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{self, AtomicU64},
    },
};

use models::{ids::TenantId, ledger::LogHead};
use proof::{
    hash::Hash,
    merkle::{root_at, root_nodes},
    words::LogName,
};

use crate::{StoreError, governed::Governed, ledger::LedgerReads};

/// So many logs are remembered at most; of more, those that were touched last.
const MOST: usize = 20_000;

/// The head of a log, as this process saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenHead {
    /// Whose log.
    pub tenant: TenantId,
    /// Which of the two.
    pub log: LogName,
    /// The epoch that it was in.
    pub epoch: u64,
    /// How many leaves it had.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl SeenHead {
    fn of(head: &LogHead) -> Self {
        let LogHead { tenant, log, epoch, ref frontier, .. } = *head;
        Self { tenant, log, epoch, size: frontier.size(), root: frontier.root() }
    }

    /// Whether the log goes on from it.
    async fn leads_to(&self, head: &LogHead, reads: LedgerReads<'_>) -> Result<bool, StoreError> {
        match head.epoch.cmp(&self.epoch) {
            // Whoever began the epoch accepted what the one before it had.
            Ordering::Greater => return Ok(true),
            Ordering::Less => return Ok(false),
            Ordering::Equal => {}
        }
        Ok(match head.frontier.size().cmp(&self.size) {
            Ordering::Less => false,
            Ordering::Equal => head.frontier.root() == self.root,
            // Another process has appended.
            Ordering::Greater => {
                let nodes = reads.nodes(self.tenant, self.log, &root_nodes(self.size)).await?;
                root_at(self.size, |level, index| nodes.get(&(level, index)).copied()).ok() == Some(self.root)
            }
        })
    }
}

/// The heads that one process has seen in its store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    memory: Arc<Mutex<Memory>>,
    /// The Postgres, counted from the first that was met, that all of them were compared with.
    compared: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Memory {
    heads: HashMap<(TenantId, LogName), (u64, SeenHead)>,
    /// Counts what is noted.
    noted: u64,
    /// What the store does not go on from, with the leaves that it has instead.
    fallen: BTreeMap<(TenantId, LogName), (SeenHead, u64)>,
    /// What is in no log.
    governed: Governed,
}

/// Forgets those that were noted longest ago, where there are too many.
pub(crate) fn shed<K, V>(known: &mut HashMap<K, (u64, V)>) {
    if known.len() > MOST {
        let mut times: Vec<u64> = known.values().map(|(at, _)| *at).collect();
        let (_, middle, _) = times.select_nth_unstable(MOST / 2);
        let middle = *middle;
        known.retain(|_, (at, _)| *at > middle);
    }
}

impl Seen {
    /// Remembers a head that is committed.
    pub(crate) fn note(&self, head: &LogHead) {
        let key = (head.tenant, head.log);
        let mut memory = self.memory();
        memory.noted += 1;
        let now = memory.noted;
        let place = |head: &SeenHead| (head.epoch, head.size);
        match memory.heads.get_mut(&key) {
            Some((at, known)) => {
                *at = now;
                if place(known) < (head.epoch, head.frontier.size()) {
                    *known = SeenHead::of(head);
                }
            }
            None => _ = memory.heads.insert(key, (now, SeenHead::of(head))),
        }
        shed(&mut memory.heads);
    }

    /// Remembers how often what governs a tenant had changed, as committed.
    pub(crate) fn note_governed(&self, tenant: TenantId, count: u64) {
        let mut memory = self.memory();
        memory.noted += 1;
        let now = memory.noted;
        memory.governed.note(tenant, count, now);
    }

    /// How much was noted. A unit of work that begins now sees all of them.
    pub(crate) fn noted(&self) -> u64 {
        self.memory().noted
    }

    /// Holds a head against what is remembered of its log. Where it does not go on from that, the store is only read.
    ///
    /// `began` is what [`Self::noted`] said when the unit of work began that read the head. What was noted after that says
    /// nothing of a head that may have been read before.
    pub(crate) async fn compare(
        &self,
        head: &LogHead,
        reads: LedgerReads<'_>,
        began: u64,
    ) -> Result<(), StoreError> {
        let key = (head.tenant, head.log);
        let seen = {
            let memory = self.memory();
            let fallen = memory.fallen.get(&key).map(|(seen, _)| seen);
            let known = || memory.heads.get(&key).filter(|(at, _)| *at <= began).map(|(_, seen)| seen);
            fallen.or_else(known).cloned()
        };
        let Some(seen) = seen else { return Ok(()) };
        if seen.leads_to(head, reads).await? {
            self.memory().fallen.remove(&key);
            return Ok(());
        }
        self.memory().fallen.insert(key, (seen, head.frontier.size()));
        Err(StoreError::ReadOnly(self.fell_back().unwrap_or_default()))
    }

    /// Holds how often what governs a tenant has changed against what is remembered of it. `began` as in [`Self::compare`].
    pub(crate) fn compare_governed(&self, tenant: TenantId, has: u64, began: u64) -> Result<(), StoreError> {
        let mut memory = self.memory();
        if memory.governed.leads(tenant, has, began) {
            return Ok(());
        }
        Err(StoreError::ReadOnly(memory.governed.fell_back().unwrap_or_default()))
    }

    /// The tenants of which it is remembered what governs them.
    pub(crate) fn governed(&self) -> Vec<TenantId> {
        self.memory().governed.tenants()
    }

    /// Holds every log that is remembered against the heads of a store.
    pub(crate) async fn compare_all(&self, reads: LedgerReads<'_>, began: u64) -> Result<(), StoreError> {
        let known: BTreeSet<(TenantId, LogName)> = {
            let memory = self.memory();
            memory.heads.keys().chain(memory.fallen.keys()).copied().collect()
        };
        if known.is_empty() {
            return Ok(());
        }
        let heads = reads.all_heads().await?;
        let mut heads: HashMap<_, LogHead> =
            heads.into_iter().map(|head| ((head.tenant, head.log), head)).collect();
        let mut fallen = None;
        for (tenant, log) in known {
            let head = heads.remove(&(tenant, log)).unwrap_or_else(|| LogHead::empty(tenant, log));
            match self.compare(&head, reads, began).await {
                Err(err @ StoreError::ReadOnly(_)) => fallen = Some(err),
                other => other?,
            }
        }
        fallen.map_or(Ok(()), Err)
    }

    /// Whether all were compared with this Postgres.
    pub(crate) fn is_compared(&self, with: u64) -> bool {
        self.compared.load(atomic::Ordering::Acquire) == with
    }

    pub(crate) fn set_compared(&self, with: u64) {
        self.compared.store(with, atomic::Ordering::Release);
    }

    /// What was seen and is not there any more.
    pub(crate) fn fallen(&self) -> Vec<SeenHead> {
        self.memory().fallen.values().map(|(seen, _)| seen.clone()).collect()
    }

    /// Why the store is only read, where it fell back.
    pub(crate) fn fell_back(&self) -> Option<String> {
        let memory = self.memory();
        let Some((seen, has)) = memory.fallen.values().next() else { return memory.governed.fell_back() };
        let SeenHead { tenant, log, size, .. } = seen;
        let instead = match has.cmp(size) {
            Ordering::Less => format!("has {has}"),
            Ordering::Equal | Ordering::Greater => "has others in their place".to_owned(),
        };
        Some(format!(
            "this store fell back under the server: the {log} log of tenant {tenant} had {size} leaves when this \
             server saw it last, and {instead}. It is read and not written; put a newer store in its place, or accept \
             the loss with `hoc doctor --accept-restore`"
        ))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proof::hash::sha256;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn of_very_many_logs_those_touched_last_are_remembered() {
        let seen = Seen::default();
        for n in 0..=MOST {
            let mut head = LogHead::empty(TenantId(Uuid::from_u128(n as u128)), LogName::Runs);
            head.frontier.push(sha256(b"leaf"));
            seen.note(&head);
        }
        let memory = seen.memory();
        assert!(memory.heads.len() <= MOST, "{}", memory.heads.len());
        let known =
            |n: usize| memory.heads.contains_key(&(TenantId(Uuid::from_u128(n as u128)), LogName::Runs));
        assert!(known(MOST) && !known(0));
    }
}
