//! What this process saw last of each log, and whether the store still goes on from there.
//!
//! A store can fall back under a running server: a failover to a standby that lagged, or a backup put in its place.
//! Rows that were acknowledged after that moment are gone then, and a server that did not notice would sign a second
//! history beside the first. So this remembers two heads of each log: the one that our last commit left, and the last
//! one that we signed.
//!
//! A head from which a log is to go on must extend the remembered ones: it has no fewer leaves, and the same root where
//! it has as many. A log whose head does not is noted, until its head extends them again or until somebody has begun a
//! new epoch of the log.
//!
//! Heads are compared (`ledger/compare.rs`) whenever one is locked or signed. After a change to another Postgres, all
//! remembered heads are compared before the first unit of work that may write. Within one Postgres a commit does not go
//! away.
//!
//! Freezes, keys and settings of a tenant are in no log. They are remembered beside the heads (`governed`).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{self, AtomicU64},
    },
};

use models::{ids::TenantId, ledger::LogHead};
use proof::{hash::Hash, words::LogName};

use crate::{
    StoreError,
    governed::{Change, Found, Governed, shed},
};

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
}

/// The heads that one process has seen in its store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    memory: Arc<Mutex<Memory>>,
    /// The Postgres, counted from the first that was met, that all of them were compared with.
    compared: Arc<AtomicU64>,
    /// How often the store was found to have fallen back, or that somebody had accepted that it had.
    falls: Arc<AtomicU64>,
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
    /// How often an epoch was met that somebody had begun of a log, of each tenant that had one.
    acceptances: HashMap<TenantId, u64>,
}

impl Memory {
    fn note(&mut self, head: &LogHead) {
        self.noted += 1;
        let now = self.noted;
        let place = |head: &SeenHead| (head.epoch, head.size);
        match self.heads.get_mut(&(head.tenant, head.log)) {
            Some((at, known)) => {
                *at = now;
                if place(known) < (head.epoch, head.frontier.size()) {
                    *known = SeenHead::of(head);
                }
            }
            None => _ = self.heads.insert((head.tenant, head.log), (now, SeenHead::of(head))),
        }
        shed(&mut self.heads);
    }
}

impl Seen {
    /// Remembers a head that is committed.
    pub(crate) fn note(&self, head: &LogHead) {
        self.memory().note(head);
    }

    /// Remembers a change of what governs a tenant that is committed.
    pub(crate) fn note_governed(&self, tenant: TenantId, change: Change) {
        let mut memory = self.memory();
        memory.noted += 1;
        let now = memory.noted;
        memory.governed.note(tenant, change, now);
    }

    /// How much was noted. A unit of work that begins now sees all of them.
    pub(crate) fn noted(&self) -> u64 {
        self.memory().noted
    }

    /// What is remembered of a log; a head of the log must extend it.
    ///
    /// `began` is what [`Self::noted`] gave when the unit of work began that read the head. What was noted later is
    /// left out, because the head may have been read before it.
    pub(crate) fn of(&self, tenant: TenantId, log: LogName, began: u64) -> Option<SeenHead> {
        let memory = self.memory();
        let fallen = memory.fallen.get(&(tenant, log)).map(|(seen, _)| seen);
        let known = || memory.heads.get(&(tenant, log)).filter(|(at, _)| *at <= began).map(|(_, seen)| seen);
        fallen.or_else(known).cloned()
    }

    /// The change of what governs a tenant that the store must go on from.
    pub(crate) fn change_of(&self, tenant: TenantId) -> Option<Change> {
        self.memory().governed.of(tenant)
    }

    /// Holds what was found of a tenant against what is remembered of it. `began` as in [`Self::of`].
    pub(crate) fn compare_governed(&self, found: &Found, began: u64) -> Result<(), StoreError> {
        let mut memory = self.memory();
        if memory.governed.leads(found, began) {
            return Ok(());
        }
        self.falls.fetch_add(1, atomic::Ordering::Relaxed);
        Err(StoreError::ReadOnly(memory.governed.fell_back().unwrap_or_default()))
    }

