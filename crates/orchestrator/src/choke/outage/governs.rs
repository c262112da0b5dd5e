//! What governs the tenants whose runs are remembered: their freezes and settings, as they were when they were last looked at;
//! and whether that is late enough to go by it.
//!
//! A run is remembered as its last call left it. What was done to it since, through another server, this one learns by
//! looking. While the looks fail and the store answers calls all the same, nothing is known of that, and nothing is let through.
//! What came first is told by the time that has elapsed on this server: a clock that was ahead and is set right would make all
//! that is remembered too old for as long.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use models::{
    activity::{Freeze, Run},
    ids::{RunId, TenantId},
};

use crate::context::TenantSettings;

/// By how much the last look may come before the last answer of the store.
const TRUSTED: TimeDelta = TimeDelta::seconds(3);

/// And by twice as long as a look takes, for there is no later one until the next is over; where a look takes as long as this,
/// and no more.
const SLOW: TimeDelta = TimeDelta::seconds(5);

/// How many halts may be asked for in one outage before all runs of the tenant are held.
const MOST_ASKED: usize = 1_000;

/// What is known of all tenants whose runs are remembered.
#[derive(Default)]
pub(in crate::choke) struct Governs(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// When the store last answered this server.
    answered: Option<TimeDelta>,
    /// How long the last look took.
    took: TimeDelta,
    tenants: HashMap<TenantId, Governed>,
}

/// What is known of one tenant.
#[derive(Default)]
struct Governed {
    /// When it was looked at last.
    looked: Option<TimeDelta>,
    settings: Option<Arc<TenantSettings>>,
    freezes: Vec<Arc<Freeze>>,
    /// Begun by this server, each with the generation that it made: they hold here before the next look.
    begun: Vec<(u64, Arc<Freeze>)>,
    asked: Asked,
}

/// Halts that people asked for and the store did not take. They are recorded nowhere, and nobody is told that they are in force;
/// but until the store is back, nothing of these runs is let through here.
#[derive(Default)]
struct Asked {
    runs: HashSet<RunId>,
    freezes: Vec<Freeze>,
    all: bool,
}

impl Asked {
    fn bound(&mut self) {
        self.all |= self.runs.len() + self.freezes.len() > MOST_ASKED;
        if self.all {
            self.runs.clear();
            self.freezes.clear();
        }
    }

    fn holds(&self, run: &Run) -> bool {
        let freezes = || self.freezes.iter().any(|freeze| freeze.holds(&run.agent_id));
        self.all || self.runs.contains(&run.id) || freezes()
    }
}

impl Governs {
    /// The store answered a group that began then.
    pub(super) fn answered(&self, at: TimeDelta) {
        let mut known = self.known();
        known.answered = known.answered.max(Some(at));
    }

    /// The tenant's settings as they were looked at last, with the generation that its freezes are of.
    pub(super) fn settings(&self, tenant: TenantId) -> Option<Arc<TenantSettings>> {
        self.known().tenants.get(&tenant)?.settings.clone()
    }

    /// Takes what a look at these tenants came to that began then and took so long. Those of which none came are as they were;
    /// the freezes are of those whose generation was another. Others than the tenants that were looked at are forgotten.
    pub(super) fn looked(
        &self,
        (at, took): (TimeDelta, TimeDelta),
        tenants: &BTreeSet<TenantId>,
        found: HashMap<TenantId, Arc<TenantSettings>>,
        mut freezes: HashMap<TenantId, Vec<Arc<Freeze>>>,
    ) {
        let mut known = self.known();
        known.answered = known.answered.max(Some(at));
        known.took = took;
        known.tenants.retain(|tenant, _| tenants.contains(tenant));
        for (tenant, settings) in found {
            let governed = known.tenants.entry(tenant).or_default();
            governed.looked = Some(at);
            governed.asked = Asked::default();
            governed.begun.retain(|(generation, _)| *generation > settings.generation);
            if let Some(freezes) = freezes.remove(&tenant) {
                governed.freezes = freezes;
                governed.settings = Some(settings);
            }
        }
    }

    /// Nothing is remembered any more that could be governed.
    pub(super) fn forget(&self) {
        self.known().tenants.clear();
    }

    /// This server began a freeze, by which the tenant came to this generation.
    pub(in crate::choke) fn began(&self, freeze: Freeze, generation: u64) {
        let mut known = self.known();
        known.tenants.entry(freeze.tenant).or_default().begun.push((generation, Arc::new(freeze)));
    }

    /// Somebody asked for a freeze, and the store did not take it.
    pub(in crate::choke) fn asked_to_freeze(&self, freeze: Freeze) {
        let mut known = self.known();
        let asked = &mut known.tenants.entry(freeze.tenant).or_default().asked;
        if !asked.freezes.iter().any(|asked| asked.target_id == freeze.target_id) {
            asked.freezes.push(freeze);
            asked.bound();
        }
    }

    /// Somebody asked for a run to be killed, and the store did not take it.
    pub(super) fn asked_to_kill(&self, tenant: TenantId, run: RunId) {
        let mut known = self.known();
        let asked = &mut known.tenants.entry(tenant).or_default().asked;
        asked.runs.insert(run);
        asked.bound();
    }

