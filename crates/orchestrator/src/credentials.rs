//! The keys and the console's sessions that this process has read lately.
//!
//! A key that was read less than a second ago is not read again. So a revocation in the store is in force within a
//! second. A new key is in force at once, because a key that is not here is always read.
//!
//! While the store is down, an older key serves too (spec 3), if it was read within the outage memory before the store
//! went. A session, and its key, serve from here only then: people can halt what they see, and nothing else that they
//! do passes without the store.
//!
//! Only keys and sessions that were named with the right secret are kept, so callers cannot fill this.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use models::{
    account::{ApiKey, Session},
    ids::{KeyId, SessionId, TenantId},
};
use proof::hash::Hash as Secret;

use crate::context::TenantSettings;

/// How long a key is taken to be as it was read.
const FRESH: Duration = Duration::from_secs(1);
/// No session lasts longer.
const LASTS: Duration = Duration::from_hours(12);
/// How many keys are kept that are not in the store.
const MISSED: usize = 1_000;
/// How many keys are kept, and how many sessions.
const KEPT: usize = 10_000;

/// A key and its tenant, as they were read.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) tenant: Arc<TenantSettings>,
}

/// What is known of a key.
struct Known {
    credential: Credential,
    read: Instant,
    /// When the store last told of it, to a caller or a look.
    told: Instant,
    /// Nobody called with the key itself, it was only read for sessions of it: for while the store is down alone.
    of_session: bool,
}

/// The keys that were read lately, and which were used since that was last written down.
#[derive(Default)]
pub(crate) struct Credentials {
    known: Mutex<HashMap<KeyId, Known>>,
    sessions: Mutex<HashMap<SessionId, (Session, Instant)>>,
    /// Keys that are known to be revoked, and when that was noted last. No key is ever in force again, so whatever says
    /// so was read before, or in a store that fell back.
    revoked: Mutex<HashMap<KeyId, Instant>>,
    /// Sessions whose owners logged out of them here, by the hashes of the secrets that these had, and when.
    left: Mutex<HashMap<(SessionId, Secret), Instant>>,
    /// Since when the store has not answered.
    away: Mutex<Option<Instant>>,
    used: Mutex<HashMap<KeyId, (TenantId, DateTime<Utc>)>>,
    /// Keys that were looked for and are not in the store, and when.
    missing: Mutex<HashMap<KeyId, Instant>>,
}

impl Credentials {
    /// A key that was read less than a second before `at`.
    pub(crate) fn fresh(&self, id: KeyId, at: Instant) -> Option<Credential> {
        let known = lock(&self.known);
        let known = known.get(&id).filter(|known| !known.of_session)?;
        (at.saturating_duration_since(known.read) < FRESH).then(|| known.credential.clone())
    }

    /// A key that was read within `memory` before the store went: for while it is down.
    pub(crate) fn remembered(&self, id: KeyId, at: Instant, memory: Duration) -> Option<Credential> {
        let went = self.store_is_away(at);
        let known = lock(&self.known);
        let known = known.get(&id)?;
        (went.saturating_duration_since(known.read) < memory).then(|| known.credential.clone())
    }

    /// Keeps a key that was read at `at`, and whose secret the caller has.
    pub(crate) fn keep(&self, credential: Credential, at: Instant) {
        self.insert(Known { credential, read: at, told: at, of_session: false });
    }

    /// Keeps a key that was read at `at` for somebody who has the secret of a session of it.
    pub(crate) fn keep_for_session(&self, credential: Credential, at: Instant) {
        self.insert(Known { credential, read: at, told: at, of_session: true });
    }

    /// Keeps a key, but where it is known to be revoked and reads as if it were not, or a look has told of it what is
    /// newer.
    fn insert(&self, mut new: Known) {
        let id = new.credential.key.id;
        if new.credential.key.revoked_at.is_some() {
            self.note_revoked(id);
        }
        let mut known = lock(&self.known);
        let is_older = |known: &Known| {
            new.read <= known.told && new.credential.tenant.generation < known.credential.tenant.generation
        };
        let is_brought_back = new.credential.key.revoked_at.is_none() && self.is_revoked(id);
        if is_brought_back || known.get(&id).is_some_and(is_older) {
            return;
        }
        // With a page open, whoever calls with the key itself would have it read for each of its calls.
        new.of_session &= known.get(&id).is_none_or(|known| known.of_session);
        make_room(&mut known, &id, |known| new.read.saturating_duration_since(known.read) < FRESH);
        known.insert(id, new);
    }