    /// The tenants of which it is remembered what governs them.
    pub(crate) fn governed(&self) -> Vec<TenantId> {
        self.memory().governed.tenants()
    }

    /// The logs of which something is remembered.
    pub(crate) fn logs(&self) -> BTreeSet<(TenantId, LogName)> {
        let memory = self.memory();
        memory.heads.keys().chain(memory.fallen.keys()).copied().collect()
    }

    /// Takes note that the store goes on from what is remembered of the log whose head this is.
    ///
    /// Whoever began an epoch of the log since then accepted what the store has of the tenant, and so what governs it.
    /// From now on it is the epoch that is remembered: what is changed and seen after it was not accepted with it.
    pub(crate) fn goes_on(&self, known: &SeenHead, head: &LogHead) {
        let mut memory = self.memory();
        memory.fallen.remove(&(head.tenant, head.log));
        if head.epoch > known.epoch {
            memory.governed.accept(head.tenant);
            *memory.acceptances.entry(head.tenant).or_default() += 1;
            self.falls.fetch_add(1, atomic::Ordering::Relaxed);
            memory.note(head);
        }
    }

    /// How often it was met that somebody had accepted what the store lost of a tenant. Where this grows, what was seen
    /// of the tenant before is not missed any more.
    pub(crate) fn acceptances(&self, tenant: TenantId) -> u64 {
        self.memory().acceptances.get(&tenant).copied().unwrap_or_default()
    }

    /// Takes note that it does not, and has this head instead: from now on the store is only read.
    pub(crate) fn fell(&self, seen: SeenHead, has: &LogHead) -> StoreError {
        self.memory().fallen.insert((has.tenant, has.log), (seen, has.frontier.size()));
        self.falls.fetch_add(1, atomic::Ordering::Relaxed);
        StoreError::ReadOnly(self.fell_back().unwrap_or_default())
    }

    /// Whether all were compared with this Postgres.
    pub(crate) fn is_compared(&self, with: u64) -> bool {
        self.compared.load(atomic::Ordering::Acquire) == with
    }

    pub(crate) fn set_compared(&self, with: u64) {
        self.compared.store(with, atomic::Ordering::Release);
    }

    /// How often it was found that the store does not go on from what is remembered, or that this had been accepted.
    pub(crate) fn falls(&self) -> u64 {
        self.falls.load(atomic::Ordering::Relaxed)
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

    /// The same for whoever asks, and may be of another tenant: without whose it is, and how much.
    pub(crate) fn fell_back_in_short(&self) -> Option<String> {
        let memory = self.memory();
        if memory.fallen.is_empty() {
            return memory.governed.fell_back_in_short();
        }
        Some(
            "this store fell back under the server: a log is not as this server saw it last. It is read and not written; \
             put a newer store in its place, or accept the loss with `hoc doctor --accept-restore`"
                .to_owned(),
        )
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
    use crate::governed::MOST;

    /// The store fell back, somebody accepted the loss, and this process has written nothing of the log since.
    #[test]
    fn what_governs_is_accepted_once_with_a_new_epoch_of_a_log() {
        let (tenant, log) = (TenantId(Uuid::from_u128(1)), LogName::Runs);
        let (seen, mut head) = (Seen::default(), LogHead::empty(tenant, log));
        head.frontier.push(sha256(b"leaf"));
        seen.note(&head);
        let change = |count| Change { count, mark: Some(Uuid::from_u128(9)) };
        seen.note_governed(tenant, change(7));

        let accepted = LogHead { epoch: head.epoch + 1, ..LogHead::empty(tenant, log) };
        let look = || {
            let known = seen.of(tenant, log, seen.noted()).expect("a head is remembered");
            seen.goes_on(&known, &accepted);
        };
        assert_eq!(seen.acceptances(tenant), 0);
        look();
        assert_eq!(seen.change_of(tenant), None, "what was remembered is lost, and that was accepted");
        seen.note_governed(tenant, change(4));
        look();
        assert_eq!(seen.change_of(tenant), Some(change(4)), "a later change was accepted by nobody");
        assert_eq!(seen.acceptances(tenant), 1, "that is the same one, met again");
    }

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
