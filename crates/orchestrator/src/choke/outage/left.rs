//! How far runs had come when this process last saw them: a store that has one of them further back fell back.
//!
//! Who is halted has no more steps by that, and no other head of its chain. So where a run stands is kept beside its
//! steps, and of those that were halted apart: however many runs come after them, that they were is known.
//!
//! A run that was written is in another version, of which the count says how often it was, and the mark which write was
//! the last. A run that is found written as often, with another mark, was written by others from further back: the
//! store fell back. That cannot be said wrongly, for
//! - a version has one mark in one store: whoever raises it holds the row, and raises the count by one from what is
//!   committed. Of who lost a race, or was rolled back, nobody reads anything;
//! - what is kept here was committed: the version that a group read under its lock, or that which it left, once the
//!   store has confirmed its commit. Of a commit of which nobody knows nothing is kept, so what the next one finds
//!   goes on either way;
//! - a backup that is put back brings each count with its mark.
//!
//! Where others have since written the run more often than it was here, its version says nothing: then steps are
//! missed, by their number and, as long as there are no more, by the head; a permit that is gone is not.

use std::{collections::HashMap, sync::Mutex};

use chrono::{DateTime, Utc};
use models::{
    activity::{Run, RunState as LifeState, RunVersion},
    ids::{RunId, TenantId},
};
use proof::{hash::Hash, words::RunStatus};

use super::bounded::{MAX_REMEMBERED, bound, lock};
use crate::choke::state::RunState;

/// What is known of runs, and when it was last seen.
type Known<V> = HashMap<(TenantId, RunId), (DateTime<Utc>, V)>;

/// What the store must not be behind.
#[derive(Default)]
pub(super) struct Left {
    runs: Mutex<Known<Place>>,
    halted: Mutex<Known<Stage>>,
    /// How often a loss of a tenant had been accepted when that was last asked.
    accepted: Mutex<HashMap<TenantId, u64>>,
}

/// How far a run had come. It gets no further back, nor does its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    stage: Stage,
    steps: u64,
    chain_head: Hash,
    /// In which state it was: another with each write, also where it came to no step by that.
    version: RunVersion,
}

/// Where a run stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    /// It takes no more steps, and is not sealed.
    Stopped,
    Over,
}

impl Stage {
    fn of(run: &Run) -> Self {
        match (run.state == LifeState::Live, run.status == RunStatus::Running) {
            (true, true) => Self::Running,
            (true, false) => Self::Stopped,
            (false, _) => Self::Over,
        }
    }
}

impl Place {
    fn of(run: &RunState) -> Self {
        let (stage, steps) = (Stage::of(&run.run), run.next_index());
        Self { stage, steps, chain_head: run.trace.chain_head, version: run.version }
    }

    /// Whether a run that is here has all that it had there.
    fn goes_on_from(self, there: Self) -> bool {
        self.stage >= there.stage
            && (self.version == there.version || self.version.count > there.version.count)
            && (self.steps > there.steps
                || (self.steps == there.steps && self.chain_head == there.chain_head))
    }
}

/// Whether it was refused at its start: it never ran, so nothing of it goes on where the store lost it. An agent may
/// ask again as often as it likes, and takes nobody's place here by that.
fn was_refused(run: &RunState) -> bool {
    run.run.halt_action.is_some() && run.next_index() == 0 && Stage::of(&run.run) == Stage::Over
}

impl Left {
    /// Forgets a tenant's runs where a loss of the tenant was accepted since this was last told how often that was:
    /// nobody misses any more what this process saw of them. Gives whether one was.
    pub(super) fn accepted(&self, tenant: TenantId, times: u64) -> bool {
        if times == 0 {
            return false;
        }
        let mut accepted = lock(&self.accepted);
        let known = accepted.entry(tenant).or_default();
        if *known >= times {
            return false;
        }
        *known = times;
        lock(&self.runs).retain(|(of, _), _| *of != tenant);
        lock(&self.halted).retain(|(of, _), _| *of != tenant);
        true
    }