    /// Keeps a session that was read at `at`, and whose secret the caller has.
    pub(crate) fn keep_session(&self, session: Session, at: Instant) {
        let mut sessions = lock(&self.sessions);
        make_room(&mut sessions, &session.id, |(_, read)| at.saturating_duration_since(*read) < FRESH);
        sessions.insert(session.id, (session, at));
    }

    /// A session that was read within `memory` before the store went: for while it is down.
    pub(crate) fn remembered_session(&self, id: SessionId, at: Instant, memory: Duration) -> Option<Session> {
        let went = self.store_is_away(at);
        let sessions = lock(&self.sessions);
        let (session, read) = sessions.get(&id)?;
        (went.saturating_duration_since(*read) < memory).then(|| session.clone())
    }

    /// Forgets a session: it is gone.
    pub(crate) fn forget_session(&self, id: SessionId) {
        lock(&self.sessions).remove(&id);
    }

    /// Somebody who has this secret logs out of a session here: whatever the store says of it, it opens nothing here.
    pub(crate) fn leave_session(&self, id: SessionId, secret: Secret) {
        let (mut left, now) = (lock(&self.left), Instant::now());
        make_room(&mut left, &(id, secret), |at| now.saturating_duration_since(*at) < LASTS);
        left.insert((id, secret), now);
        drop(left);
        self.forget_session(id);
    }

    /// Whether its owner has logged out of a session here.
    pub(crate) fn is_left(&self, session: &Session) -> bool {
        lock(&self.left).contains_key(&(session.id, session.secret_hash))
    }

    /// The store does not answer at `at`. Gives since when it has not.
    pub(crate) fn store_is_away(&self, at: Instant) -> Instant {
        *lock(&self.away).get_or_insert(at)
    }

    /// The store answers.
    pub(crate) fn store_is_there(&self) {
        *lock(&self.away) = None;
    }

    /// The store has no such key, as was read at `at`.
    pub(crate) fn miss(&self, id: KeyId, at: Instant) {
        lock(&self.known).remove(&id);
        let mut missing = lock(&self.missing);
        if missing.len() >= MISSED {
            missing.retain(|_, read| at.saturating_duration_since(*read) < FRESH);
            if missing.len() >= MISSED {
                missing.clear();
            }
        }
        missing.insert(id, at);
    }

    /// Whether the store had no such key less than a second before `at`.
    pub(crate) fn is_missing(&self, id: KeyId, at: Instant) -> bool {
        lock(&self.missing).get(&id).is_some_and(|read| at.saturating_duration_since(*read) < FRESH)
    }

    /// Forgets a key: it is revoked here.
    pub(crate) fn forget(&self, id: KeyId) {
        self.note_revoked(id);
        lock(&self.known).remove(&id);
    }

    /// Whether a key is known to be revoked, whatever the store says of it now.
    pub(crate) fn is_revoked(&self, id: KeyId) -> bool {
        lock(&self.revoked).contains_key(&id)
    }

    /// Remembers that a key is revoked; of very many, those that were noted last.
    fn note_revoked(&self, id: KeyId) {
        let mut revoked = lock(&self.revoked);
        if revoked.len() >= KEPT && !revoked.contains_key(&id) {
            let mut times: Vec<Instant> = revoked.values().copied().collect();
            let (_, middle, _) = times.select_nth_unstable(KEPT / 2);
            let middle = *middle;
            revoked.retain(|_, at| *at > middle);
        }
        revoked.insert(id, Instant::now());
    }

