//! Checkpoints: how long a log is and what its root is, signed, stored, and kept outside the store.
//!
//! A checkpoint is made from the head as committed, without locking it: the log may be longer by the time the
//! checkpoint is stored, but what it says was true, and a log only grows.

use chrono::{DateTime, Duration, Utc};
use drivers::{ReadTx, StoreError};
use models::{
    ids::TenantId,
    ledger::{Checkpoint, LogHead},
};
use proof::{
    checkpoint::{Checkpoint as Statement, LogOrigin},
    merkle::Frontier,
    words::LogName,
};

use crate::{context::TenantSettings, errors::Error, ports::OutsideCheckpoint, spine::Spine};

/// A log is signed for at least so often, news or not.
pub(crate) const AT_LEAST_EVERY: Duration = Duration::days(1);

/// The checkpoint of a log as it is now: the newest that is stored, or a new one where the log has grown since, or
/// the newest is a day old. A new one is stored and then sent to every sink.
#[tracing::instrument(name = "checkpoints.sign", level = "debug", skip(spine, slug), fields(tenant = %tenant))]
pub(crate) async fn sign(
    spine: &Spine,
    tenant: TenantId,
    slug: &str,
    log: LogName,
) -> Result<Checkpoint, Error> {
    let now = spine.now();
    let (head, newest, installation) = {
        let store = spine.read().await?;
        (
            head(&store, tenant, log).await?,
            store.ledger().latest_checkpoint(tenant, log).await?,
            name(spine, &store).await?,
        )
    };
    let key_id = spine.signing_key().public().id();
    if let Some(newest) = newest.filter(|newest| newest.key_id == key_id && says(newest, &head, now)) {
        return Ok(newest);
    }
    let origin = LogOrigin { installation, tenant_id: tenant.to_string(), log, epoch: head.epoch };
    let (tree_size, root) = (head.frontier.size(), head.frontier.root());
    let statement = Statement { origin: origin.to_string(), size: tree_size, root };
    let note = statement.sign(spine.signing_key()).map_err(|err| Error::Internal(err.to_string()))?;
    let checkpoint = Checkpoint {
        tenant,
        id: spine.id(now),
        log,
        epoch: head.epoch,
        tree_size,
        root_hash: root,
        note,
        key_id,
        created_at: now,
    };
    let tx = spine.begin().await?;
    tx.ledger().insert_checkpoint(&checkpoint).await?;
    tx.commit().await?;
    send_out(spine, slug, &checkpoint).await;
    Ok(checkpoint)
}

/// A checkpoint that covers at least `size` leaves of a log: the newest, or a new one.
pub(crate) async fn covering(
    spine: &Spine,
    tenant: &TenantSettings,
    log: LogName,
    size: u64,
) -> Result<Checkpoint, Error> {
    let newest = spine.read().await?.ledger().latest_checkpoint(tenant.id, log).await?;
    let key_id = spine.signing_key().public().id();
    let checkpoint = match newest.filter(|newest| newest.key_id == key_id && newest.tree_size >= size) {
        Some(newest) => newest,
        None => sign(spine, tenant.id, &tenant.slug, log).await?,
    };
    if checkpoint.tree_size < size {
        let why = format!("the {log} log has {} leaves, and {size} were asked for", checkpoint.tree_size);
        return Err(Error::Internal(why));
    }
    Ok(checkpoint)
}

/// The head of a log; an empty one before its first leaf.
async fn head(store: &ReadTx, tenant: TenantId, log: LogName) -> Result<LogHead, StoreError> {
    let new = || LogHead { tenant, log, epoch: 0, frontier: Frontier::default(), last_at: None };
    Ok(store.ledger().head(tenant, log).await?.unwrap_or_else(new))
}

/// The name under which the installation signs: the one that its first start gave it.
async fn name(spine: &Spine, store: &ReadTx) -> Result<String, Error> {
    let stored = store.account().installation().await?;
    let key_id = spine.signing_key().public().id();
    if let Some(other) = stored.as_ref().filter(|stored| stored.signing_key_id != key_id) {
        return Err(Error::Internal(format!(
            "key {} signs now, and this process has key {key_id}: start it again with the key file of the new one",
            other.signing_key_id
        )));
    }
    Ok(stored.map_or_else(|| spine.settings().installation.clone(), |installation| installation.name))
}

/// Whether a checkpoint says all that a new one would, and is not too old.
fn says(checkpoint: &Checkpoint, head: &LogHead, now: DateTime<Utc>) -> bool {
    checkpoint.epoch == head.epoch
        && checkpoint.tree_size == head.frontier.size()
        && now - checkpoint.created_at < AT_LEAST_EVERY
}

/// Keeps a checkpoint in every sink. One that fails is told of here, once: the next checkpoint says all that this did.
async fn send_out(spine: &Spine, slug: &str, checkpoint: &Checkpoint) {
    let outside = OutsideCheckpoint {
        tenant: slug.to_owned(),
        log: checkpoint.log.as_str(),
        tree_size: checkpoint.tree_size,
        note: checkpoint.note.clone(),
    };
    for sink in spine.sinks() {
        if let Err(err) = sink.keep(&outside).await {
            tracing::warn!(error = &err as &dyn std::error::Error, tenant = %slug, log = outside.log, "a checkpoint was not kept outside the store");
        }
    }
}
