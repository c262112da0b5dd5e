//! Answers to calls with an idempotency key, kept in Redis, so that a repeat is answered without the store.
//!
//! An answer is put into Redis after its commit, never before. The unique key in the store has the final word: a call
//! whose key Redis does not know, or knows otherwise, goes to the store, and so does every call when Redis fails. A
//! Redis that is gone, slow or empty costs only speed.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::{Instant, timeout};

use super::Known;

/// How long an answer is kept after it was last asked for (the seeds' TTL).
const KEPT: Duration = Duration::from_hours(24);

/// How long a caller waits for Redis at most.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long nobody asks a Redis that has just failed.
const PAUSE: Duration = Duration::from_secs(1);

/// After so many failures in a row the connection is made anew: what leads to Redis may have met something there that
/// it does not get over, such as bytes that are no answer.
const FAILURES: u32 = 3;

/// Why Redis did not do it.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// It is not there, or refuses.
    #[error("Redis failed")]
    Redis(#[from] RedisError),
    /// It did not answer in time.
    #[error("Redis did not answer within {} ms", PATIENCE.as_millis())]
    Slow,
    /// It failed a moment ago, and is not asked again yet.
    #[error("Redis failed a moment ago")]
    Paused,
    /// It answered what the script cannot.
    #[error("Redis answered `{0}`")]
    Odd(String),
}

/// The idempotency store of all replicas of an installation. Cheap to clone.
#[derive(Clone)]
pub struct RedisIdempotencyStore {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    connection: Mutex<ConnectionManager>,
    check: Script,
    mark_completed: Script,
    /// It failed when it was asked last.
    failing: AtomicBool,
    /// How often in a row.
    failures: AtomicU32,
    failed_at: Mutex<Option<Instant>>,
}

impl RedisIdempotencyStore {
    /// A store at `redis://`, `rediss://` or `redis+unix://`. It is connected when it is first asked, and again
    /// whenever that is needed. An error is a URL that is none.
    pub fn at(url: &str) -> Result<Self, IdempotencyError> {
        let client = Client::open(url)?;
        let shared = Shared {
            connection: Mutex::new(connection(&client)?),
            client,
            check: Script::new(include_str!("check.lua")),
            mark_completed: Script::new(include_str!("mark_completed.lua")),
            failing: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            failed_at: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What is known of the call `name` that asks for what has this fingerprint. One round trip.
    pub async fn check(&self, name: &str, request: &str) -> Result<Known, IdempotencyError> {
        let mut script = self.shared.check.prepare_invoke();
        script.key(name).arg(request).arg(millis(KEPT));
        let mut connection = self.shared.connection();
        let answer: Vec<Vec<u8>> = self.asked(script.invoke_async(&mut connection)).await?;
        let mut answer = answer.into_iter();
        match (answer.next().as_deref(), answer.next()) {
            (Some(b"new"), None) => Ok(Known::New),
            (Some(b"conflict"), None) => Ok(Known::Conflict),
            (Some(b"duplicate"), Some(answer)) => Ok(Known::Duplicate(answer)),
            (word, _) => {
                Err(IdempotencyError::Odd(String::from_utf8_lossy(word.unwrap_or_default()).into_owned()))
            }
        }
    }

    /// Keeps what the call was answered, which must be committed by then. False where another request's answer is kept
    /// under its name: that stays.
    pub async fn mark_completed(
        &self,
        name: &str,
        request: &str,
        answer: &[u8],
    ) -> Result<bool, IdempotencyError> {
        let mut script = self.shared.mark_completed.prepare_invoke();
        script.key(name).arg(request).arg(answer).arg(millis(KEPT));
        let mut connection = self.shared.connection();
        self.asked(script.invoke_async(&mut connection)).await
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), IdempotencyError> {
        let mut connection = self.shared.connection();
        self.asked(async { redis::cmd("PING").query_async(&mut connection).await }).await
    }

    async fn asked<T>(
        &self,
        asked: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, IdempotencyError> {
        if self.shared.is_paused() {
            return Err(IdempotencyError::Paused);
        }
        let answer = match timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(IdempotencyError::from),
            Err(_) => Err(IdempotencyError::Slow),
        };
        self.shared.note(answer.as_ref().err());
        answer
    }
}

impl Shared {
    fn is_paused(&self) -> bool {
        self.failing.load(Ordering::Relaxed) && self.failed_at().is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Notes how it went: told in the log when that changes.
    fn note(&self, failed: Option<&IdempotencyError>) {
        if let Some(err) = failed {
            *self.failed_at() = Some(Instant::now());
            if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES {
                self.failures.store(0, Ordering::Relaxed);
                self.connect_anew();
            }
            if !self.failing.swap(true, Ordering::Relaxed) {
                let error = err as &dyn std::error::Error;
                tracing::warn!(error, "Redis does not answer: repeats are answered by the store");
            }
        } else if self.failing.load(Ordering::Relaxed) && self.failing.swap(false, Ordering::Relaxed) {
            self.failures.store(0, Ordering::Relaxed);
            tracing::info!("Redis answers again");
        }
    }

    fn connection(&self) -> ConnectionManager {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is connected when it is next asked.
    fn connect_anew(&self) {
        match connection(&self.client) {
            Ok(new) => *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = new,
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, "Redis cannot be connected anew");
            }
        }
    }

    fn failed_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is made when it is first asked.
fn connection(client: &Client) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(PAUSE))
        .set_response_timeout(Some(PATIENCE))
        .set_number_of_retries(1)
        .set_max_delay(PATIENCE);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

impl fmt::Debug for RedisIdempotencyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisIdempotencyStore").finish_non_exhaustive()
    }
}

fn millis(of: Duration) -> u64 {
    u64::try_from(of.as_millis()).unwrap_or(u64::MAX)
}
