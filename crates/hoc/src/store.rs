//! From a configuration to an open store and the spine over it: folder, lock, migrations, keys, in this order.

use std::{fs::File, io, path::Path, sync::Arc, thread, time::Duration};

use adapters::{
    inbound::Otlp,
    outbound::{CheckpointFiles, SpoolFiles},
};
use anyhow::{Context as _, bail};
use drivers::{ConnectConfig, Db, RedisIdempotencyStore, StoreError};
use models::account::Installation;
use orchestrator::{
    Entropy as _, Parts, Spine, SystemClock, SystemEntropy,
    handlers::{account, activity},
    ports::{CheckpointSink, Depth, Spool},
};

use crate::{
    config::{Config, installation::Environment},
    keyfiles::KeyFiles,
    lock, private,
};

/// How often a migration is tried that another process may be making at the same time.
const MIGRATION_TRIES: u32 = 10;

/// What may be done to a store that is not up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    /// It is brought up to date: `serve`, `migrate`, `demo`.
    Migrate,
    /// It is made if it is empty; an old one is left as it is: a server of its version may be running.
    MakeIfEmpty,
    /// It must be there and up to date.
    AsItIs,
}

/// An open store with its keys.
pub(crate) struct Opened {
    pub(crate) spine: Spine,
    pub(crate) db: Db,
    pub(crate) installation: Installation,
    pub(crate) keys: KeyFiles,
    /// The migrations that were applied just now.
    pub(crate) applied: Vec<String>,
}

/// Opens the store to serve it: with the spool, and what an earlier server left in it.
pub(crate) async fn open_to_serve(config: &Config) -> anyhow::Result<Opened> {
    // Nobody joins it: a server that does not open ends at once. Where there is no thread, the first request builds.
    let _ = thread::Builder::new().name("warm".to_owned()).spawn(orchestrator::warm);
    let folder = &config.store.data_dir.value;
    private::folder(folder).with_context(|| format!("cannot make the data folder {}", folder.display()))?;
    let spool = SpoolFiles::open(folder).with_context(|| {
        format!(
            "cannot write the spool in {}: it keeps what is answered while the store is down",
            folder.display()
        )
    })?;
    let opened = open_with(config, Schema::Migrate, Some(Arc::new(spool))).await?;
    let taken = activity::take_up(&opened.spine).await?;
    if taken > 0 {
        tracing::info!(answers = taken, "writing what was answered while the store was down");
    }
    Ok(opened)
}

/// Opens the store for operations. Keys are made for an empty store alone, and only where it may be made.
pub(crate) async fn open(config: &Config, schema: Schema) -> anyhow::Result<Opened> {
    open_with(config, schema, None).await
}

async fn open_with(config: &Config, schema: Schema, spool: Option<Arc<dyn Spool>>) -> anyhow::Result<Opened> {
    let folder = &config.store.data_dir.value;
    if schema == Schema::AsItIs {
        refuse_missing(config)?;
    } else {
        private::folder(folder)
            .with_context(|| format!("cannot make the data folder {}", folder.display()))?;
        if let Some(file) = config.store.sqlite_file() {
            refuse_no_file(&file)?;
            private::sqlite(&file)?;
        }
    }
    let turn = (schema != Schema::AsItIs).then(|| turn(folder));
    let turn = match turn {
        Some(turn) => Some(turn.await?),
        None => None,
    };
    let db = connect(config, spool.is_some()).await?;
    let applied = bring_up_to_date(config, &db, schema).await?;
    let keys = KeyFiles::of(&config.keys);
    let known = account::installation_of(&db).await.context("cannot read whose store this is")?;
    let pair = match &known {
        Some(installation) => keys.read(&installation.signing_key_id)?,
        None if schema == Schema::AsItIs => bail!(is_empty(config)),
        None => keys.read_or_make(|| SystemEntropy.secret())?,
    };
    let name = config.installation.name.value.clone();
    let spine = Spine::new(Parts {
        db: db.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        signing_key: Arc::new(pair.signing),
        wrapping_key: pair.wrapping,
        sinks: sinks(config)?,
        idempotency: redis_of(config)?,
        spool,
        span_codec: Arc::new(Otlp),
        settings: config.governance.settings(known.map_or(name, |installation| installation.name))?,
    });
    let installation = account::ensure_installation(&spine).await?;
    account::record_migration(&spine, &applied).await?;
    account::hold_back_if_lost(&spine, Depth::Recent).await?;
    drop(turn);
    Ok(Opened { spine, db, installation, keys, applied })
}

/// The Redis that is configured, for who looks whether it answers.
pub(crate) fn redis_of(config: &Config) -> anyhow::Result<Option<RedisIdempotencyStore>> {
    config.store.redis().map(redis).transpose()
}

/// Opens the database alone; as a server, or for who looks at it.
async fn connect(config: &Config, serves: bool) -> anyhow::Result<Db> {
    let env = config.installation.env.value;
    let connect = ConnectConfig {
        url: config.store.url().to_owned(),
        production: env == Environment::Production,
        test: env == Environment::Test,
        // Who counts anew (`hoc doctor --recount`) holds one connection to Postgres and reads by another.
        max_connections: config.store.max_connections.value.max(if serves { 1 } else { 2 }),
        serves,
    };
    Db::connect(&connect).await.with_context(|| {
        format!(
            "cannot open the store {} (from {})",
            config.store.shown_url(),
            config.store.database_url.origin
        )
    })
}

