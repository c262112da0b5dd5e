//! Checkpoints: how long a log is and what its root is, signed, stored, and kept outside the store.
//!
//! A checkpoint is made from the head as committed, without locking it. The log may be longer by the time the
//! checkpoint is stored, but the checkpoint was true when it was made, and a log only grows. A head is signed only if
//! it extends what this process saw of the log, and what is kept outside.

pub(crate) mod lost;
pub(crate) mod outside;
mod seen;
pub(crate) mod signs;

use chrono::{DateTime, Duration, Utc};
use drivers::{ReadTx, StoreError};
use models::{
    account::Tenant,
    ids::TenantId,
    ledger::{Checkpoint, LogHead},
};
use proof::{
    checkpoint::{Checkpoint as Statement, LogOrigin},
    merkle::{consistency_nodes, consistency_proof},
    words::LogName,
};

use self::{
    lost::hold_back_if_lost,
    outside::{Outside, outside},
    seen::{name, signed},
};
use crate::{
    context::TenantSettings,
    errors::Error,
    ports::{Depth, Grown, OutsideCheckpoint, Stands},
    spine::Spine,
};

/// A log is signed for at least so often, news or not.
pub(crate) const AT_LEAST_EVERY: Duration = Duration::days(1);

/// How often a checkpoint is offered to a place where other replicas keep theirs.
const OFFERS: usize = 3;

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
    let key_id = spine.signing_key().public().id();
    let installation = {
        let store = spine.read().await?;
        let installation = name(spine, &store).await?;
        let head = head(&store, tenant, log).await?;
        let newest = store.ledger().latest_checkpoint(tenant, log).await?;
        if let Some(newest) = newest.filter(|newest| newest.key_id == key_id && says(newest, &head, now)) {
            return Ok(newest);
        }
        installation
    };
    let Held { store, head, kept } = hold_against(spine, tenant, slug, log).await?;
    let grown = grown(&store, tenant, log, head.frontier.size(), &kept).await?;
    drop(store);
    let (tree_size, root) = (head.frontier.size(), head.frontier.root());
    let origin = LogOrigin { installation, tenant_id: tenant.to_string(), log, epoch: head.epoch };
    let statement = Statement { origin: origin.to_string(), size: tree_size, root };
    let checkpoint = Checkpoint {
        tenant,
        id: spine.id(now),
        log,
        epoch: head.epoch,
        tree_size,
        root_hash: root,
        note: signed(spine, &statement)?,
        key_id,
        created_at: now,
    };
    let tx = spine.begin().await?;
    tx.ledger().insert_checkpoint(&checkpoint).await?;
    tx.commit().await?;
    spine.db().note_signed(&head);
    send_out(spine, slug, &checkpoint, grown).await;
    Ok(checkpoint)
}

/// Has everything that is kept outside of a log say which epoch it is in: whoever began the epoch may have been cut off
/// before it was signed, or before what was signed got there.
pub(crate) async fn keep_epoch(spine: &Spine, tenant: &Tenant, log: LogName) -> Result<(), Error> {
    let epoch = head(&spine.read().await?, tenant.id, log).await?.epoch;
    if is_epoch_kept(spine, tenant, log, epoch).await {
        return Ok(());
    }
    let checkpoint = sign(spine, tenant.id, &tenant.slug, log).await?;
    if !is_epoch_kept(spine, tenant, log, epoch).await {
        let grown = grown_anew(spine, &tenant.slug, &checkpoint).await?;
        send_out(spine, &tenant.slug, &checkpoint, grown).await;
    }
    Ok(())
}

async fn is_epoch_kept(spine: &Spine, tenant: &Tenant, log: LogName, epoch: u64) -> bool {
    let kept = outside(spine, tenant.id, &tenant.slug, log, Depth::Newest).await;
    kept.notes.iter().all(|(kept, _)| kept.origin.epoch >= epoch)
}

/// A log that goes on from all that is known of it.
struct Held {
    store: ReadTx,
    head: LogHead,
    kept: Outside,
}

