//! What a replica has answered since its store is down and no store has seen yet, of all tenants; and by how much the
//! windows of limits are ahead of the store with it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use models::{
    ids::{RunId, TenantId},
    policies::Usage,
};

use super::{
    ahead::Ahead,
    unwritten::{Told, Unwritten},
};
use crate::{
    choke::{call::Answer, prepare::Call},
    errors::Error,
};

/// How many answers may wait for the store, half of them of one tenant. What comes after is 503: it is not let through
/// either.
const MOST: usize = 10_000;

/// The answers that are still to be written.
#[derive(Default)]
pub(in crate::choke) struct Answers {
    /// By tenant, oldest first.
    unwritten: Mutex<HashMap<TenantId, Vec<Unwritten>>>,
    /// What they counted on top of what the store says.
    ahead: Ahead,
}

impl Answers {
    /// Keeps an answer until it is written.
    pub(in crate::choke) fn keep(&self, tenant: TenantId, answer: Unwritten) {
        self.ahead.add(tenant, &answer.counted);
        self.unwritten().entry(tenant).or_default().push(answer);
    }

    /// Whether another answer of the tenant may wait for the store.
    pub(in crate::choke) fn have_room(&self, tenant: TenantId) -> bool {
        let unwritten = self.unwritten();
        let of_tenant = unwritten.get(&tenant).map_or(0, Vec::len);
        of_tenant < MOST / 2 && unwritten.values().map(Vec::len).sum::<usize>() < MOST
    }

    /// A window as the store has it, with what was counted since.
    pub(super) fn on(&self, row: Usage) -> Usage {
        self.ahead.on(row)
    }

    /// Tenants with answers that are still to be written.
    pub(in crate::choke) fn tenants(&self) -> Vec<TenantId> {
        self.unwritten().keys().copied().collect()
    }

    /// The runs that the tenant's answers are of.
    pub(in crate::choke) fn runs(&self, tenant: TenantId) -> HashSet<RunId> {
        let unwritten = self.unwritten();
        unwritten.get(&tenant).into_iter().flatten().filter_map(|answer| answer.call.run_id()).collect()
    }

    /// The oldest of the tenant's answers, at most `count`, and none of the runs `but`.
    pub(in crate::choke) fn oldest(
        &self,
        tenant: TenantId,
        count: usize,
        but: &HashSet<RunId>,
    ) -> Vec<Unwritten> {
        let unwritten = self.unwritten();
        let of = |answer: &&Unwritten| !answer.call.run_id().is_some_and(|run| but.contains(&run));
        unwritten
            .get(&tenant)
            .map_or_else(Vec::new, |answers| answers.iter().filter(of).take(count).cloned().collect())
    }

    /// What a call with the same key was told during this outage.
    pub(in crate::choke) fn told(&self, tenant: TenantId, call: &Call) -> Option<Answer> {
        let (key, hash) = call.repeats()?;
        let unwritten = self.unwritten();
        let same = |answer: &&Unwritten| {
            answer.call.run_id() == call.run_id()
                && answer.call.caller.key == call.caller.key
                && answer.call.repeats().is_some_and(|(known, _)| known == key)
        };
        let known = unwritten.get(&tenant)?.iter().find(same)?;
        if known.call.repeats().is_some_and(|(_, known)| known != hash) {
            return Some(Err(Error::IdempotencyConflict { key: key.clone() }));
        }
        known.told.as_ref().map(Told::again)
    }

    /// The store has these now.
    pub(in crate::choke) fn written(&self, tenant: TenantId, written: &[Unwritten]) {
        let written: HashSet<_> = written.iter().map(|answer| Arc::as_ptr(&answer.decision)).collect();
        let mut unwritten = self.unwritten();
        if let Some(answers) = unwritten.get_mut(&tenant) {
            answers.retain(|answer| {
                let is_written = written.contains(&Arc::as_ptr(&answer.decision));
                if is_written {
                    self.ahead.take_back(tenant, &answer.counted);
                }
                !is_written
            });
            if answers.is_empty() {
                unwritten.remove(&tenant);
            }
        }
    }

    fn unwritten(&self) -> MutexGuard<'_, HashMap<TenantId, Vec<Unwritten>>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