/// Opens a store that must be there and up to date, without its keys.
pub(crate) async fn look(config: &Config) -> anyhow::Result<Db> {
    refuse_missing(config)?;
    let db = connect(config, false).await?;
    bring_up_to_date(config, &db, Schema::AsItIs).await?;
    Ok(db)
}

/// Refuses to make a store in the folder that is meant where nobody says one: whoever stands in another folder, or left
/// a flag away, would get a second installation, and keys that open nothing.
pub(crate) fn refuse_to_guess(config: &Config) -> anyhow::Result<()> {
    let Some(file) = config.store.sqlite_file() else { return Ok(()) };
    if config.store.is_named() || file.symlink_metadata().is_ok() {
        return Ok(());
    }
    bail!(
        "there is no store at {}. Is it elsewhere? Say where: --data-dir DIR, HOC_DATA_DIR or HOC_DATABASE_URL. To make \
         one here, start `hoc serve`, or say --new-store",
        file.display()
    )
}

/// Which store is empty, and what begins this one and no other.
fn is_empty(config: &Config) -> String {
    format!("the store {} is empty: `{}` starts it", config.store.shown_url(), config.command("hoc serve"))
}

/// SQLite would make the file that it does not find.
fn refuse_missing(config: &Config) -> anyhow::Result<()> {
    let Some(file) = config.store.sqlite_file() else { return Ok(()) };
    refuse_no_file(&file)?;
    match File::open(&file) {
        Ok(_) => Ok(()),
        Err(err) if err.kind() == io::ErrorKind::NotFound => bail!(
            "there is no store at {}: `{}` starts one, or say where it is (HOC_DATA_DIR, HOC_DATABASE_URL)",
            file.display(),
            config.command("hoc serve")
        ),
        // What cannot be looked at may well be there: advice to make one would make a second.
        Err(err) if err.kind() == io::ErrorKind::PermissionDenied => Err(err).with_context(|| {
            format!(
                "the store {} may not be read by this user: run this as the user whose it is, who is the one that serves it",
                file.display()
            )
        }),
        Err(err) => Err(err).with_context(|| format!("cannot look at the store {}", file.display())),
    }
}

/// Whoever opened a pipe would wait for its other end, and a device may have no end.
fn refuse_no_file(file: &Path) -> anyhow::Result<()> {
    match file.metadata() {
        Ok(there) if !there.is_file() && !there.is_dir() => {
            bail!("the store {} is a pipe, a socket or a device: name a file", file.display())
        }
        // Whoever opens it says why it cannot be opened.
        _ => Ok(()),
    }
}

async fn turn(folder: &Path) -> anyhow::Result<File> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || lock::turn_to_migrate(&folder)).await?
}

/// The migrations that were applied. Replicas on other machines may be at it too: then one of them succeeds.
async fn bring_up_to_date(config: &Config, db: &Db, schema: Schema) -> anyhow::Result<Vec<String>> {
    let mut tries = 0;
    loop {
        let pending = db
            .pending_migrations()
            .await
            .with_context(|| format!("cannot use the store {}", config.store.shown_url()))?;
        if pending.is_empty() {
            return Ok(pending);
        }
        let empty = pending.len() == migrations::HISTORY.len();
        match schema {
            Schema::AsItIs if empty => bail!(is_empty(config)),
            Schema::AsItIs | Schema::MakeIfEmpty if !empty => bail!(
                "the store lacks {} migration(s) of this version: stop servers of older versions, back it up, then \
                 run `hoc migrate`",
                pending.len()
            ),
            _ => {}
        }
        match db.migrate().await {
            Ok(()) => return Ok(pending),
            Err(err) if tries < MIGRATION_TRIES && may_pass(&err) => {
                tries += 1;
                tracing::info!(tries, error = &err as &dyn std::error::Error, "migrating again");
                tokio::time::sleep(Duration::from_millis(100) * tries).await;
            }
            Err(err) => return Err(err).context("the migration failed; the store is as it was before"),
        }
    }
}

/// Whether another process that migrates at the same time may be why.
fn may_pass(err: &StoreError) -> bool {
    matches!(
        err,
        StoreError::Conflict(_) | StoreError::Retry(_) | StoreError::Locked(_) | StoreError::Database(_)
    )
}

/// Redis is asked when it is first needed, so that nothing waits for it.
fn redis(url: &str) -> anyhow::Result<RedisIdempotencyStore> {
    RedisIdempotencyStore::at(url).context("HOC_REDIS_URL is no URL of a Redis")
}

fn sinks(config: &Config) -> anyhow::Result<Vec<Arc<dyn CheckpointSink>>> {
    let mut sinks: Vec<Arc<dyn CheckpointSink>> = Vec::new();
    for folder in &config.keys.checkpoint_folders.value {
        let files = CheckpointFiles::open(folder).with_context(|| {
            format!(
                "cannot write checkpoints to {}: name a folder that is outside the store with HOC_CHECKPOINT_FOLDERS",
                folder.display()
            )
        })?;
        sinks.push(Arc::new(files));
    }
    Ok(sinks)
}