/// Reads the head of a log and holds it against what this process saw and what is kept outside. Where it does not go on
/// from that, nothing is written from now on.
async fn hold_against(spine: &Spine, tenant: TenantId, slug: &str, log: LogName) -> Result<Held, Error> {
    let kept = outside(spine, tenant, slug, log, Depth::Newest).await;
    let store = spine.read().await?;
    let head = head(&store, tenant, log).await?;
    if kept.unreadable.is_none() && kept.not_led_to(&store, tenant, log).await?.is_empty() {
        return Ok(Held { store, head, kept });
    }
    drop(store);
    hold_back_if_lost(spine, Depth::Recent).await?;
    let behind =
        || format!("the {log} log of `{slug}` does not go on from what is kept of it outside the store");
    Err(Error::HeldBack(spine.held_back().unwrap_or_else(behind)))
}

/// That the log grew to `to` leaves from each of the checkpoints that are kept.
async fn grown(
    store: &ReadTx,
    tenant: TenantId,
    log: LogName,
    to: u64,
    kept: &Outside,
) -> Result<Vec<Grown>, Error> {
    let mut grown = Vec::new();
    for from in kept.notes.iter().map(|(kept, _)| kept.size).filter(|from| *from <= to) {
        let nodes = store.ledger().nodes(tenant, log, &consistency_nodes(from, to)).await?;
        let proof = consistency_proof(from, to, |level, index| nodes.get(&(level, index)).copied());
        let proof = proof.map_err(|missing| Error::Internal(missing.to_string()))?;
        grown.push(Grown { from, proof });
    }
    Ok(grown)
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

/// The head of a log, which goes on from what this process saw of it; an empty one before its first leaf.
async fn head(store: &ReadTx, tenant: TenantId, log: LogName) -> Result<LogHead, StoreError> {
    let head = store.ledger().head(tenant, log).await?.unwrap_or_else(|| LogHead::empty(tenant, log));
    store.ledger().compare(&head).await?;
    Ok(head)
}

/// Whether a checkpoint says all that a new one would, and is not too old.
fn says(checkpoint: &Checkpoint, head: &LogHead, now: DateTime<Utc>) -> bool {
    checkpoint.epoch == head.epoch
        && checkpoint.tree_size == head.frontier.size()
        && now - checkpoint.created_at < AT_LEAST_EVERY
}

/// Keeps a checkpoint in every sink. One that fails is told of here, once: the next checkpoint says all that this did.
async fn send_out(spine: &Spine, slug: &str, checkpoint: &Checkpoint, grown: Vec<Grown>) {
    let outside = OutsideCheckpoint {
        tenant: slug.to_owned(),
        log: checkpoint.log.as_str(),
        tree_size: checkpoint.tree_size,
        note: checkpoint.note.clone(),
        grown,
    };
    for sink in spine.sinks() {
        let mut offered = outside.clone();
        for _ in 0..OFFERS {
            let failed = match sink.keep(&offered).await {
                Ok(Stands::GoesOn | Stands::IsOlder) => break,
                Ok(Stands::Another) => {
                    tracing::warn!(
                        place = sink.place(),
                        tenant = slug,
                        "a checkpoint of another store was kept here: it is put aside. Was that store lost? Then restore a \
                         backup of it"
                    );
                    break;
                }
                // Another replica has kept one meanwhile; or it is of another history, which the look at it will tell.
                Ok(Stands::Apart) => match grown_anew(spine, slug, checkpoint).await {
                    Ok(grown) => {
                        offered.grown = grown;
                        continue;
                    }
                    Err(err) => Box::new(err) as Box<dyn std::error::Error + Send + Sync>,
                },
                Err(err) => Box::new(err),
            };
            tracing::warn!(error = &*failed as &dyn std::error::Error, tenant = %slug, log = offered.log, "a checkpoint was not kept outside the store");
            break;
        }
    }
}

async fn grown_anew(spine: &Spine, slug: &str, checkpoint: &Checkpoint) -> Result<Vec<Grown>, Error> {
    let Checkpoint { tenant, log, tree_size, .. } = *checkpoint;
    let Held { store, kept, .. } = hold_against(spine, tenant, slug, log).await?;
    grown(&store, tenant, log, tree_size, &kept).await
}