    /// Keeps where a committed group left a tenant's runs, or found them.
    pub(super) fn note<'r>(
        &self,
        tenant: TenantId,
        of: impl Iterator<Item = &'r RunState>,
        at: DateTime<Utc>,
    ) {
        let mut runs = lock(&self.runs);
        for run in of.filter(|run| !was_refused(run)) {
            // What is late is in a trace of its own, and the run log tells of it.
            if run.late.is_none() {
                let (key, place) = ((tenant, run.run.id), Place::of(run));
                // Groups may be told of in another order than they committed in.
                let comes_after = |(_, known): &(DateTime<Utc>, Place)| {
                    let order = |place: &Place| (place.stage, place.steps, place.version.count);
                    order(&place) >= order(known)
                };
                if runs.get(&key).is_none_or(comes_after) {
                    runs.insert(key, (at, place));
                }
            }
            self.halted(&run.run, at);
        }
        bound(&mut runs, MAX_REMEMBERED, |(at, _)| *at);
        drop(runs);
        bound(&mut lock(&self.halted), MAX_REMEMBERED, |(at, _)| *at);
    }

    /// Keeps that a run was halted, where it was.
    pub(super) fn halted(&self, run: &Run, at: DateTime<Utc>) {
        let stage = Stage::of(run);
        if run.halt_action.is_none() || stage == Stage::Running {
            return;
        }
        let mut halted = lock(&self.halted);
        let (when, known) = halted.entry((run.tenant, run.id)).or_insert((at, stage));
        (*when, *known) = (at.max(*when), stage.max(*known));
    }

    /// What a run has lost, as it was read; none where it has not. Of a run that is not there, there is no run state.
    pub(super) fn lost(&self, tenant: TenantId, id: RunId, run: Option<&RunState>) -> Option<String> {
        let key = (tenant, id);
        let found = run.map(Place::of);
        let stage = found.map(|found| found.stage);
        let halted = lock(&self.halted).get(&key).map(|(_, stage)| *stage);
        if let Some(halted) = halted
            && stage < Some(halted)
        {
            return Some(format!("run {id} was halted when this server last saw it, and is not"));
        }
        let (_, left) = *lock(&self.runs).get(&key)?;
        if found.is_some_and(|found| found.goes_on_from(left)) {
            return None;
        }
        if found.is_some() && stage < Some(left.stage) {
            return Some(format!("run {id} had ended when this server last saw it, and has not"));
        }
        if let Some(Place { steps, version, .. }) = found
            && steps >= left.steps
            && version != left.version
            && version.count <= left.version.count
        {
            let had = left.version.count;
            let now = if version.count < had {
                format!("{} times now", version.count)
            } else {
                "as often now, the last time by another".to_owned()
            };
            return Some(format!("run {id} was written {had} times when this server last saw it, and {now}"));
        }
        let (had, has) = (left.steps, found.map_or(0, |found| found.steps));
        Some(format!("run {id} had come to step {had} when this server last wrote it, and is at {has}"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn version(count: u64, mark: u128) -> RunVersion {
        RunVersion { count, mark: Uuid::from_u128(mark) }
    }

    #[test]
    fn a_run_goes_on_where_it_has_its_steps_and_its_stage() {
        let place = |stage: Stage, steps: u64, head: u8| {
            let version = version(6, head.into());
            Place { stage, steps, chain_head: Hash([head; 32]), version }
        };
        let left = Place { version: version(5, 1), ..place(Stage::Stopped, 3, 1) };
        for (found, goes_on) in [
            (left, true),
            (place(Stage::Over, 3, 1), true),
            (place(Stage::Over, 4, 2), true),
            (place(Stage::Over, 3, 2), false),
            (place(Stage::Over, 2, 1), false),
            (place(Stage::Running, 3, 1), false),
            (place(Stage::Running, 9, 9), false),
            (Place { version: version(6, 2), ..left }, true),
            (Place { version: version(4, 2), ..left }, false),
            // As often, by another: it was written anew from further back, whatever it has come to.
            (Place { version: version(5, 2), ..left }, false),
            (Place { version: version(5, 2), ..place(Stage::Over, 9, 9) }, false),
            (Place { version: version(4, 2), ..place(Stage::Over, 9, 9) }, false),
        ] {
            assert_eq!(found.goes_on_from(left), goes_on, "{found:?}");
        }
    }

    #[test]
    fn a_halt_is_known_however_many_runs_come_after_it() {
        let (tenant, id) = (TenantId(Uuid::from_u128(1)), RunId(Uuid::from_u128(2)));
        let (left, at) = (Left::default(), |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second));
        lock(&left.halted).insert((tenant, id), (at(0), Stage::Stopped));
        let (stage, version) = (Stage::Running, version(1, 1));
        let place = Place { stage, steps: 1, chain_head: Hash([0; 32]), version };
        for n in 0..MAX_REMEMBERED + 10 {
            let run = RunId(Uuid::from_u128(10 + n as u128));
            lock(&left.runs).insert((tenant, run), (at(1), place));
        }
        left.note(tenant, std::iter::empty(), at(2));
        assert!(lock(&left.runs).len() <= MAX_REMEMBERED);
        let told = left.lost(tenant, id, None).expect("it is gone");
        assert!(told.contains("was halted"), "{told}");
    }

    #[test]
    fn nor_is_it_forgotten_by_its_age_or_for_the_halts_of_another_tenant() {
        let [greedy, modest] = [1, 2].map(|n| TenantId(Uuid::from_u128(n)));
        let id = |n: u32| RunId(Uuid::from_u128(u128::from(n)));
        let at = |second: u32| DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(second));
        let left = Left::default();
        for n in 0..3 {
            lock(&left.halted).insert((modest, id(n)), (at(n), Stage::Stopped));
        }
        for n in (100_000_u32..).take(MAX_REMEMBERED) {
            lock(&left.halted).insert((greedy, id(n)), (at(n), Stage::Stopped));
        }
        left.note(greedy, std::iter::empty(), at(1_000_000));
        assert!(lock(&left.halted).len() <= MAX_REMEMBERED);
        for n in 0..3 {
            let told = left.lost(modest, id(n), None).expect("it is gone");
            assert!(told.contains("was halted"), "{told}");
        }
    }

    #[test]
    fn what_somebody_accepted_is_not_missed_and_what_comes_after_it_is() {
        let [one, other] = [1, 2].map(|n| TenantId(Uuid::from_u128(n)));
        let (id, left) = (RunId(Uuid::from_u128(3)), Left::default());
        let (stage, version) = (Stage::Running, version(1, 1));
        let place = Place { stage, steps: 1, chain_head: Hash([0; 32]), version };
        let is_missed = |tenant| left.lost(tenant, id, None).is_some();
        for tenant in [one, other] {
            left.accepted(tenant, 0);
            lock(&left.runs).insert((tenant, id), (DateTime::UNIX_EPOCH, place));
            lock(&left.halted).insert((tenant, id), (DateTime::UNIX_EPOCH, Stage::Stopped));
            assert!(is_missed(tenant));
        }
        left.accepted(one, 1);
        assert!(!is_missed(one) && is_missed(other));
        lock(&left.runs).insert((one, id), (DateTime::UNIX_EPOCH, place));
        left.accepted(one, 1);
        assert!(is_missed(one), "nobody accepted that");
    }
}
