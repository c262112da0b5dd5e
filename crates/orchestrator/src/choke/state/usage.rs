//! Usage of limits within a group: which windows it touches, how they stand, what a decided call leaves in them.
//!
//! The rows are locked, so admission is exact: what the group admits is what the store holds after it, whatever
//! other replicas do.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use models::{
    ids::{LimitId, RunId},
    policies::{Permit, PermitStatus, Reservation, Usage, UsageKey},
};
use proof::{
    definitions::LimitDefinition,
    words::{Moment, Scope},
};
use rules::{
    Count, Facts,
    calendar::Calendar,
    limits::{Basis, LimitInput, applies, basis, charge},
};

use super::{
    RunState, State, Tracked,
    open::held_by,
    snapshots::{BoundSnapshot, LimitWindow},
    sums,
    trees::Spent,
};
use crate::choke::prepare::PreparedStep;

/// The rows of an error rate: failed steps, and all of them.
const FAILED: &str = "failed";
const ALL: &str = "all";

fn key(limit: LimitId, scope_key: &str, window_start: String) -> UsageKey {
    UsageKey { limit_id: limit, scope_key: scope_key.to_owned(), window_start }
}

/// A window that may be counted in, and by when it is over.
pub(in crate::choke) type Opened = (UsageKey, Option<DateTime<Utc>>);

/// Every window that a call of this run, with this provider, may count in.
pub(in crate::choke) fn windows(
    run: &RunState,
    provider: Option<&str>,
    now: DateTime<Utc>,
    calendar: Calendar,
) -> Vec<Opened> {
    let mut opened = Vec::new();
    for (limit, window) in run.snapshot.compiled.limits().iter().zip(&*run.snapshot.windows(now, calendar)) {
        let Some(id) = window.id.filter(|_| may_apply(limit, run, provider)) else { continue };
        let of = |scope_key| (key(id, scope_key, window.start.clone()), window.window.over_by);
        match basis(limit.limit_type) {
            Basis::Usage => opened.push(of("")),
            Basis::Errors => opened.extend([of(FAILED), of(ALL)]),
            Basis::Run | Basis::Facts => {}
        }
    }
    opened
}

fn may_apply(limit: &LimitDefinition, run: &RunState, provider: Option<&str>) -> bool {
    let of = limit.scope_id.as_deref();
    match limit.scope {
        Scope::Global | Scope::Tenant => true,
        Scope::Project => of == run.run.project_id.as_deref(),
        Scope::Agent => of == Some(run.run.agent_id.as_str()),
        Scope::Provider => provider.is_some() && of == provider,
    }
}

/// The windows that a permit holds something of.
pub(in crate::choke) fn reserved(permit: &Permit) -> impl Iterator<Item = UsageKey> {
    permit.reservations.iter().map(|held| key(held.limit_id, &held.scope_key, held.window_start.clone()))
}

/// Gives back what lapsed permits held, those of ended runs among them: in the admitting transaction itself, so that no
/// job need run for it.
pub(in crate::choke) fn release_lapsed(state: &mut State) {
    let now = state.now;
    let lapsed: Vec<_> = state
        .permits
        .values_mut()
        .filter(|permit| permit.row().status == PermitStatus::Granted && permit.row().lapses_at <= now)
        .map(|permit| {
            permit.lapse();
            let Permit { id, run_id, reservations, .. } = permit.row();
            (*id, *run_id, reservations.clone())
        })
        .collect();
    for (id, run_id, reservations) in lapsed {
        if let Some(run) = state.runs.get_mut(&run_id) {
            run.open.close(id);
        }
        release(state, &reservations);
    }
}

/// Gives back what a permit held.
pub(in crate::choke) fn release(state: &mut State, reservations: &[Reservation]) {
    let now = state.now;
    for held in reservations {
        if let Some(usage) =
            state.usage.get_mut(&key(held.limit_id, &held.scope_key, held.window_start.clone()))
        {
            let usage = usage.change();
            usage.reserved = usage.reserved.saturating_sub(held.amount);
            usage.updated_at = now;
        }
    }
}

