//! What every operation is given: the store, the clock, ids and keys.
//!
//! The spine also keeps the choke point and the streams alive, which stand above it, and names neither: `assembly.rs`
//! puts them in, and their own modules find them.

mod settings;

use std::{
    any::Any,
    sync::{
        Arc, LazyLock, Once, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration as StdDuration, Instant},
};

use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use drivers::{Db, ReadTx, RedisIdempotencyStore, StoreError, StoreName, Tx};
use models::ids::TenantId;
use proof::keys::SigningKey;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

pub use settings::Settings;

use crate::{
    budget::{Budget, Refusals, Share},
    clocks::Clocks,
    credentials::Credentials,
    errors::Error,
    fallen::Fallen,
    ports::{CheckpointSink, SpanCodec, Spool},
    rejections::Rejections,
    secrets::WrappingKey,
};

/// How many answers are made at a time that are as long as their runs, proofs and evidence, and how long the next waits
/// for its turn.
pub const WHOLE_RUNS: usize = 3;
const WHOLE_RUN_WITHIN: StdDuration = StdDuration::from_secs(2);

/// How many runs are told at a time, in bundles, half of them of one tenant: little is held of each, for as long as its
/// caller takes.
const TOLD_RUNS: usize = 8;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, to the microsecond: all that Postgres keeps.
    fn now(&self) -> DateTime<Utc>;

    /// How long a second clock has run, which nobody can set: what [`Self::now`] says is held against it, and against
    /// the clock of the store. None for one that only stands for time.
    fn steady(&self) -> Option<Duration>;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    fn steady(&self) -> Option<Duration> {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        Duration::from_std(BEGAN.elapsed()).ok()
    }
}

/// Makes what nobody can guess.
pub trait Entropy: Send + Sync {
    /// A new UUIDv7 for a row made at `now`.
    fn id(&self, now: DateTime<Utc>) -> Uuid;
    /// 256 bits for a secret.
    fn secret(&self) -> [u8; 32];
}

/// The entropy of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn id(&self, _: DateTime<Utc>) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(
        clippy::expect_used,
        reason = "a machine without entropy can make no secret; going on would be worse"
    )]
    #[expect(clippy::disallowed_methods, reason = "the one place that makes secrets")]
    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the machine's source of randomness");
        bytes
    }
}

/// The parts that a [`Spine`] is built of.
pub struct Parts {
    /// The store.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub entropy: Arc<dyn Entropy>,
    /// Signs checkpoints and bundles.
    pub signing_key: Arc<SigningKey>,
    /// Unwraps tenant keys.
    pub wrapping_key: WrappingKey,
    /// Where checkpoints are kept outside the store.
    pub sinks: Vec<Arc<dyn CheckpointSink>>,
    /// Answers repeats before the store does.
    pub idempotency: Option<RedisIdempotencyStore>,
    /// Keeps what is answered while the store is down. Without one, nothing passes then.
    pub spool: Option<Arc<dyn Spool>>,
    /// Reads what exporters of spans send.
    pub span_codec: Arc<dyn SpanCodec>,
    /// What may be tuned.
    pub settings: Settings,
}

/// The shared parts of the control plane. Cheap to clone.
#[derive(Clone)]
pub struct Spine {
    shared: Arc<Shared>,
}

/// A place to read a whole run in. Whoever has a clone of it has the place: it goes with what was read, until that is
/// counted in a budget or given up.
#[derive(Clone, Debug)]
pub struct WholeRun {
    _place: Arc<OwnedSemaphorePermit>,
}

/// A part of the control plane that stands above the spine.
pub(crate) type Standing = Box<dyn Any + Send + Sync>;

