//! What runs said last, so that what they say next is pressed against it: so many bytes of it. It need not be the last,
//! for another replica may have taken a call meanwhile: any body of the run will do.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use drivers::logs::{Base, DEEPEST};
use models::ids::{RunId, TenantId};

use super::{State, recent::Recent};

/// A body that is longer is not kept: it would push out those of many runs.
const LONGEST: usize = 1 << 20;
/// To press a short text against a long one is to read the long one for little.
const WORTH: usize = 16;
const ANYHOW: usize = 64 << 10;

/// What the runs that this replica served lately said.
#[derive(Debug)]
pub(in crate::choke) struct Said(Mutex<Recent<RunId, KeptBase>>);

#[derive(Debug)]
struct KeptBase {
    at: DateTime<Utc>,
    base: Arc<Base>,
}

impl Said {
    /// Nothing yet, and never more than so many bytes.
    pub(in crate::choke) fn within(most: usize) -> Self {
        Self(Mutex::new(Recent::within(most)))
    }

    /// What a body of so many bytes is best pressed against.
    fn before(&self, tenant: TenantId, run: RunId, length: usize) -> Option<Arc<Base>> {
        let mut kept = self.lock();
        let base = &kept.get(tenant, run)?.base;
        let worth = base.bytes.len() <= ANYHOW.max(length.saturating_mul(WORTH));
        (base.depth < DEEPEST && worth).then(|| Arc::clone(base))
    }

    /// The run has said this; or, with none, nothing that is to be kept.
    fn note(&self, tenant: TenantId, run: RunId, base: Option<Base>, at: DateTime<Utc>) {
        let mut kept = self.lock();
        match base.filter(|base| base.bytes.len() <= LONGEST) {
            None => drop(kept.take(tenant, run)),
            Some(base) => {
                let weight = base.bytes.capacity();
                kept.keep(tenant, run, KeptBase { at, base: Arc::new(base) }, weight);
            }
        }
    }

    /// Nothing of this run is kept any more.
    pub(in crate::choke) fn forget_run(&self, tenant: TenantId, run: RunId) {
        self.lock().take(tenant, run);
    }

    /// Nothing of this tenant's runs is kept any more: what they said may be in no store.
    pub(in crate::choke) fn forget_tenant(&self, tenant: TenantId) {
        self.lock().forget_tenant(tenant);
    }

    /// Forgets what was said before that.
    pub(in crate::choke) fn forget(&self, oldest: DateTime<Utc>) {
        self.lock().forget(|kept| kept.at < oldest);
    }

    fn lock(&self) -> MutexGuard<'_, Recent<RunId, KeptBase>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the new texts of each run are pressed against, where something is at hand.
pub(in crate::choke) fn bases(state: &State) -> HashMap<RunId, Arc<Base>> {
    // The group may have met a new epoch of a log just now.
    state.spine.choke().accept(&state.spine, state.tenant.id);
    let said = &state.spine.choke().said;
    let tenant = state.tenant.id;
    let before = |(run, texts): (&RunId, &proof::contents::Texts)| {
        said.before(tenant, *run, texts.as_bytes().len()).map(|base| (*run, base))
    };
    state.new.texts.iter().filter_map(before).collect()
}

/// Keeps what the group's runs said, now that it is committed. `places` are those of the bodies, with what they were
/// pressed against. Of a run that is over nothing is kept: little comes to it.
pub(in crate::choke) fn keep(state: &mut State) {
    let (tenant, now) = (state.tenant.id, state.now);
    let texts = std::mem::take(&mut state.new.texts);
    let mut places = std::mem::take(&mut state.said);
    let said = &state.spine.choke().said;
    for (run, texts) in texts {
        let is_over = state.runs.get(&run).is_none_or(|run| run.ending.is_some() || run.late.is_some());
        let base = places.remove(&run).filter(|_| !is_over);
        said.note(tenant, run, base.map(|base| Base { bytes: texts.into_bytes(), ..base }), now);
    }
    for run in state.runs.values().filter(|run| run.ending.is_some()) {
        said.forget_run(tenant, run.run.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(place: u64, length: usize) -> Base {
        Base { place, key_place: 0, depth: 1, bytes: vec![0; length] }
    }

    fn id(of: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(of)
    }

    #[test]
    fn what_helps_is_kept_and_nothing_of_before() {
        let said = Said::within(16 << 20);
        let (tenant, run) = (TenantId(id(1)), RunId(id(99)));
        let at = DateTime::UNIX_EPOCH;
        let place = |length| said.before(tenant, run, length).map(|base| base.place);
        said.note(tenant, run, Some(base(7, LONGEST)), at);
        assert_eq!(place(LONGEST), Some(7));
        assert_eq!(place(1), None, "it is long, and what is to be pressed is short");
        said.note(tenant, run, Some(base(8, LONGEST + 1)), at);
        assert_eq!(place(LONGEST), None);
        said.note(tenant, run, Some(Base { depth: DEEPEST, ..base(9, 100) }), at);
        assert_eq!(place(100), None, "as many as may stand before it");
        said.note(tenant, run, Some(base(10, 100)), at);
        said.forget(at);
        assert_eq!(place(100), Some(10));
        said.forget(at + chrono::TimeDelta::seconds(1));
        assert_eq!(place(100), None, "nothing was said since");
        said.note(tenant, run, Some(base(11, 100)), at);
        said.forget_run(tenant, run);
        assert_eq!(place(100), None);
        said.note(tenant, run, Some(base(12, 100)), at);
        said.forget_tenant(TenantId(id(2)));
        assert_eq!(place(100), Some(12), "another tenant's are");
        said.forget_tenant(tenant);
        assert_eq!(place(100), None);
    }
}
