//! Who may use whom: the layers of ARCHITECTURE.md as tables. A new line here is the largest kind of change there is.

/// One of our crates.
pub(super) struct Layer {
    /// Its name.
    pub(super) name: &'static str,
    /// `package.metadata.layer` of its manifest.
    pub(super) level: Option<u64>,
    /// Which of our crates it may depend on.
    pub(super) may_use: &'static [&'static str],
    /// What to tell those who tried more.
    pub(super) reason: &'static str,
}

/// Every crate of the workspace. Those of [`FOR_TESTS`] are in the lists of each other and of `fuzz` alone.
pub(super) const LAYERS: &[Layer] = &[
    Layer {
        name: "hoc",
        level: Some(1),
        may_use: &[
            "adapters",
            "api",
            "drivers",
            "engines",
            "migrations",
            "models",
            "orchestrator",
            "proof",
            "rules",
            "verify",
        ],
        reason: "the binary builds and wires the product, and nothing that is for tests or for building",
    },
    Layer {
        name: "api",
        level: Some(2),
        may_use: &["models", "orchestrator", "proof"],
        reason: "a handler extracts, calls one operation of L4 and answers",
    },
    Layer {
        name: "adapters",
        level: Some(3),
        may_use: &["models", "orchestrator"],
        reason: "an adapter turns foreign shapes into operations of L4, or is a port that L4 declares",
    },
    Layer {
        name: "orchestrator",
        level: Some(4),
        may_use: &["drivers", "engines", "models", "proof", "rules"],
        reason: "an operation begins, asks engines, commits; HTTP and the outside world come to it",
    },
    Layer {
        name: "engines",
        level: Some(5),
        may_use: &["models", "proof", "rules"],
        reason: "an engine decides for its domain, on values; storing, joining domains and committing is L4",
    },
    Layer {
        name: "drivers",
        level: Some(6),
        may_use: &["entities", "migrations", "models", "proof"],
        reason: "a driver stores; what it stores was decided above",
    },
    Layer {
        name: "entities",
        level: Some(7),
        may_use: &["models"],
        reason: "an entity is a table as it is stored: of what is stored there it knows the ids",
    },
    Layer { name: "models", level: Some(7), may_use: &["proof"], reason: "values know nobody who uses them" },
    Layer {
        name: "rules",
        level: Some(7),
        may_use: &["proof"],
        reason: "facts in, verdict out: pure, so that `hoc verify --reexecute` gets the same answer",
    },
    Layer {
        name: "proof",
        level: Some(7),
        may_use: &[],
        reason: "what is hashed must not depend on what changes",
    },
    Layer {
        name: "migrations",
        level: Some(7),
        may_use: &[],
        reason: "a migration is never edited, so it may not name code that is",
    },
    Layer {
        name: "verify",
        level: Some(7),
        may_use: &["proof", "rules"],
        reason: "verifying needs no store and no network",
    },
    Layer {
        name: "testkit",
        level: Some(8),
        may_use: &["migrations", "proof"],
        reason: "a test of the schema or of a driver asks for a database, and looks into what is stored",
    },
    Layer {
        name: "kit",
        level: Some(8),
        may_use: &["adapters", "drivers", "models", "orchestrator", "proof", "testkit"],
        reason: "tests may build a whole control plane, below HTTP",
    },
    Layer {
        name: PINS,
        level: Some(8),
        may_use: &[],
        reason: "it has third parties built alike for all of ours, and is none of the product",
    },
    Layer {
        name: "fuzz",
        level: Some(8),
        may_use: &["adapters", "api", "kit", "models", "orchestrator", "proof", "rules", "testkit", "verify"],
        reason: "every door by which bytes come in from outside; nobody depends on it",
    },
    Layer {
        name: "xtask",
        level: None,
        may_use: &[],
        reason: "the tools must build and run when our crates do not; they run the `hoc` binary instead",
    },
];

/// The crates that only tests are built with: others have them as dev-dependencies.
pub(super) const FOR_TESTS: &[&str] = &["kit", PINS, "testkit"];

/// The crate that names third parties for their features, and that others name in their manifests for the same: in no
/// source.
pub(super) const PINS: &str = "pins";

/// A crate that only some of ours may depend on.
pub(super) struct Reach {
    /// Names of packages; one that ends in `*` stands for all that begin so.
    pub(super) packages: &'static [&'static str],
    /// Who may.
    pub(super) only: &'static [&'static str],
    /// Whether dev-dependencies are bound as well.
    pub(super) tests_too: bool,
    /// Why.
    pub(super) reason: &'static str,
}

/// The crates that mark a layer: the foreign ones, and of ours those that tests may not name either.
pub(super) const REACH: &[Reach] = &[
    Reach {
        packages: &["entities"],
        only: &["drivers", "migrations"],
        tests_too: true,
        reason: "tables are for drivers and for tests of the schema; all others take values",
    },
    Reach {
        packages: &["sea-orm*", "sea-query*", "sea-schema*", "sqlx*", "libsqlite3-sys", "rusqlite"],
        only: &["drivers", "entities", "migrations", "testkit"],
        tests_too: true,
        reason: "SQL is spoken in drivers; entities and migrations describe the tables",
    },
    Reach {
        packages: &["axum*", "utoipa-axum", "tower-http"],
        only: &["api", "fuzz", "hoc"],
        tests_too: true,
        reason: "only the API knows HTTP, and the binary serves it",
    },
    Reach {
        packages: &["reqwest*"],
        only: &["adapters"],
        tests_too: true,
        reason: "the outside world is called by adapters, behind ports",
    },
    Reach {
        packages: &["redis*", "deadpool-redis", "fred"],
        only: &["drivers"],
        tests_too: true,
        reason: "Redis is a store, and stores are for drivers",
    },
    Reach {
        packages: &["cedar-policy*"],
        only: &["rules"],
        tests_too: true,
        reason: "one crate turns facts and a Cedar set into a verdict",
    },
    Reach {
        packages: &["tokio*"],
        only: &["adapters", "api", "drivers", "fuzz", "hoc", "kit", "orchestrator", "testkit"],
        tests_too: false,
        reason: "what decides, proves and verifies does no I/O and starts no task",
    },
];

/// The five domains. A module of this name in engines, drivers, models or entities knows its own domain only.
pub(super) const DOMAINS: &[&str] = &["activity", "incidents", "logs", "overview", "policies"];

/// The crates whose domains stay apart.
pub(super) const DOMAINS_APART: &[&str] = &["drivers", "engines", "entities", "models"];

/// What `hoc` may name of `drivers`: what it takes to build one.
pub(super) const HOC_MAY_NAME_OF_DRIVERS: &[&str] =
    &["ConnectConfig", "Db", "RedisIdempotencyStore", "StoreError"];

/// One of our crates by name.
pub(super) fn layer(name: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.name == name)
}