    /// Forgets the keys of a tenant: its settings have changed here.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        lock(&self.known).retain(|_, known| known.credential.tenant.id != tenant);
    }

    /// The keys that were read before their tenant came to the generation that it has among these.
    pub(crate) fn older(&self, tenants: &HashMap<TenantId, Arc<TenantSettings>>) -> Vec<KeyId> {
        let known = lock(&self.known);
        let is_older = |credential: &Credential| {
            let now = tenants.get(&credential.tenant.id).map(|now| now.generation);
            now.is_some_and(|now| credential.tenant.generation < now)
        };
        known.iter().filter(|(_, known)| is_older(&known.credential)).map(|(id, _)| *id).collect()
    }

    /// Takes those of the keys `asked` for that there are, as they are now, and forgets the others. None serves for
    /// longer by that.
    pub(crate) fn renew(&self, asked: &[KeyId], found: Vec<Credential>) {
        let mut found: HashMap<KeyId, Credential> =
            found.into_iter().map(|credential| (credential.key.id, credential)).collect();
        let (mut known, told) = (lock(&self.known), Instant::now());
        for id in asked {
            let Some(now) = found.remove(id) else {
                known.remove(id);
                continue;
            };
            if now.key.revoked_at.is_some() {
                self.note_revoked(*id);
            }
            // Somebody may have called with it since it was asked for.
            if let Some(known) = known.get_mut(id)
                && known.credential.tenant.generation < now.tenant.generation
            {
                (known.credential, known.told) = (now, told);
            }
        }
    }

    /// Notes that a key was used.
    pub(crate) fn note_use(&self, key: &ApiKey, at: DateTime<Utc>) {
        let mut used = lock(&self.used);
        if used.len() < KEPT || used.contains_key(&key.id) {
            used.insert(key.id, (key.tenant, at));
        }
    }

    /// Takes what was used since this was last asked: by tenant, each with the newest time of its keys.
    pub(crate) fn take_used(&self) -> HashMap<TenantId, (Vec<KeyId>, DateTime<Utc>)> {
        let mut tenants: HashMap<TenantId, (Vec<KeyId>, DateTime<Utc>)> = HashMap::new();
        for (key, (tenant, at)) in std::mem::take(&mut *lock(&self.used)) {
            let (keys, newest) = tenants.entry(tenant).or_insert_with(|| (Vec::new(), at));
            keys.push(key);
            *newest = at.max(*newest);
        }
        tenants
    }
}

