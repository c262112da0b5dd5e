//! What governs the tenants whose runs are remembered: their freezes and settings, as they were when they were last
//! looked at; and whether that is late enough to go by it.
//!
//! A run is remembered as its last call left it. What was done to it since, through another server, this one learns by
//! looking. While the looks fail and the store answers calls all the same, nothing is known of that, and nothing is let
//! through. What came first is told by the time that has elapsed on this server: a clock that was ahead and is set
//! right would make all that is remembered too old for as long.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use models::{
    activity::{Freeze, Run},
    ids::{KeyId, RunId, TenantId},
};

use crate::context::TenantSettings;

/// By how much the last look may come before the last answer of the store.
const TRUSTED: TimeDelta = TimeDelta::seconds(3);

/// And by twice as long as a look takes, for there is no later one until the next is over; where a look takes as long
/// as this, and no more.
const SLOW: TimeDelta = TimeDelta::seconds(5);

/// How long a freeze that this server began is kept of a tenant none of whose runs are remembered: a group that read
/// one of them before the freeze may still be under way. No group takes as long.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(1);

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
    /// Begun by this server: they hold here before the next look.
    begun: Vec<BegunHere>,
    asked: Asked,
}

/// A freeze that this server began.
struct BegunHere {
    /// When it was in force. What is read later has met it.
    at: TimeDelta,
    /// The generation that it made.
    generation: u64,
    freeze: Arc<Freeze>,
}

/// Halts that people asked for and the store did not take, each with when it was asked for last. They are recorded
/// nowhere, and nobody is told that they are in force; but a run of theirs is not gone by from memory until the store
/// has written something of it again. That it can be read is not enough: a full disk can be read, and what a failover
/// left, and a row that another holds.
#[derive(Default)]
struct Asked {
    runs: HashMap<RunId, TimeDelta>,
    freezes: Vec<(TimeDelta, Freeze)>,
    /// What is called with these.
    keys: HashMap<KeyId, TimeDelta>,
    /// All runs of the tenant, for so many were asked for, or nothing was to pass without the store.
    all: Option<TimeDelta>,
}

impl Asked {
    /// Keeps no more than may be, where one was added at that time.
    fn bound(&mut self, at: TimeDelta) {
        if self.all.is_some() || self.runs.len() + self.freezes.len() + self.keys.len() > MOST_ASKED {
            *self = Self { all: self.all.max(Some(at)), ..Self::default() };
        }
    }

    /// Forgets what was asked for by then.
    fn forget(&mut self, by: TimeDelta) {
        self.runs.retain(|_, at| *at > by);
        self.freezes.retain(|(at, _)| *at > by);
        self.keys.retain(|_, at| *at > by);
        self.all = self.all.filter(|at| *at > by);
    }

    /// Forgets what was asked for by then and is in force: it is asked for no more, and who lifts it, lifts it.
    fn forget_taken(&mut self, by: TimeDelta, taken: &[Arc<Freeze>]) {
        let is_taken = |asked: &Freeze| taken.iter().any(|taken| taken.is_of(&asked.target_id));
        self.freezes.retain(|(at, asked)| *at > by || !is_taken(asked));
    }

    fn is_empty(&self) -> bool {
        let Self { runs, freezes, keys, all } = self;
        runs.is_empty() && freezes.is_empty() && keys.is_empty() && all.is_none()
    }

    /// Whether a run of that agent was asked to be halted, or the key to be revoked by which it is called, since the
    /// store last wrote something of the run, in a group that began then.
    fn holds(&self, (run, agent_id): (RunId, &str), key: Option<KeyId>, written: Option<TimeDelta>) -> bool {
        let since = |at: TimeDelta| written.is_none_or(|written| written <= at);
        let by_freeze = || self.freezes.iter().any(|(at, freeze)| since(*at) && freeze.holds(agent_id));
        let by_key = key.and_then(|key| self.keys.get(&key));
        self.runs.get(&run).into_iter().chain(by_key).chain(&self.all).copied().any(since) || by_freeze()
    }
}

impl Governed {
    /// Forgets all but what a look that began then cannot have seen: what was done here since, or just before, and what
    /// the store did not take. Gives whether there is any.
    fn keep_news(&mut self, since: TimeDelta) -> bool {
        let Self { mut begun, asked, .. } = std::mem::take(self);
        begun.retain(|begun| begun.at + UNDER_WAY > since);
        let has_any = !begun.is_empty() || !asked.is_empty();
        *self = Self { begun, asked, ..Self::default() };
        has_any
    }
}

impl Governs {
    /// The store answered a group that began then.
    pub(super) fn answered(&self, at: TimeDelta) {
        let mut known = self.known();
        known.answered = known.answered.max(Some(at));
    }

