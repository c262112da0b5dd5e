//! A control plane on a test's own database: frozen clock, seeded ids, a fixed signing key.

use std::sync::Arc;

use drivers::{ConnectConfig, Db};
use models::account::Role;
use orchestrator::{
    CallContext, Parts, Settings, Spine,
    handlers::account::{self, NewKey, SystemCaller},
    ports::SpanCodec,
    secrets::WrappingKey,
};
use proof::keys::SigningKey;

use crate::{
    TestDatabase,
    time::{FrozenClock, SeededEntropy},
};

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
        Self::with(database, Settings { installation: "test".to_owned(), ..Settings::default() }).await
    }

    /// The same, tuned.
    ///
    /// # Panics
    /// Where the store cannot be opened.
    #[expect(clippy::expect_used, reason = "a test without its store has failed")]
    pub async fn with(database: &TestDatabase, settings: Settings) -> Self {
        let config = ConnectConfig { test: true, ..ConnectConfig::new(database.url()) };
        let db = Db::connect(&config).await.expect("the test's store");
        let clock = Arc::new(FrozenClock::default());
        let spine = Spine::new(Parts {
            db: db.clone(),
            clock: Arc::clone(&clock) as Arc<_>,
            entropy: Arc::new(SeededEntropy::default()),
            signing_key: Arc::new(signing_key()),
            wrapping_key: WrappingKey::new([7; 32]),
            sinks: Vec::new(),
            span_codec: span_codec(),
            settings,
        });
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