/// Makes room for one more, where there is none: what was not read just now goes first.
fn make_room<K: Eq + Hash, V>(of: &mut HashMap<K, V>, id: &K, is_fresh: impl Fn(&V) -> bool) {
    if of.len() < KEPT || of.contains_key(id) {
        return;
    }
    of.retain(|_, value| is_fresh(value));
    if of.len() >= KEPT {
        of.clear();
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use models::account::{CaptureMode, FailureMode, OwnerType, Permits, Role};
    use proof::{hash::sha256, hmac::TenantKey};
    use uuid::Uuid;

    use super::*;

    fn credential(n: u128) -> Credential {
        let tenant = TenantId(Uuid::from_u128(1));
        Credential {
            key: Arc::new(ApiKey {
                tenant,
                id: KeyId(Uuid::from_u128(n)),
                prefix: String::new(),
                secret_hash: sha256(b"secret"),
                role: Role::Agent,
                owner: "ana".to_owned(),
                owner_type: OwnerType::Service,
                scopes: Vec::new(),
                agents: None,
                expires_at: None,
                revoked_at: None,
                last_used_at: None,
                created_at: DateTime::UNIX_EPOCH,
            }),
            tenant: Arc::new(TenantSettings {
                id: tenant,
                generation: 0,
                slug: "default".to_owned(),
                time_zone: "UTC".to_owned(),
                calendar: rules::zone::Zone::UTC.into(),
                capture_mode: CaptureMode::Full,
                failure_mode: FailureMode::FailClosed,
                permits: Permits::Optional,
                block_unknown_cost: false,
                key: TenantKey::new("tky", [1; 32]),
                key_id: "tky".to_owned(),
            }),
        }
    }

    #[test]
    fn a_key_is_fresh_for_a_second_and_remembered_for_longer() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let (id, second) = (KeyId(Uuid::from_u128(7)), Duration::from_secs(1));
        assert!(credentials.fresh(id, read).is_none());
        credentials.keep(credential(7), read);
        assert!(credentials.fresh(id, read + second / 2).is_some());
        assert!(credentials.fresh(id, read + second).is_none(), "a revocation is in force within a second");
        assert!(credentials.remembered(id, read + 5 * second, 10 * second).is_some());
        credentials.store_is_there();
        assert!(credentials.remembered(id, read + 10 * second, 10 * second).is_none());
        credentials.forget(id);
        assert!(credentials.remembered(id, read, 10 * second).is_none());
        credentials.keep(credential(8), read);
        let eighth = KeyId(Uuid::from_u128(8));
        credentials.forget_tenant(TenantId(Uuid::from_u128(2)));
        assert!(credentials.fresh(eighth, read).is_some(), "another's");
        credentials.forget_tenant(TenantId(Uuid::from_u128(1)));
        assert!(credentials.fresh(eighth, read).is_none());
    }

    #[test]
    fn a_page_does_not_have_a_key_read_again_for_who_calls_with_it() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let (id, later) = (KeyId(Uuid::from_u128(7)), read + FRESH);
        credentials.keep(credential(7), read);
        assert!(credentials.fresh(id, later).is_none());
        credentials.keep_for_session(credential(7), later);
        assert!(credentials.fresh(id, later).is_some(), "it was read just now");
        assert!(
            credentials.fresh(id, later + FRESH).is_none(),
            "a revocation is in force within a second all the same"
        );
        credentials.forget(id);
        credentials.keep_for_session(credential(8), later);
        assert!(credentials.fresh(KeyId(Uuid::from_u128(8)), later).is_none(), "nobody called with that one");
        credentials.keep(credential(8), later);
        assert!(credentials.fresh(KeyId(Uuid::from_u128(8)), later).is_some());
    }

    #[test]
    fn how_old_a_memory_may_be_is_reckoned_from_when_the_store_went() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let (id, of_session, second) =
            (KeyId(Uuid::from_u128(7)), KeyId(Uuid::from_u128(8)), Duration::from_secs(1));
        let session = Session {
            tenant: TenantId(Uuid::from_u128(1)),
            id: SessionId(Uuid::from_u128(9)),
            key_id: of_session,
            secret_hash: sha256(b"secret"),
            expires_at: DateTime::UNIX_EPOCH,
            ended_at: None,
            created_at: DateTime::UNIX_EPOCH,
        };
        credentials.keep(credential(7), read);
        credentials.keep_for_session(credential(8), read);
        credentials.keep_session(session.clone(), read);
        assert!(credentials.fresh(of_session, read).is_none(), "it is read for each page");
        let known = |at: u32| {
            let at = read + second * at;
            let keys = [id, of_session].map(|id| credentials.remembered(id, at, 10 * second).is_some());
            (keys, credentials.remembered_session(session.id, at, 10 * second).is_some())
        };
        assert_eq!(credentials.store_is_away(read + 9 * second), read + 9 * second);
        assert_eq!(credentials.store_is_away(read + 30 * second), read + 9 * second);
        assert_eq!(known(300), ([true, true], true), "as long as it is away");
        credentials.store_is_there();
        assert_eq!(known(10), ([false, false], false));
        credentials.store_is_there();
        assert_eq!(known(9), ([true, true], true));
        assert!(!credentials.is_left(&session));
        credentials.leave_session(session.id, sha256(b"another"));
        assert!(!credentials.is_left(&session), "that was nobody who has its secret");
        credentials.leave_session(session.id, session.secret_hash);
        assert!(credentials.is_left(&session));
        assert_eq!(known(9), ([true, true], false));
    }

    #[test]
    fn what_is_remembered_of_a_key_is_as_new_as_what_governs_its_tenant() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let [revoked, gone] = [7, 8].map(|n| KeyId(Uuid::from_u128(n)));
        for n in [7, 8] {
            credentials.keep(credential(n), read);
        }
        let Credential { key, tenant } = credential(7);
        let now = Arc::new(TenantSettings { generation: 1, ..(*tenant).clone() });
        assert!(credentials.older(&HashMap::from([(tenant.id, tenant)])).is_empty(), "nothing has changed");
        let mut older = credentials.older(&HashMap::from([(now.id, Arc::clone(&now))]));
        older.sort_unstable();
        assert_eq!(older, [revoked, gone]);
        let key = ApiKey { revoked_at: Some(DateTime::UNIX_EPOCH), ..(*key).clone() };
        credentials.renew(&older, vec![Credential { key: Arc::new(key), tenant: Arc::clone(&now) }]);
        let known = credentials.fresh(revoked, read).expect("it is there");
        assert!(known.key.revoked_at.is_some() && known.tenant.generation == 1);
        assert!(credentials.fresh(gone, read).is_none());
        assert!(credentials.fresh(revoked, read + FRESH).is_none(), "it is no fresher than it was");
        assert!(credentials.older(&HashMap::from([(now.id, now)])).is_empty());
    }

    #[test]
    fn who_read_a_key_before_it_was_revoked_does_not_bring_it_back() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let id = |n: u128| KeyId(Uuid::from_u128(n));
        for n in [7, 8] {
            credentials.keep(credential(n), read);
        }
        // One here, and one elsewhere, of which a look tells.
        credentials.forget(id(7));
        let Credential { key, tenant } = credential(8);
        let now = Arc::new(TenantSettings { generation: 1, ..(*tenant).clone() });
        let key = ApiKey { revoked_at: Some(DateTime::UNIX_EPOCH), ..(*key).clone() };
        credentials.renew(&[id(8)], vec![Credential { key: Arc::new(key), tenant: now }]);
        for n in [7, 8] {
            credentials.keep(credential(n), read);
            credentials.keep_for_session(credential(n), read);
        }
        assert!(credentials.fresh(id(7), read).is_none());
        assert!(credentials.fresh(id(8), read).is_some_and(|known| known.key.revoked_at.is_some()));
        // Nor does a store that fell back.
        let later = Instant::now() + FRESH;
        for n in [7, 8] {
            credentials.keep(credential(n), later);
            assert!(credentials.fresh(id(n), later).is_none() && credentials.is_revoked(id(n)));
        }
    }

    #[test]
    fn a_key_that_was_read_as_revoked_is_known_to_be() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let id = KeyId(Uuid::from_u128(7));
        credentials.keep(credential(7), read);
        assert!(!credentials.is_revoked(id));
        let Credential { key, tenant } = credential(7);
        let key = Arc::new(ApiKey { revoked_at: Some(DateTime::UNIX_EPOCH), ..(*key).clone() });
        credentials.keep(Credential { key, tenant }, read + FRESH);
        credentials.keep(credential(7), read + 2 * FRESH);
        assert!(credentials.is_revoked(id) && credentials.fresh(id, read + 2 * FRESH).is_none());
        for n in 0..=2 * KEPT as u128 {
            credentials.forget(KeyId(Uuid::from_u128(100 + n)));
        }
        assert!(lock(&credentials.revoked).len() <= KEPT);
        assert!(credentials.is_revoked(KeyId(Uuid::from_u128(100 + 2 * KEPT as u128))));
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        for n in 0..=KEPT as u128 {
            credentials.keep(credential(n), read);
        }
        assert_eq!(lock(&credentials.known).len(), 1, "all were fresh, so all went");
        credentials.keep(credential(0), read + FRESH);
        assert_eq!(lock(&credentials.known).len(), 2);
    }

    #[test]
    fn a_key_that_is_not_there_is_not_looked_for_again_for_a_second() {
        let (credentials, read) = (Credentials::default(), Instant::now());
        let id = KeyId(Uuid::from_u128(7));
        credentials.keep(credential(7), read);
        credentials.miss(id, read);
        assert!(credentials.fresh(id, read).is_none());
        assert!(credentials.is_missing(id, read) && !credentials.is_missing(id, read + FRESH));
        for n in 0..=MISSED as u128 {
            credentials.miss(KeyId(Uuid::from_u128(n)), read);
        }
        assert!(lock(&credentials.missing).len() <= MISSED);
    }

    #[test]
    fn use_is_taken_once() {
        let credentials = Credentials::default();
        let later = DateTime::UNIX_EPOCH + chrono::Duration::seconds(5);
        credentials.note_use(&credential(1).key, later);
        credentials.note_use(&credential(2).key, DateTime::UNIX_EPOCH);
        let used = credentials.take_used();
        let (keys, newest) = &used[&TenantId(Uuid::from_u128(1))];
        assert_eq!((keys.len(), *newest), (2, later));
        assert!(credentials.take_used().is_empty());
    }
}