struct Shared {
    parts: Parts,
    /// One of each type.
    standing: Vec<Standing>,
    credentials: Credentials,
    clocks: Clocks,
    bodies: Budget,
    answers: Budget,
    /// The places of whole runs, and for whom there was none.
    whole_runs: Arc<Semaphore>,
    unread_runs: Refusals,
    /// Those that are told.
    told_runs: Budget,
    fallen: Arc<Fallen>,
    rejections: Rejections,
    /// Why the store is only read, where that is so.
    held_back: RwLock<Option<HeldBack>>,
    /// When a look into a fall of the store failed last; held by who looks.
    fall_look: Mutex<Option<Duration>>,
    /// How often there was such a reason.
    holds: AtomicU64,
    /// Why it is only read for as long as this process lives.
    given_up: OnceLock<String>,
    /// What this process alone calls its store, drawn when it is first asked for.
    own_name: OnceLock<String>,
    /// That another key signs for the store is told once.
    other_key: Once,
}

/// Why a store is only read: with all that is known of it, and for whoever asks, who may be of another tenant or have
/// no key at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldBack {
    pub(crate) why: String,
    pub(crate) in_short: String,
}

/// What is said of a store that has lost what is in no log.
const GIVEN_UP: &str = "this store fell back under the server: what it saw of a run is gone. It is read and not written by \
    this process; put a newer store in its place, or start the server anew to go on with what this one has";

impl Spine {
    /// A spine of these parts, which keeps what stands above it.
    pub(crate) fn keeping(parts: Parts, standing: Vec<Standing>) -> Self {
        let budget = |what| Budget::new(what, parts.settings.max_held_bytes);
        let (bodies, answers) = (budget("bodies"), budget("answers that are not taken"));
        Self {
            shared: Arc::new(Shared {
                parts,
                standing,
                credentials: Credentials::default(),
                clocks: Clocks::default(),
                bodies,
                answers,
                whole_runs: Arc::new(Semaphore::new(WHOLE_RUNS)),
                unread_runs: Refusals::of("whole runs that are read"),
                told_runs: Budget::new("runs that are told", TOLD_RUNS),
                fallen: Arc::default(),
                rejections: Rejections::default(),
                held_back: RwLock::default(),
                fall_look: Mutex::default(),
                holds: AtomicU64::new(0),
                given_up: OnceLock::new(),
                own_name: OnceLock::new(),
                other_key: Once::new(),
            }),
        }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.shared.parts.db
    }