/// How each limit that applies stands before the call, and what the call asks of it.
pub(in crate::choke) fn inputs(
    state: &State,
    run: &RunState,
    moment: Moment,
    facts: &Facts,
    permit: Option<&Permit>,
    step: Option<&PreparedStep>,
) -> Vec<LimitInput> {
    let windows = run.snapshot.windows(run.counts_at(state.now), state.tenant.calendar);
    let limits = run.snapshot.compiled.limits().iter().zip(&*windows);
    let others = run.open.held(permit.map(|permit| permit.id));
    limits
        .filter(|(limit, _)| applies(limit, moment, facts))
        .map(|(limit, LimitWindow { id, window, start })| {
            let mut input = LimitInput::from_facts(limit, moment, facts);
            let Some(id) = *id else { return input };
            match basis(limit.limit_type) {
                Basis::Facts => {}
                Basis::Run => {
                    input.reserved = others.of(limit.limit_type);
                    input.granted = permit.map(|permit| held_by(&permit.estimate).of(limit.limit_type));
                }
                Basis::Usage => {
                    input.window_start.clone_from(start);
                    input.retry_after_ms = window.ends_in_ms(state.now);
                    let row = state.usage.get(&key(id, "", input.window_start.clone()));
                    let (used, reserved) = row.map_or((0, 0), |usage| (usage.row.used, usage.row.reserved));
                    let own = permit.and_then(|permit| held(permit, id));
                    // The permit's own hold is not somebody else's, if it is of this window.
                    let own_here = own.filter(|held| held.window_start == input.window_start);
                    input.used = used.into();
                    input.reserved = reserved.saturating_sub(own_here.map_or(0, |held| held.amount)).into();
                    input.granted = permit.map(|_| own.map_or(0, |held| held.amount).into());
                }
                Basis::Errors => {
                    input.window_start.clone_from(start);
                    let row = |which| state.usage.get(&key(id, which, input.window_start.clone()));
                    let now = |counted: bool| u64::from(counted && moment != Moment::StepPre);
                    input.used = (row(FAILED).map_or(0, |usage: &Tracked<Usage>| usage.row.used)
                        + now(step.is_some_and(PreparedStep::failed)))
                    .into();
                    input.population = (row(ALL).map_or(0, |usage: &Tracked<Usage>| usage.row.used)
                        + now(step.is_some()))
                    .into();
                }
            }
            input
        })
        .collect()
}

fn held(permit: &Permit, limit: LimitId) -> Option<&Reservation> {
    permit.reservations.iter().find(|held| held.limit_id == limit)
}

/// Takes from the windows of then what a step had used that counts no longer.
pub(in crate::choke) fn take_back(state: &mut State, run_id: RunId, spent: &Spent) {
    let Some(run) = state.runs.get(&run_id) else { return };
    let snapshot = Arc::clone(&run.snapshot);
    let windows = snapshot.windows(spent.at, state.tenant.calendar);
    let used = spent.as_counted();
    let taken: Vec<(UsageKey, u64)> = snapshot
        .compiled
        .limits()
        .iter()
        .zip(&*windows)
        .filter(|(limit, _)| may_apply(limit, run, spent.provider.as_deref()))
        .filter_map(|(limit, window)| {
            let amount = used.of(limit.limit_type).get();
            Some((key(window.id?, "", window.start.clone()), amount)).filter(|_| amount > 0)
        })
        .collect();
    let now = state.now;
    for (key, amount) in taken {
        // A window that is over may be gone.
        if let Some(usage) = state.usage.get_mut(&key) {
            let usage = usage.change();
            sums::take(&mut usage.used, amount);
            usage.updated_at = now;
        }
    }
}

/// A decided call, as its use is counted.
pub(in crate::choke) struct Decided<'a> {
    pub(in crate::choke) moment: Moment,
    /// When: it counts in the windows of then, however late it is written.
    pub(in crate::choke) at: DateTime<Utc>,
    pub(in crate::choke) facts: &'a Facts,
    pub(in crate::choke) refused: bool,
    pub(in crate::choke) step: Option<&'a PreparedStep>,
}

/// Writes what a decided call leaves into the windows, and gives what it holds until it is recorded.
///
/// Every limit in whose scope the call is counts it, measured at this moment or not: a step that had a permit is not
/// measured against a limit on steps again, but it is used up when it is recorded.
pub(in crate::choke) fn settle(
    state: &mut State,
    snapshot: &BoundSnapshot,
    call: &Decided<'_>,
) -> Vec<Reservation> {
    let mut reservations = Vec::new();
    let now = state.now;
    let windows = snapshot.windows(call.at, state.tenant.calendar);
    let limits = snapshot.compiled.limits().iter().zip(&*windows);
    let counting = limits.filter(|(limit, _)| applies(limit, Moment::StepBoth, call.facts));
    for (limit, window) in counting.filter(|_| call.moment != Moment::RunStart) {
        let Some(id) = window.id else { continue };
        let window_start = window.start.clone();
        let mut add = |scope_key: &str, used: Count, reserved: Count| {
            let mut held = 0;
            if let Some(usage) = state.usage.get_mut(&key(id, scope_key, window_start.clone())) {
                let usage = usage.change();
                sums::add(&mut usage.used, used.get());
                held = sums::hold(&mut usage.reserved, reserved.get());
                usage.updated_at = now;
            }
            held
        };
        if basis(limit.limit_type) == Basis::Errors {
            if let Some(step) = call.step {
                add(ALL, Count::from(1), Count::ZERO);
                add(FAILED, Count::from(u64::from(step.failed())), Count::ZERO);
            }
            continue;
        }
        let left = charge(limit.limit_type, call.moment, call.facts, call.refused);
        if left.used == Count::ZERO && left.reserved == Count::ZERO {
            continue;
        }
        let amount = add("", left.used, left.reserved);
        if amount > 0 {
            reservations.push(Reservation { limit_id: id, scope_key: String::new(), window_start, amount });
        }
    }
    reservations
}
