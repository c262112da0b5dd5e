//! When the store is down: a halt is still a halt, and nothing else is promised.
//!
//! Each replica remembers the runs that it served lately, as its last commit left them. While the store cannot be
//! reached, a call is decided on that memory by the same code as ever. What would pass gets 503 (`fail_closed`): its
//! record cannot be committed. What is refused is refused, marked `recorded: false`; it stays in force here, and is
//! written before anything else of its run when the store is back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use drivers::StoreError;
use models::{
    ids::{PermitId, RunId, TenantId},
    policies::{Permit, Usage, UsageKey},
};
use proof::{hash::Hash, words::Assurance};

use super::{
    Answer, decide,
    overdue::{Given, Refusal},
    prepare::{Call, What},
    state::{RunState, State, Tracked},
    usage,
};
use crate::{context::TenantSettings, errors::Error, spine::Spine};

/// How many runs, and how many windows of limits, a replica remembers at most.
const MAX_REMEMBERED: usize = 20_000;

/// How many refusals may wait for the store. What comes after is 503: it is not let through either.
const MAX_UNWRITTEN: usize = 10_000;

/// The runs of the last minutes, and the refusals that are still to be written.
#[derive(Default)]
pub(super) struct Memory {
    runs: Mutex<HashMap<(TenantId, RunId), Remembered>>,
    /// Use in the windows of limits, as it was when last a group touched them.
    usage: Mutex<Counted>,
    unwritten: Mutex<HashMap<TenantId, Overdue>>,
}

type Counted = HashMap<(TenantId, UsageKey), (DateTime<Utc>, Usage)>;

/// A tenant's refusals that no store has seen yet, oldest first.
struct Overdue {
    tenant: Arc<TenantSettings>,
    refusals: Vec<Refusal>,
}

#[derive(Clone)]
struct Remembered {
    at: DateTime<Utc>,
    run: RunState,
    /// Granted to the run, and not used or lapsed when this replica last saw them.
    permits: HashMap<PermitId, Permit>,
}

/// Whether the store was not there, or did not say what became of a commit. One that is held locked for so long that
/// every try has failed is not there either.
pub(super) fn is_outage(err: &StoreError) -> bool {
    err.is_unavailable() || err.is_retry() || matches!(err, StoreError::UnknownCommit(_))
}

impl Memory {
    /// Keeps what a committed group knew of its runs.
    pub(super) fn remember(&self, state: State) {
        let oldest = state.now - state.spine.settings().outage_memory;
        self.remember_usage(&state);
        let State { tenant, now, runs: served, permits, .. } = state;
        let mut runs = lock(&self.runs);
        // What is only reported is never halted: there is nothing to remember it for.
        for (id, run) in served.into_iter().filter(|(_, run)| run.run.assurance == Assurance::Enforced) {
            let key = (tenant.id, id);
            let permits = runs.remove(&key).map(|before| before.permits).unwrap_or_default();
            runs.insert(key, Remembered { at: now, run: run.settled(), permits });
        }
        for permit in permits.into_values().map(|permit| permit.row) {
            if let Some(run) = runs.get_mut(&(tenant.id, permit.run_id)) {
                run.permit(permit, now);
            }
        }
        keep(&mut runs, MAX_REMEMBERED, |remembered| remembered.at > oldest);
    }

    fn remember_usage(&self, state: &State) {
        let oldest = state.now - state.spine.settings().outage_memory;
        let mut usage = lock(&self.usage);
        let counted = |(key, usage): (&UsageKey, &Tracked<Usage>)| {
            ((state.tenant.id, key.clone()), (state.now, usage.row.clone()))
        };
        usage.extend(state.usage.iter().map(counted));
        keep(&mut usage, MAX_REMEMBERED, |(at, _)| *at > oldest);
    }

    /// Use in the windows that a call of this run may count in.
    fn usage(
        &self,
        tenant: TenantId,
        run: &RunState,
        now: DateTime<Utc>,
    ) -> HashMap<UsageKey, Tracked<Usage>> {
        let usage = lock(&self.usage);
        let known = |key: UsageKey| {
            let place = (tenant, key);
            let (_, row) = usage.get(&place)?;
            Some((place.1, Tracked::stored(row.clone())))
        };
        usage::windows(run, None, now).into_iter().filter_map(known).collect()
    }

    /// The oldest of the tenant's refusals that no store has seen yet, at most `count`.
    pub(super) fn unwritten(&self, tenant: TenantId, count: usize) -> Vec<Refusal> {
        let unwritten = lock(&self.unwritten);
        unwritten
            .get(&tenant)
            .map_or_else(Vec::new, |overdue| overdue.refusals.iter().take(count).cloned().collect())
    }

    /// The store has the oldest `count` of them now.
    pub(super) fn written(&self, tenant: TenantId, count: usize) {
        let mut unwritten = lock(&self.unwritten);
        if let Some(overdue) = unwritten.get_mut(&tenant) {
            overdue.refusals.drain(..count.min(overdue.refusals.len()));
            if overdue.refusals.is_empty() {
                unwritten.remove(&tenant);
            }
        }
    }

    /// Tenants with refusals that are still to be written.
    pub(super) fn overdue(&self) -> Vec<Arc<TenantSettings>> {
        lock(&self.unwritten).values().map(|overdue| Arc::clone(&overdue.tenant)).collect()
    }

    fn recall(&self, tenant: TenantId, run: RunId, not_before: DateTime<Utc>) -> Option<Remembered> {
        lock(&self.runs).get(&(tenant, run)).filter(|remembered| remembered.at >= not_before).cloned()
    }