    /// The freeze that holds for an agent's run which was read at that time, and then met that one.
    pub(super) fn freeze_of(
        &self,
        tenant: TenantId,
        agent_id: &str,
        (read, met): (TimeDelta, Option<Arc<Freeze>>),
    ) -> Option<Arc<Freeze>> {
        let known = self.known();
        let Some(governed) = known.tenants.get(&tenant) else { return met };
        let begun = governed.begun.iter().map(|(_, freeze)| freeze);
        let holds = governed.freezes.iter().chain(begun).find(|freeze| freeze.holds(agent_id)).cloned();
        holds.or_else(|| met.filter(|_| governed.looked.is_none_or(|looked| looked < read)))
    }

    /// Whether what is remembered of the run, which was read at that time, may be gone by: it was read, or its tenant looked at,
    /// not long before the store answered last; and nobody has asked since that it be halted.
    pub(super) fn trusts(&self, run: &Run, read: TimeDelta) -> bool {
        let known = self.known();
        let held = known.tenants.get(&run.tenant).is_some_and(|governed| governed.asked.holds(run));
        known.is_late_enough(run.tenant, read) && !held
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether what was read of a tenant's run at that time was not read, nor the tenant looked at, long before the store
    /// answered last.
    fn is_late_enough(&self, tenant: TenantId, read: TimeDelta) -> bool {
        let last = self.tenants.get(&tenant).and_then(|governed| governed.looked).max(Some(read));
        let trusted = TRUSTED + self.took.min(SLOW) * 2;
        self.answered <= last.map(|last| last + trusted)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use models::{
        account::{CaptureMode, FailureMode, Permits},
        ids::InterventionId,
    };
    use proof::{hmac::TenantKey, words::ActorType};
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId(Uuid::from_u128(1));

    fn at(second: i64) -> TimeDelta {
        TimeDelta::seconds(second)
    }

    fn freeze(target: &str) -> Freeze {
        Freeze {
            tenant: TENANT,
            target_id: target.to_owned(),
            intervention_id: InterventionId(Uuid::from_u128(2)),
            actor_type: ActorType::Human,
            actor_id: None,
            reason: None,
            requested_at: DateTime::UNIX_EPOCH,
        }
    }

    /// A look that began then and found the tenant at this generation, with these frozen where they were read.
    fn look(governs: &Governs, second: i64, generation: u64, frozen: Option<&[&str]>) {
        let settings = TenantSettings {
            id: TENANT,
            generation,
            slug: "default".to_owned(),
            time_zone: "UTC".to_owned(),
            calendar: rules::zone::Zone::UTC.into(),
            capture_mode: CaptureMode::Full,
            failure_mode: FailureMode::Degrade,
            permits: Permits::Optional,
            block_unknown_cost: false,
            key: TenantKey::new("tky", [1; 32]),
            key_id: "tky".to_owned(),
        };
        let read = |names: &[&str]| -> Vec<Arc<Freeze>> {
            names.iter().map(|name| Arc::new(freeze(name))).collect()
        };
        let freezes = frozen.map(|names| (TENANT, read(names)));
        let found = HashMap::from([(TENANT, Arc::new(settings))]);
        governs.looked((at(second), at(0)), &BTreeSet::from([TENANT]), found, freezes.into_iter().collect());
    }

    #[test]
    fn a_freeze_of_this_server_holds_until_a_look_that_began_after_it_tells_otherwise() {
        let governs = Governs::default();
        let holds = |agent: &str| governs.freeze_of(TENANT, agent, (at(0), None)).is_some();
        governs.began(freeze("a"), 6);
        assert!(holds("a") && !holds("b"));
        look(&governs, 1, 5, Some(&["b"]));
        assert!(holds("a") && holds("b"), "the look was under way when it was begun");
        look(&governs, 2, 6, Some(&["a"]));
        assert!(holds("a") && !holds("b"));
        look(&governs, 3, 6, None);
        assert!(holds("a"), "nothing has changed");
        look(&governs, 4, 7, Some(&[]));
        assert!(!holds("a"), "it was lifted");
    }

    #[test]
    fn what_a_run_met_counts_where_it_was_read_after_the_look() {
        let governs = Governs::default();
        look(&governs, 5, 1, Some(&[]));
        let met =
            |second| governs.freeze_of(TENANT, "a", (at(second), Some(Arc::new(freeze("a"))))).is_some();
        assert!(met(6) && !met(4));
    }

    #[test]
    fn a_look_that_takes_long_is_gone_by_until_the_next_is_over() {
        let governs = Governs::default();
        let late_enough = |answered: i64| {
            governs.answered(at(answered));
            governs.known().is_late_enough(TENANT, at(0))
        };
        look(&governs, 1, 1, Some(&[]));
        assert!(late_enough(4) && !late_enough(5));
        // Each of these ends when the store has answered others for a while.
        for (second, took) in [(10, 2), (13, 2)] {
            governs.known().took = at(took);
            governs.known().tenants.entry(TENANT).or_default().looked = Some(at(second));
            assert!(late_enough(second + 3 + 2 * took), "{second}");
        }
        governs.known().took = at(60);
        assert!(
            late_enough(13 + 3 + 10) && !late_enough(13 + 3 + 11),
            "such a store is not gone by for long"
        );
    }
}
