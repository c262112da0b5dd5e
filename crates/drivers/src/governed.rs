//! Counts the changes of what governs each tenant, and notices a store that has fewer of them than before.
//!
//! Freezes, keys and settings are in no log. If a store fell back under a running server, a frozen agent would go on
//! and a revoked key would open again, and no head of a log would tell. So every change of them adds one to a count in
//! the tenant's row, in the unit of work that makes the change. The count only goes up. This remembers the last count,
//! and reports one that is lower.

use std::collections::{BTreeMap, HashMap};

use models::ids::TenantId;

/// So many logs, and so many tenants, are remembered at most; of more, those that were touched last.
pub(crate) const MOST: usize = 20_000;

/// The counts that one process has seen in its store.
#[derive(Debug, Default)]
pub(crate) struct Governed {
    /// Each with when it was noted.
    seen: HashMap<TenantId, (u64, u64)>,
    /// Those that the store does not go on from: what they were, and what it has instead.
    fallen: BTreeMap<TenantId, (u64, u64)>,
}

impl Governed {
    /// Remembers a count that is committed.
    pub(crate) fn note(&mut self, tenant: TenantId, count: u64, now: u64) {
        let (at, known) = self.seen.entry(tenant).or_default();
        (*at, *known) = (now, count.max(*known));
        shed(&mut self.seen);
    }

    /// Compares a count with what was noted of its tenant until `began`, and gives whether the store goes on from
    /// there. A store that fell back is not trusted again just because a server that knew nothing of it has changed the
    /// tenant as often since.
    pub(crate) fn leads(&mut self, tenant: TenantId, has: u64, began: u64) -> bool {
        if let Some((_, now)) = self.fallen.get_mut(&tenant) {
            *now = has;
            return false;
        }
        let known = || self.seen.get(&tenant).filter(|(at, _)| *at <= began).map(|(_, known)| *known);
        match known().filter(|had| has < *had) {
            Some(had) => self.fallen.insert(tenant, (had, has)).is_some(),
            None => true,
        }
    }

    /// Forgets what a tenant's count was: somebody accepted the one that there is.
    pub(crate) fn accept(&mut self, tenant: TenantId) {
        self.fallen.remove(&tenant);
        self.seen.remove(&tenant);
    }

    /// The tenants of which something is remembered.
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.seen.keys().chain(self.fallen.keys()).copied().collect()
    }

    /// Why the store is only read, where it fell back.
    pub(crate) fn fell_back(&self) -> Option<String> {
        let (tenant, (had, has)) = self.fallen.first_key_value()?;
        Some(format!(
            "this store fell back under the server: what governs tenant {tenant} had changed {had} times when this server saw \
             it last, and {has} times in this store, so a freeze, a revoked key, a rule, a limit or a setting may be as it was \
             before. It is read and not written; put a newer store in its place, or see what is frozen and revoked in this one, and \
             start the servers anew"
        ))
    }
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
