//! What the memory for outages has for the next groups of runs (ADR 47).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use models::ids::{RunId, TenantId};

use super::{bounded::lock, memory::Memory};
use crate::choke::state::hot::{HotRun, KnownRun, known_of};

impl Memory {
    /// Those of the runs that are remembered since then as the store had them. Each is given once: until a group that
    /// was committed has left it again, whatever becomes of this one, the next reads it from the store.
    pub(in crate::choke) fn lend(
        &self,
        tenant: TenantId,
        ids: &[RunId],
        not_before: DateTime<Utc>,
    ) -> HashMap<RunId, HotRun> {
        let (mut runs, mut traced) = (lock(&self.runs), lock(&self.traced));
        let lent = |id: &RunId| {
            let hot = match traced.take(tenant, *id) {
                Some((at, hot)) => Some(hot).filter(|_| at >= not_before),
                None => runs.look_at(tenant, *id)?.lend(not_before),
            };
            Some((*id, hot?))
        };
        ids.iter().filter_map(lent).collect()
    }

    /// The tenant's runs that are remembered as the store had them, without lending them: in order of their ids, those
    /// behind `after`, so many at most.
    pub(in crate::choke) fn hot(&self, tenant: TenantId, after: Option<RunId>, most: usize) -> Vec<KnownRun> {
        let (mut runs, mut traced) = (lock(&self.runs), lock(&self.traced));
        let of_runs = runs.all().filter(|(_, known)| known.salt_and_keys.is_some()).map(|(key, _)| *key);
        let all = of_runs.chain(traced.all().map(|(key, _)| *key));
        let behind = |id: &RunId| after.is_none_or(|after| *id > after);
        let mut ids: Vec<RunId> =
            all.filter(|(of, id)| *of == tenant && behind(id)).map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids.truncate(most);
        let known = |id: RunId| {
            if let Some((_, hot)) = traced.look_at(tenant, id) {
                return Some(hot.known());
            }
            let known = runs.look_at(tenant, id)?;
            Some(known_of(&known.run, known.salt_and_keys.as_ref()?))
        };
        ids.into_iter().filter_map(known).collect()
    }

    /// The run's next group reads it from the store. What outages go by is kept: it is what was committed.
    pub(in crate::choke) fn let_go(&self, tenant: TenantId, run: RunId) {
        if let Some(known) = lock(&self.runs).look_at(tenant, run) {
            known.salt_and_keys = None;
        }
        lock(&self.traced).take(tenant, run);
    }
}