    /// Opens a unit of work that may write; refused while the store is only to be read.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        match self.held_back() {
            None => self.db().begin().await,
            Some(why) => Err(StoreError::ReadOnly(why)),
        }
    }

    /// Undoes a unit of work and begins it anew, on another connection where the store has several.
    pub(crate) async fn begin_elsewhere(&self, tx: Tx) -> Result<Tx, StoreError> {
        match self.held_back() {
            None => self.db().begin_elsewhere(tx).await,
            Some(why) => Err(StoreError::ReadOnly(why)),
        }
    }

    /// Why nothing is written, where that is so. It names tenants and folders: it is for the log.
    #[must_use]
    pub fn held_back(&self) -> Option<String> {
        let held = self.shared.held_back.read().unwrap_or_else(PoisonError::into_inner);
        let why = held.as_ref().map(|held| held.why.clone());
        why.or_else(|| self.shared.given_up.get().cloned()).or_else(|| self.db().fell_back())
    }

    /// The same for whoever asks.
    pub(crate) fn held_back_in_short(&self) -> Option<String> {
        let held = self.shared.held_back.read().unwrap_or_else(PoisonError::into_inner);
        let why = held.as_ref().map(|held| held.in_short.clone());
        let given_up = || self.shared.given_up.get().map(|_| GIVEN_UP.to_owned());
        why.or_else(given_up).or_else(|| self.db().fell_back_in_short())
    }

    /// Whether a call has met that the store fell back, and nobody has looked yet what it lost.
    pub(crate) fn is_fall_new(&self) -> bool {
        let looked = self.shared.held_back.read().unwrap_or_else(PoisonError::into_inner).is_some();
        !looked && self.db().fell_back().is_some()
    }

    /// Who looks into a fall of the store holds this, so that one does at a time: when such a look failed last.
    pub(crate) fn fall_look(&self) -> &Mutex<Option<Duration>> {
        &self.shared.fall_look
    }

    /// From now on nothing is written for this reason; or, without one, all is as ever. Whether that is a change.
    pub(crate) fn hold_back(&self, why: Option<HeldBack>) -> bool {
        let mut held = self.shared.held_back.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *held != why;
        if changed && why.is_some() {
            self.shared.holds.fetch_add(1, Ordering::Relaxed);
        }
        *held = why;
        changed
    }

    /// From now on nothing is written, and this process does not come back to that: what the store lost is nowhere
    /// else.
    pub(crate) fn give_up(&self, why: &str) {
        let told = self.shared.given_up.set(why.to_owned());
        if told.is_ok() {
            tracing::error!("{why}");
        }
    }

    /// What the store is called that has what is committed now, and how many this process has met: it is another as
    /// soon as some of that may be missing. None while the store is only read.
    ///
    /// All servers on one Postgres call it the same. One that it fell back under, or an embedded store, is called by a
    /// name that no other process has.
    pub(crate) fn store_name(&self) -> Option<(u64, String)> {
        if self.held_back().is_some() {
            return None;
        }
        let StoreName { shared, met, falls } = self.db().name()?;
        let falls = falls + self.shared.holds.load(Ordering::Relaxed);
        let own =
            || self.shared.own_name.get_or_init(|| self.id::<Uuid>(self.now()).simple().to_string()).as_str();
        let name = match shared {
            Some(shared) if falls == 0 => shared,
            Some(shared) => format!("{shared}-{}-{falls}", own()),
            None => format!("{}-{falls}", own()),
        };
        Some((met, name))
    }

    /// Tells that another key signs for the store, whoever finds it first: what is asked and done anew each second
    /// would tell it each second.
    pub(crate) fn tell_other_key(&self, why: &str) {
        self.shared.other_key.call_once(|| tracing::error!("{why}"));
    }

    pub(crate) async fn read(&self) -> Result<ReadTx, StoreError> {
        self.db().read().await
    }

    /// The same for what must not stand behind other reads: who calls, whether the store is there, what streams wait
    /// for.
    pub(crate) async fn read_first(&self) -> Result<ReadTx, StoreError> {
        self.db().read_first().await
    }

    /// A place to read a whole run in, for a call of that tenant. Those are few, for each takes long and keeps much;
    /// [`Error::Busy`] where none becomes free soon. They are of no tenant's part: whoever comes first may have all of
    /// them for a while.
    pub async fn whole_run(&self, tenant: TenantId) -> Result<WholeRun, Error> {
        let place = Arc::clone(&self.shared.whole_runs).acquire_owned();
        match tokio::time::timeout(WHOLE_RUN_WITHIN, place).await {
            Ok(Ok(place)) => Ok(WholeRun { _place: Arc::new(place) }),
            _ => Err(self.unread_runs().refuse(Some(tenant))),
        }
    }

    /// For whom there was no place to read a whole run in.
    pub(crate) fn unread_runs(&self) -> &Refusals {
        &self.shared.unread_runs
    }

    /// A place to tell a run in, for a call of that tenant, which its bundle has until it is taken; [`Error::Busy`]
    /// where there is none. Nobody waits for one: who has one may take long.
    pub fn told_run(&self, tenant: TenantId) -> Result<Share, Error> {
        let place = self.told_runs().share(Some(tenant));
        place.take(1)?;
        Ok(place)
    }

    /// The places of runs that are told.
    pub(crate) fn told_runs(&self) -> &Budget {
        &self.shared.told_runs
    }

    /// The bytes of bodies that are being answered.
    #[must_use]
    pub fn bodies(&self) -> &Budget {
        &self.shared.bodies
    }

    /// The bytes of answers that their callers have not taken yet.
    #[must_use]
    pub fn answers(&self) -> &Budget {
        &self.shared.answers
    }

    /// Now, by the clock this spine was given; or by the store's, where that one is not the store's.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clocks().time(self.own_clock(), self.steady())
    }

    /// What the clock says that this spine was given, right or wrong.
    pub(crate) fn own_clock(&self) -> DateTime<Utc> {
        self.shared.parts.clock.now()
    }

    pub(crate) fn steady(&self) -> Option<Duration> {
        self.shared.parts.clock.steady()
    }

    /// By this it is told what came first on this server, and by how much, whatever a clock is set to meanwhile. Where
    /// the clock only stands for time, by that.
    pub(crate) fn elapsed(&self) -> Duration {
        self.steady().unwrap_or_else(|| self.own_clock() - DateTime::UNIX_EPOCH)
    }

    pub(crate) fn clocks(&self) -> &Clocks {
        &self.shared.clocks
    }

    /// A new id of any kind, for a row made at `now`.
    pub(crate) fn id<T: From<Uuid>>(&self, now: DateTime<Utc>) -> T {
        T::from(self.shared.parts.entropy.id(now))
    }

    /// A new name for a request that came without one.
    #[must_use]
    pub fn request_id(&self) -> String {
        format!("req_{}", self.shared.parts.entropy.id(self.now()).simple())
    }

    pub(crate) fn secret(&self) -> [u8; 32] {
        self.shared.parts.entropy.secret()
    }

    /// A while below `most` that others do not draw too.
    pub(crate) fn jitter(&self, most: std::time::Duration) -> std::time::Duration {
        part_of(most, self.id(self.now()))
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.shared.parts.signing_key
    }

    pub(crate) fn wrapping_key(&self) -> &WrappingKey {
        &self.shared.parts.wrapping_key
    }

    pub(crate) fn rejections(&self) -> &Rejections {
        &self.shared.rejections
    }

    pub(crate) fn sinks(&self) -> &[Arc<dyn CheckpointSink>] {
        &self.shared.parts.sinks
    }

    pub(crate) fn idempotency(&self) -> Option<&RedisIdempotencyStore> {
        self.shared.parts.idempotency.as_ref()
    }

    pub(crate) fn spool(&self) -> Option<&Arc<dyn Spool>> {
        self.shared.parts.spool.as_ref()
    }

    /// Reads what exporters of spans send, and writes their answers.
    #[must_use]
    pub fn span_codec(&self) -> &dyn SpanCodec {
        &*self.shared.parts.span_codec
    }

    /// What was tuned.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.parts.settings
    }

    /// What stands above the spine, by its type: for the module that it is of.
    pub(crate) fn standing<T: Any>(&self) -> &T {
        let found = self.shared.standing.iter().find_map(|one| one.downcast_ref::<T>());
        found.unwrap_or_else(|| unreachable!("`assembly.rs` puts one of each in"))
    }

    /// The background tasks that do not run.
    pub(crate) fn fallen(&self) -> &Arc<Fallen> {
        &self.shared.fallen
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }
}

impl std::fmt::Debug for Spine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spine").finish_non_exhaustive()
    }
}

/// So much of `most` as the last bits of an id say, which are drawn.
fn part_of(most: std::time::Duration, drawn: Uuid) -> std::time::Duration {
    let [.., high, low] = drawn.into_bytes();
    most * u32::from(u16::from_be_bytes([high, low])) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;

    #[test]
    fn jitter_is_a_part_that_each_draws_for_himself() {
        let most = Duration::from_millis(4);
        let ends = [0, u128::MAX].map(|drawn| part_of(most, Uuid::from_u128(drawn)));
        assert_eq!(ends, [Duration::ZERO, most]);
        let now = SystemClock.now();
        let drawn: BTreeSet<Duration> = (0..100).map(|_| part_of(most, SystemEntropy.id(now))).collect();
        assert!(drawn.len() > 50 && drawn.iter().all(|part| *part <= most), "{drawn:?}");
    }
}