    /// The store took what a group of the tenant wrote that began then. A run is gone by for `memory` after it was
    /// read: what was asked for before that is in the way of none any more.
    pub(super) fn wrote(&self, tenant: TenantId, at: TimeDelta, memory: TimeDelta) {
        if let Some(governed) = self.known().tenants.get_mut(&tenant) {
            governed.asked.forget(at - memory);
        }
    }

    /// The tenant's settings as they were looked at last, with the generation that its freezes are of.
    pub(super) fn settings(&self, tenant: TenantId) -> Option<Arc<TenantSettings>> {
        self.known().tenants.get(&tenant)?.settings.clone()
    }

    /// Takes what a look at these tenants came to that began then and took so long. Those of which none came are as
    /// they were; the freezes are of those whose generation was another. Others than the tenants that were looked at
    /// are forgotten, but for what this server has done to them meanwhile.
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
        known.tenants.retain(|tenant, governed| tenants.contains(tenant) || governed.keep_news(at));
        for (tenant, settings) in found {
            let governed = known.tenants.entry(tenant).or_default();
            governed.looked = Some(at);
            governed.begun.retain(|begun| begun.generation > settings.generation);
            if let Some(freezes) = freezes.remove(&tenant) {
                governed.freezes = freezes;
                governed.settings = Some(settings);
            }
            governed.asked.forget_taken(at, &governed.freezes);
        }
    }

    /// Nothing was remembered then that could be governed.
    pub(super) fn forget(&self, at: TimeDelta) {
        self.known().tenants.retain(|_, governed| governed.keep_news(at));
    }

    /// This server began a freeze, which is in force at that time, and by which the tenant came to this generation.
    pub(in crate::choke) fn began(&self, at: TimeDelta, freeze: Freeze, generation: u64) {
        let mut known = self.known();
        let governed = known.tenants.entry(freeze.tenant).or_default();
        let freeze = Arc::new(freeze);
        governed.asked.forget_taken(at, std::slice::from_ref(&freeze));
        governed.begun.push(BegunHere { at, generation, freeze });
    }

    /// Somebody asked for a freeze at that time, and the store did not take it.
    pub(in crate::choke) fn asked_to_freeze(&self, at: TimeDelta, freeze: Freeze) {
        let mut known = self.known();
        let asked = &mut known.tenants.entry(freeze.tenant).or_default().asked;
        asked.freezes.retain(|(_, asked)| asked.target_id != freeze.target_id);
        asked.freezes.push((at, freeze));
        asked.bound(at);
    }

    /// Somebody asked at that time for a key to be revoked, and the store did not take it.
    pub(in crate::choke) fn asked_to_revoke(&self, at: TimeDelta, tenant: TenantId, key: KeyId) {
        let mut known = self.known();
        let asked = &mut known.tenants.entry(tenant).or_default().asked;
        asked.keys.insert(key, at);
        asked.bound(at);
    }

    /// Somebody asked at that time that nothing of the tenant passes without the store, and the store did not take it.
    pub(in crate::choke) fn asked_to_fail_closed(&self, at: TimeDelta, tenant: TenantId) {
        let mut known = self.known();
        let asked = &mut known.tenants.entry(tenant).or_default().asked;
        asked.all = asked.all.max(Some(at));
    }

    /// Somebody asked at that time for a run to be killed, and the store did not take it.
    pub(super) fn asked_to_kill(&self, at: TimeDelta, tenant: TenantId, run: RunId) {
        let mut known = self.known();
        let asked = &mut known.tenants.entry(tenant).or_default().asked;
        asked.runs.insert(run, at);
        asked.bound(at);
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
        let begun = governed.begun.iter().filter(|begun| begun.at >= read).map(|begun| &begun.freeze);
        let holds = governed.freezes.iter().chain(begun).find(|freeze| freeze.holds(agent_id)).cloned();
        holds.or_else(|| met.filter(|_| governed.looked.is_none_or(|looked| looked < read)))
    }

    /// Whether a call with that key may go by what is remembered of the run, which the store last told of and wrote at
    /// these times: it told of it not long before it answered last, and nobody has asked since it wrote it that the run
    /// be halted, or the key revoked.
    pub(super) fn trusts(
        &self,
        run: &Run,
        key: Option<KeyId>,
        (told, written): (TimeDelta, Option<TimeDelta>),
    ) -> bool {
        let known = self.known();
        let holds = |governed: &Governed| governed.asked.holds((run.id, run.agent_id.as_str()), key, written);
        let held = known.tenants.get(&run.tenant).is_some_and(holds);
        known.is_late_enough(told) && !held
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether what the store told at that time, in a group or a look, was not told long before it answered last.
    fn is_late_enough(&self, told: TimeDelta) -> bool {
        self.answered <= Some(told + TRUSTED + self.took.min(SLOW) * 2)
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

    fn run(n: usize) -> RunId {
        RunId(Uuid::from_u128(n as u128))
    }

    fn key(n: usize) -> KeyId {
        KeyId(Uuid::from_u128(n as u128))
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
        governs.began(at(1), freeze("a"), 6);
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
    fn a_look_takes_away_nothing_that_was_done_here_since_it_began() {
        let governs = Governs::default();
        // The tenant is not among those that were looked at: its first run was remembered since.
        let others = |second| {
            governs.looked((at(second), at(0)), &BTreeSet::new(), HashMap::new(), HashMap::new());
            governs.forget(at(second));
        };
        let holds = |read| governs.freeze_of(TENANT, "a", (at(read), None)).is_some();
        governs.began(at(6), freeze("a"), 6);
        others(5);
        assert!(holds(4));
        others(30);
        assert!(holds(4), "who read the run before the freeze may remember it only now");
        assert!(!holds(7), "what is read later has met it, if it is not lifted by then");
        others(66);
        assert!(!holds(4), "nobody has been under way for so long");

        let asked = || governs.known().tenants.get(&TENANT).is_some_and(|known| !known.asked.is_empty());
        for most in [0, MOST_ASKED] {
            governs.asked_to_freeze(at(70), freeze("a"));
            for n in 0..most {
                governs.asked_to_kill(at(70), TENANT, run(n));
            }
            look(&governs, 71, 6, Some(&[]));
            others(200);
            assert!(asked(), "a look tells only that the store can be read");
            governs.wrote(TENANT, at(79), at(10));
            assert!(asked(), "there may be runs of which nothing was written since");
            governs.wrote(TENANT, at(80), at(10));
            assert!(!asked(), "none is remembered that was read before");
        }
    }

    #[test]
    fn a_halt_that_the_store_did_not_take_holds_until_it_writes_something_of_the_run() {
        let governs = Governs::default();
        let holds = |n: usize, agent: &str, written: Option<i64>| {
            let known = governs.known();
            let (of, written) = ((run(n), agent), written.map(at));
            known.tenants.get(&TENANT).is_some_and(|known| known.asked.holds(of, Some(key(n)), written))
        };
        governs.asked_to_kill(at(5), TENANT, run(1));
        governs.asked_to_freeze(at(5), freeze("a"));
        for written in [None, Some(4), Some(5)] {
            assert!(holds(1, "b", written) && holds(2, "a", written), "{written:?}");
            assert!(!holds(2, "b", written), "{written:?}");
        }
        assert!(!holds(1, "b", Some(6)) && !holds(2, "a", Some(6)), "it was written since");

        look(&governs, 4, 7, Some(&["a"]));
        assert!(holds(2, "a", None), "it was asked for while that look was under way");
        look(&governs, 6, 7, None);
        assert!(
            !holds(2, "a", None) && holds(1, "a", None),
            "the freeze is in force: another server took it"
        );
        governs.asked_to_freeze(at(7), freeze(""));
        governs.began(at(8), freeze(""), 8);
        assert!(!holds(2, "c", None), "this one took it");
        governs.asked_to_revoke(at(8), TENANT, key(4));
        assert!(holds(4, "d", Some(8)) && !holds(4, "d", Some(9)) && !holds(5, "d", None), "one key");
        for n in 0..=MOST_ASKED {
            governs.asked_to_kill(at(9), TENANT, run(n));
        }
        assert!(holds(MOST_ASKED + 2, "c", Some(9)), "there are too many to know which");
        assert!(!holds(1, "c", Some(10)), "it was written since");
        governs.asked_to_fail_closed(at(11), TENANT);
        assert!(holds(3, "d", Some(11)) && !holds(3, "d", Some(12)), "it is asked for all of them");
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
        let late_enough = |told: i64, answered: i64| {
            governs.answered(at(answered));
            governs.known().is_late_enough(at(told))
        };
        look(&governs, 1, 1, Some(&[]));
        assert!(late_enough(1, 4) && !late_enough(1, 5));
        // Each of these ends when the store has answered others for a while.
        for (second, took) in [(10, 2), (13, 2)] {
            governs.known().took = at(took);
            assert!(late_enough(second, second + 3 + 2 * took), "{second}");
        }
        governs.known().took = at(60);
        assert!(
            late_enough(13, 13 + 3 + 10) && !late_enough(13, 13 + 3 + 11),
            "such a store is not gone by for long"
        );
    }
}
