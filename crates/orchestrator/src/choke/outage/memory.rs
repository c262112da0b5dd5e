//! What a replica remembers for the time that its store is down: the runs that it served lately, as its last commit
//! left them. What it has answered since is in `answers`; what the next group of a run has of this, in `hot`.

use std::{collections::HashMap, sync::Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use drivers::{StoreError, logs::RunSalt};
use models::{
    activity::{Run, RunState as LifeState},
    ids::{RunId, TenantId},
    policies::{Permit, Usage, UsageKey},
};

use super::{
    ahead::{Amount, Counted},
    answers::Answers,
    bounded::lock,
    governs::Governs,
    left::Left,
    remembered::{Remembered, takes_steps},
    windows::Windows,
};
use crate::{
    choke::{
        prepare::Call,
        state::{
            RunState, State, Tracked,
            held::HeldPermit,
            hot::{HotRun, SaltAndKeys},
            kept_keys,
            recent::Recent,
            usage,
        },
    },
    clock_check,
};

/// How long a run is remembered that has ended, and that nobody halted: its agent knows.
const ENDED: TimeDelta = TimeDelta::minutes(1);

/// The runs of the last minutes, and the answers that are still to be written.
pub(in crate::choke) struct Memory {
    pub(super) runs: Mutex<Recent<RunId, Remembered>>,
    /// Runs that are traces, for their next group alone: no span is answered without the store.
    pub(super) traced: Mutex<Recent<RunId, (DateTime<Utc>, HotRun)>>,
    /// Use in the windows of limits, as the store had it when last a group touched them.
    usage: Mutex<Windows>,
    /// What was answered since, and counted on top of that.
    pub(in crate::choke) answers: Answers,
    /// How far runs had come that this process saw.
    left: Left,
    /// What governs the tenants of the runs.
    pub(in crate::choke) governs: Governs,
}

impl Memory {
    /// Of nothing yet; the runs may be so many bytes, a quarter of them those of traces: however many of these there
    /// are, halts of the others hold while the store is down. An eighth of it is for what is used of limits.
    pub(in crate::choke) fn within(most: usize) -> Self {
        Self {
            runs: Mutex::new(Recent::within(most - most / 4 - most / 8)),
            traced: Mutex::new(Recent::within(most / 4)),
            usage: Mutex::new(Windows::within(most / 8)),
            answers: Answers::default(),
            left: Left::default(),
            governs: Governs::default(),
        }
    }

    /// Forgets what is of no use any more: what is too old to be gone by, and runs that have ended.
    pub(in crate::choke) fn forget(&self, now: DateTime<Utc>, memory: TimeDelta) {
        let (oldest, ended) = (now - memory, now - ENDED);
        let has_ended = |run: &Run| run.state != LifeState::Live && run.halt_action.is_none();
        lock(&self.runs).forget(|known| {
            known.at < oldest || (known.at < ended && has_ended(&known.run.run) && !known.doubt.is_open())
        });
        lock(&self.traced).forget(|(at, _)| *at < oldest);
        lock(&self.usage).forget(|_, at| at < oldest);
    }

    /// Keeps what a committed group knew of its runs.
    pub(in crate::choke) fn remember(&self, mut state: State) {
        let memory = state.spine.settings().outage_memory;
        let wrote = state.has_writes();
        self.governs.answered(state.began);
        if wrote {
            self.governs.wrote(state.tenant.id, state.began, memory);
        }
        self.remember_usage(&state);
        state.spine.choke().accept(&state.spine, state.tenant.id);
        self.left.note(state.tenant.id, state.runs.values(), state.now);
        let mut keys = kept_keys::left(&mut state);
        let State { tenant, now, began, runs: served, permits, permit_keys, mut salts, .. } = state;
        // What the group held is newer than what it only read.
        let mut of_run: HashMap<RunId, Vec<Permit>> = HashMap::new();
        for permit in permit_keys.into_values().chain(permits.into_values().map(HeldPermit::into_row)) {
            of_run.entry(permit.run_id).or_default().push(permit);
        }
        let mut runs = lock(&self.runs);
        for (id, run) in served {
            let written = wrote.then_some(began);
            // What comes late to a sealed run is in another trace, and of one that takes no steps little is asked.
            let is_hot = run.late.is_none() && takes_steps(&run.run);
            let salt_and_keys = match salts.remove(&id) {
                Some(RunSalt::Kept(salt)) if is_hot => Some(SaltAndKeys { salt, keys: keys.remove(&id) }),
                _ => None,
            };
            // No span is answered from memory; what is asked in the run of a trace is not granted meanwhile.
            if run.run.external_trace_id.is_some() {
                if let Some(beside) = salt_and_keys {
                    let weight = size_of::<HotRun>() + run.weight() + beside.weight();
                    lock(&self.traced).keep(tenant.id, id, (now, HotRun::of(run, beside)), weight);
                }
                continue;
            }
            let mut run = Remembered { salt_and_keys, ..Remembered::of(now, began, written, run.settled()) };
            if let Some(before) = runs.take(tenant.id, id) {
                run.come_after(before, began);
            }
            for permit in of_run.remove(&id).into_iter().flatten() {
                run.permit(permit, now);
            }
            let weight = run.weight();
            runs.keep(tenant.id, id, run, weight);
        }
        // Of a run that the group did not touch, it may have released what lapsed.
        for (id, permits) in of_run {
            let Some(known) = runs.look_at(tenant.id, id) else { continue };
            for permit in permits {
                known.permit(permit, now);
            }
            let weight = known.weight();
            runs.weigh(tenant.id, id, weight);
        }
    }

    /// This is why a group was not committed. Where the store may have it all the same, nothing passes in a run that
    /// the group has stopped until another group had the run locked, or a look asked for it when that must have
    /// settled.
    pub(in crate::choke) fn doubt(&self, state: &State, err: &StoreError) {
        if !err.is_unknown_commit() {
            return;
        }
        let (mut runs, now) = (lock(&self.runs), state.spine.elapsed());
        for run in state.runs.values().filter(|run| !takes_steps(&run.run)) {
            if let Some(known) = runs.look_at(state.tenant.id, run.run.id) {
                known.doubt.arose(now);
            }
        }
    }

    /// So often it was met that a loss of the tenant had been accepted. What was lost so is not missed, and no call is
    /// answered by it. Gives whether that is more often than was known.
    pub(in crate::choke) fn accepted(&self, tenant: TenantId, times: u64) -> bool {
        let is_news = self.left.accepted(tenant, times);
        if is_news {
            lock(&self.runs).forget_tenant(tenant);
            lock(&self.traced).forget_tenant(tenant);
            lock(&self.usage).forget(|of, _| of == tenant);
        }
        is_news
    }

    /// Why a run cannot be gone on with, as it was read: it does not go on from where this process saw it, so the store
    /// fell back. Of a run that is not there, there is no run state.
    pub(in crate::choke) fn fallen(
        &self,
        tenant: TenantId,
        id: RunId,
        run: Option<&RunState>,
    ) -> Option<String> {
        let lost = self.left.lost(tenant, id, run)?;
        Some(format!(
            "this store fell back under the server: {lost}. It is read and not written by this process; put a newer store in \
             its place, or start the server anew to go on with what this one has"
        ))
    }

    fn remember_usage(&self, state: &State) {
        let oldest = state.now - state.spine.settings().outage_memory;
        let used = state.usage.iter().map(|(key, usage)| (key.clone(), usage.row.clone()));
        lock(&self.usage).keep(state.tenant.id, used, state.now, oldest);
    }

    /// The runs that take steps as far as is known here, of those that the store was asked about since then.
    pub(super) fn running(&self, oldest: DateTime<Utc>) -> Vec<(TenantId, RunId)> {
        let runs = lock(&self.runs);
        let known = runs.all().filter(|(_, known)| known.at >= oldest && takes_steps(&known.run.run));
        known.map(|(key, _)| *key).collect()
    }

    /// Takes what a look told of the runs that it asked for, and when it began and told it: those of them that take no
    /// more steps are as the store has them, whoever stopped them.
    pub(super) fn looked(
        &self,
        (began, told): (TimeDelta, TimeDelta),
        asked: &[(TenantId, RunId)],
        stopped: Vec<Run>,
    ) {
        let mut runs = lock(&self.runs);
        for (tenant, run) in asked {
            if let Some(known) = runs.look_at(*tenant, *run) {
                known.looked = Some(began);
                known.doubt.looked(began);
            }
        }
        for run in stopped {
            if let Some(known) = runs.look_at(run.tenant, run.id) {
                self.left.halted(&run, known.at);
                known.run.run = run;
                known.salt_and_keys = None;
                known.stopped = Some(told);
            }
        }
    }

    /// The run of a call as it was last known, and use in the windows that the call may count in; none where the
    /// store was not asked about the run for longer than a replica may go by its memory. Also says whether a window
    /// that counts is not known, or what others did to the run meanwhile.
    pub(in crate::choke) fn recall(&self, state: &mut State, call: &Call) -> Option<bool> {
        let not_before = state.now - state.spine.settings().outage_memory;
        let run_id = call.run_id()?;
        let mut runs = lock(&self.runs);
        let known = runs.get(state.tenant.id, run_id).filter(|known| known.at >= not_before)?;
        let mut known = known.for_an_answer();
        drop(runs);
        let last = known.looked.map_or(known.read, |looked| looked.max(known.read));
        let trusts = self.governs.trusts(&known.run.run, call.caller.key, (last, known.written));
        let mut blind = known.doubt.is_open() || !trusts;
        // Nobody releases what lapses meanwhile.
        if clock_check::may_lapse(&state.spine) {
            known.run.open.lapse(state.now);
        }
        let met = (known.read, known.run.freeze.take());
        known.run.freeze = self.governs.freeze_of(state.tenant.id, &known.run.run.agent_id, met);
        for (key, over_by) in
            usage::windows(&known.run, call.provider(), known.run.counts_at(state.now), state.tenant.calendar)
        {
            let place = (state.tenant.id, key);
            let row = lock(&self.usage).get(&place).cloned();
            // Nobody has counted in a window that began after the store was last asked.
            let began = models::time::parse(&place.1.window_start).ok();
            blind |= row.is_none() && began.is_none_or(|began| began <= known.at);
            let row = row.unwrap_or_else(|| Usage::none(place.0, place.1.clone(), over_by, state.now));
            state.usage.insert(place.1, Tracked::stored(self.answers.on(row)));
        }
        state.runs = HashMap::from([(run_id, known.run)]);
        state.permits = known.permits.into_iter().map(|(id, row)| (id, HeldPermit::locked(row))).collect();
        Some(blind)
    }

    /// What an answer has counted that was just decided on what is remembered.
    pub(in crate::choke) fn counted(&self, state: &State) -> Counted {
        let stored = lock(&self.usage);
        let counted = |(key, usage): (&UsageKey, &Tracked<Usage>)| {
            let Usage { tenant, over_by, .. } = usage.row;
            let row = stored.get(&(tenant, key.clone())).cloned();
            let row = row.unwrap_or_else(|| Usage::none(tenant, key.clone(), over_by, state.now));
            Some((key.clone(), Amount::between(&self.answers.on(row), &usage.row)?))
        };
        state.usage.iter().filter_map(counted).collect()
    }

    /// The run goes on as the answer left it. When the store was last asked about it does not change by that.
    pub(in crate::choke) fn go_on(&self, state: &State, run_id: RunId) {
        let mut runs = lock(&self.runs);
        let Some(run) = state.runs.get(&run_id) else { return };
        let Some(mut known) = runs.take(state.tenant.id, run_id) else { return };
        known.go_on(run.clone().settled(), state.began);
        // The store has nothing of that.
        known.salt_and_keys = None;
        for permit in state.permits.values().map(HeldPermit::row).filter(|permit| permit.run_id == run_id) {
            known.permit(permit.clone(), state.now);
        }
        let weight = known.weight();
        runs.keep(state.tenant.id, run_id, known, weight);
    }
}
