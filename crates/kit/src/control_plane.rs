//! A control plane on a test's own database: frozen clock, seeded ids, a fixed signing key.

use std::{fs::File, path::Path, sync::Arc};

use adapters::outbound::SpoolFiles;
use drivers::{ConnectConfig, Db};
use models::account::Role;
use orchestrator::{
    CallContext, Clock, Parts, Settings, Spine,
    handlers::{
        account::{self, NewKey, SystemCaller},
        activity,
    },
    ports::{SpanCodec, Spool},
    secrets::WrappingKey,
};
use proof::keys::SigningKey;
use testkit::TestDatabase;

use crate::time::{FrozenClock, SeededEntropy};

/// A control plane, and the hands on its clock.
pub struct Kit {
    /// What operations are given.
    pub spine: Spine,
    /// Its clock.
    pub clock: Arc<FrozenClock>,
    /// Its store, to count statements and to look behind the operations.
    pub db: Db,
}

impl Kit {
    /// A control plane on `database`.
    ///
    /// # Panics
    /// Where the store cannot be opened.
    pub async fn on(database: &TestDatabase) -> Self {
        Self::with(database, settings()).await
    }

    /// The same, tuned.
    ///
    /// # Panics
    /// Where the store cannot be opened.
    pub async fn with(database: &TestDatabase, settings: Settings) -> Self {
        Self::built(database, settings, 0).await
    }

    /// The same as [`Self::on`], as another replica on a database that has one: the n-th. Its clock is its own.
    ///
    /// # Panics
    /// Where the store cannot be opened.
    pub async fn replica(database: &TestDatabase, process: u64) -> Self {
        Self::built(database, settings(), process).await
    }

    /// The same as [`Self::on`], with a spool in `folder`, as a server has one; the n-th process on the database.
    ///
    /// # Panics
    /// Where the store or the spool cannot be opened.
    pub async fn spooling(database: &TestDatabase, folder: &Path, process: u64) -> Self {
        Self::spooling_at(database.url(), folder, process).await
    }

    /// The same at a URL, for a process to which no database of a test belongs.
    ///
    /// # Panics
    /// Where the store or the spool cannot be opened.
    #[expect(clippy::expect_used, reason = "a test without its spool has failed")]
    pub async fn spooling_at(url: &str, folder: &Path, process: u64) -> Self {
        let spool = SpoolFiles::open(folder).expect("the test's spool");
        let config = ConnectConfig { test: true, ..ConnectConfig::new(url) };
        let kit = Self::at(&config, settings(), Some(Arc::new(spool)), process).await;
        activity::take_up(&kit.spine).await.expect("the spool is read");
        kit
    }

    /// Ends this process, whose store is closed: another may take its spool in `folder` when this returns.
    ///
    /// # Panics
    /// Where the spool cannot be looked at.
    #[expect(clippy::expect_used, reason = "a test without its spool has failed")]
    pub async fn end(self, folder: &Path) {
        drop(self);
        let file = File::open(folder.join("spool-0.jsonl")).expect("the test's spool");
        // What it had under way holds on to it until it is through.
        while file.try_lock().is_err() {
            tokio::task::yield_now().await;
        }
    }

    async fn built(database: &TestDatabase, settings: Settings, process: u64) -> Self {
        let config = ConnectConfig { test: true, ..ConnectConfig::new(database.url()) };
        Self::at(&config, settings, None, process).await
    }

    /// The same as [`Self::on`] at a URL, with one connection: whoever wants a second while it has that waits for
    /// itself. At `sqlite::memory:` there is never another.
    ///
    /// # Panics
    /// Where the store cannot be opened.
    pub async fn narrow(url: &str) -> Self {
        let config = ConnectConfig { test: true, max_connections: 1, ..ConnectConfig::new(url) };
        Self::at(&config, settings(), None, 0).await
    }

    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    async fn at(
        config: &ConnectConfig,
        settings: Settings,
        spool: Option<Arc<dyn Spool>>,
        process: u64,
    ) -> Self {
        let db = Db::connect(config).await.expect("the test's store");
        db.migrate().await.expect("the test's schema");
        let clock = Arc::new(FrozenClock::default());
        let spine = spine(db.clone(), Arc::clone(&clock) as Arc<_>, process, spool, settings);
        account::ensure_installation(&spine).await.expect("the installation");
        Self { spine, clock, db }
    }

    /// A caller of that role in the tenant of that slug, which is made where there is none.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn caller(&self, slug: &str, role: Role) -> CallContext {
        let token = self.token(slug, role).await;
        account::authenticate(&self.spine, &token)
            .await
            .unwrap_or_else(|err| panic!("the key just made: {err}"))
    }

    /// A key of that role, in full.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn token(&self, slug: &str, role: Role) -> String {
        let by = SystemCaller { name: "testkit".to_owned() };
        let new = NewKey { owner: Some(format!("{role} of {slug}")), ..NewKey::of_role(role) };
        let made = account::create_key_as(&self.spine, &by, slug, new).await;
        made.unwrap_or_else(|err| panic!("a key: {err}")).token.expose().to_owned()
    }
}

/// The n-th process on the store at `url`, which goes by that clock: one of several replicas.
///
/// # Panics
/// Where the store cannot be opened.
#[expect(clippy::expect_used, reason = "a test without its store has failed")]
pub async fn replica(url: &str, clock: Arc<dyn Clock>, process: u64) -> Spine {
    let config = ConnectConfig { test: true, max_connections: 4, ..ConnectConfig::new(url) };
    let db = Db::connect(&config).await.expect("the test's store");
    let spine = spine(db, clock, process, None, settings());
    account::ensure_installation(&spine).await.expect("the installation");
    spine
}

/// What a test's control plane goes by: nothing of it is another with the next release.
fn settings() -> Settings {
    Settings { installation: "test".to_owned(), version: "0.0.0-test".to_owned(), ..Settings::default() }
}

fn spine(
    db: Db,
    clock: Arc<dyn Clock>,
    process: u64,
    spool: Option<Arc<dyn Spool>>,
    settings: Settings,
) -> Spine {
    Spine::new(Parts { clock, spool, settings, ..parts(db, process) })
}

/// What the n-th process on that store is made of, with a clock of its own: a test has what it is about in place of a
/// part.
#[must_use]
pub fn parts(db: Db, process: u64) -> Parts {
    Parts {
        db,
        clock: Arc::new(FrozenClock::default()),
        entropy: Arc::new(SeededEntropy::of_process(process)),
        signing_key: Arc::new(signing_key()),
        wrapping_key: WrappingKey::new([7; 32]),
        sinks: Vec::new(),
        idempotency: None,
        spool: None,
        span_codec: span_codec(),
        settings: settings(),
    }
}

/// How many answers wait in a folder's spool, and how many were set aside.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
#[expect(clippy::expect_used, reason = "a test without its spool has failed")]
pub fn spooled(folder: &Path) -> (usize, usize) {
    SpoolFiles::waiting(folder).expect("the test's spool")
}

/// The codec of spans that the product has.
#[must_use]
pub fn span_codec() -> Arc<dyn SpanCodec> {
    Arc::new(adapters::inbound::Otlp)
}

/// The key that every test signs with.
#[must_use]
pub fn signing_key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}
