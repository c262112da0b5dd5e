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
    ids::{RunId, TenantId},
    policies::{Usage, UsageKey},
};

use super::{
    Answer, decide,
    prepare::{Call, What},
    state::{Additions, RunState, State, Tracked},
    usage,
};
use crate::{context::TenantSettings, errors::Error, spine::Spine};

/// How many runs a replica remembers at most; the longest silent go first.
const MAX_REMEMBERED: usize = 20_000;

/// The runs of the last minutes, and the refusals that are still to be written.
#[derive(Default)]
pub(super) struct Memory {
    runs: Mutex<HashMap<(TenantId, RunId), Remembered>>,
    unwritten: Mutex<HashMap<TenantId, Overdue>>,
}

/// A tenant's refusals that no store has seen yet, oldest first.
struct Overdue {
    tenant: Arc<TenantSettings>,
    calls: Vec<Call>,
}

#[derive(Clone)]
struct Remembered {
    at: DateTime<Utc>,
    run: RunState,
    usage: HashMap<UsageKey, Usage>,
}

/// Whether the store was not there, or did not say what became of a commit.
pub(super) fn is_outage(err: &StoreError) -> bool {
    err.is_unavailable() || matches!(err, StoreError::UnknownCommit(_))
}

impl Memory {
    /// Keeps what a committed group knew of its runs.
    pub(super) fn remember(&self, state: &State) {
        let kept_for = state.spine.settings().outage_memory;
        let mut runs = lock(&self.runs);
        for run in state.runs.values() {
            let usage = usage::windows(run, None, state.now)
                .into_iter()
                .filter_map(|key| Some((key.clone(), state.usage.get(&key)?.row.clone())))
                .collect();
            let key = (state.tenant.id, run.run.id);
            runs.insert(key, Remembered { at: state.now, run: run.settled(), usage });
        }
        if runs.len() > MAX_REMEMBERED {
            let oldest = state.now - kept_for;
            runs.retain(|_, remembered| remembered.at > oldest);
            if runs.len() > MAX_REMEMBERED {
                runs.clear();
            }
        }
    }

    /// The tenant's refusals that no store has seen yet, oldest first: they come before anything else of the group.
    pub(super) fn unwritten(&self, tenant: TenantId) -> Vec<Call> {
        lock(&self.unwritten).get(&tenant).map(|overdue| overdue.calls.clone()).unwrap_or_default()
    }

    /// The store has the oldest `count` of them now.
    pub(super) fn written(&self, tenant: TenantId, count: usize) {
        let mut unwritten = lock(&self.unwritten);
        if let Some(overdue) = unwritten.get_mut(&tenant) {
            overdue.calls.drain(..count.min(overdue.calls.len()));
            if overdue.calls.is_empty() {
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

    fn halt(&self, tenant: &Arc<TenantSettings>, run: &RunState, call: Call) {
        let fresh = || Overdue { tenant: Arc::clone(tenant), calls: Vec::new() };
        lock(&self.unwritten).entry(tenant.id).or_insert_with(fresh).calls.push(call);
        if let Some(remembered) = lock(&self.runs).get_mut(&(tenant.id, run.run.id)) {
            remembered.run = run.settled();
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
    let now = spine.now();
    let Some(run_id) = call.run_id() else { return unavailable() };
    let Some(remembered) = memory.recall(tenant.id, run_id, now - spine.settings().outage_memory) else {
        return unavailable();
    };
    let mut state = State {
        spine: spine.clone(),
        tenant: Arc::clone(tenant),
        now,
        current: None,
        runs: HashMap::from([(run_id, remembered.run)]),
        run_keys: HashMap::new(),
        permits: HashMap::new(),
        permit_keys: HashMap::new(),
        step_keys: HashMap::new(),
        decisions: HashMap::new(),
        usage: remembered.usage.into_iter().map(|(key, row)| (key, Tracked::stored(row))).collect(),
        new: Additions::default(),
    };
    match decide::item(&mut state, std::slice::from_ref(call)).pop().flatten() {
        Some(Err(Error::StepHalted(mut halted))) => {
            halted.recorded = false;
            if let Some(run) = state.runs.remove(&run_id) {
                memory.halt(tenant, &run, call.clone());
            }
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
            What::Start(_) => None,
            What::Permit(permit) => Some(permit.run_id),
            What::Record(step) => Some(step.run_id),
            What::End(run, _) => Some(*run),
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