    /// What a call with the same key was told during this outage.
    fn told(&self, tenant: TenantId, call: &Call) -> Option<Answer> {
        let (key, hash) = call.repeats()?;
        let unwritten = lock(&self.unwritten);
        let same = |refusal: &&Refusal| {
            refusal.call.run_id() == call.run_id()
                && refusal.call.repeats().is_some_and(|(known, _)| known == key)
        };
        let refusal = unwritten.get(&tenant)?.refusals.iter().find(same)?;
        Some(Err(if refusal.call.repeats().is_some_and(|(_, known)| known == hash) {
            Error::StepHalted(Box::new(refusal.answer.clone()))
        } else {
            Error::IdempotencyConflict { key: key.clone() }
        }))
    }

    /// Keeps a refusal until it is written; false where there is no room for it.
    fn keep(&self, tenant: &Arc<TenantSettings>, refusal: Refusal) -> bool {
        let mut unwritten = lock(&self.unwritten);
        if unwritten.values().map(|overdue| overdue.refusals.len()).sum::<usize>() >= MAX_UNWRITTEN {
            return false;
        }
        let fresh = || Overdue { tenant: Arc::clone(tenant), refusals: Vec::new() };
        unwritten.entry(tenant.id).or_insert_with(fresh).refusals.push(refusal);
        true
    }

    /// The run goes on as the refusal left it. When it was last in touch with the store does not change by that.
    fn halted(&self, state: &State, run_id: RunId) {
        self.remember_usage(state);
        let mut runs = lock(&self.runs);
        let Some(run) = state.runs.get(&run_id) else { return };
        let Some(known) = runs.get_mut(&(state.tenant.id, run_id)) else { return };
        known.run = run.clone().settled();
        for permit in state.permits.values().filter(|permit| permit.row.run_id == run_id) {
            known.permit(permit.row.clone(), state.now);
        }
    }
}

impl Remembered {
    /// Keeps a permit as long as it can serve.
    fn permit(&mut self, permit: Permit, now: DateTime<Utc>) {
        self.permits.retain(|_, known| decide::serves(known, now));
        if decide::serves(&permit, now) {
            self.permits.insert(permit.id, permit);
        } else {
            self.permits.remove(&permit.id);
        }
    }
}

/// Answers calls that no transaction could take.
pub(super) fn answers(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    calls: &[Call],
    err: &Arc<StoreError>,
) -> Vec<Option<Answer>> {
    let mut refused = false;
    let answer = |call: &Call| {
        if refused {
            return None;
        }
        let answer = match err.as_ref() {
            StoreError::UnknownCommit(_) => Err(Error::from_group(err)),
            _ => from_memory(spine, tenant, call, err),
        };
        refused = answer.is_err();
        Some(answer)
    };
    calls.iter().map(answer).collect()
}

fn from_memory(spine: &Spine, tenant: &Arc<TenantSettings>, call: &Call, err: &Arc<StoreError>) -> Answer {
    let unavailable = || Err(Error::from_group(err));
    let memory = &spine.choke().memory;
    let Some(run_id) = call.run_id() else { return unavailable() };
    if let Some(told) = memory.told(tenant.id, call) {
        return told;
    }
    let not_before = spine.now() - spine.settings().outage_memory;
    let Some(remembered) = memory.recall(tenant.id, run_id, not_before) else { return unavailable() };
    let mut state = State::new(spine, tenant);
    state.usage = memory.usage(tenant.id, &remembered.run, state.now);
    state.runs = HashMap::from([(run_id, remembered.run)]);
    state.permits = remembered.permits.into_iter().map(|(id, row)| (id, Tracked::stored(row))).collect();
    match decide::item(&mut state, std::slice::from_ref(call)).pop().flatten() {
        Some(Err(Error::StepHalted(mut halted))) => {
            halted.recorded = false;
            let decision = state.new.decisions.last();
            let freeze = state.runs.get(&run_id).and_then(|run| run.freeze.as_ref());
            let Some(given) = decision.and_then(|decision| Given::of(decision, freeze).ok()) else {
                return unavailable();
            };
            let refusal = Refusal { call: call.clone(), given, answer: (*halted).clone() };
            if !memory.keep(tenant, refusal) {
                return unavailable();
            }
            memory.halted(&state, run_id);
            Err(Error::StepHalted(halted))
        }
        Some(Err(known @ (Error::RunKilled { .. } | Error::RunNotRunning { .. }))) => Err(known),
        _ => unavailable(),
    }
}

impl Call {
    /// The run that the call is about; none for a start.
    pub(super) fn run_id(&self) -> Option<RunId> {
        match &self.what {
            What::Start(_) | What::Trace(_) => None,
            What::Permit(permit) => Some(permit.run_id),
            What::Record(step) => Some(step.run_id),
            What::End(run, _) | What::Kill(run, _) => Some(*run),
        }
    }

    /// The key that tells a repeat of the call, and the fingerprint of what was asked under it.
    fn repeats(&self) -> Option<(&String, Hash)> {
        match &self.what {
            What::Permit(permit) => Some((permit.request.idempotency_key.as_ref()?, permit.request_hash)),
            What::Record(step) => Some((step.report.idempotency_key.as_ref()?, step.request_hash)),
            What::Start(_) | What::Trace(_) | What::End(..) | What::Kill(..) => None,
        }
    }
}

/// Drops what is too old where there is too much, and everything where that is not enough.
fn keep<K, V>(of: &mut HashMap<K, V>, most: usize, fresh: impl Fn(&V) -> bool) {
    if of.len() > most {
        of.retain(|_, value| fresh(value));
        if of.len() > most {
            of.clear();
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
