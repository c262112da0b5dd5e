//! A store that is behind its outside checkpoints: an older backup was restored. It is read, and not written, until
//! somebody accepts what that lost; each log then says so itself, for ever.

use std::collections::BTreeMap;

use drivers::ReadTx;
use models::{account::Tenant, ids::TenantId, ledger::LogMark, logs::SystemEventType};
use proof::{
    checkpoint::{Checkpoint, LogOrigin},
    hash::Hash,
    leaves::{EpochLeaf, MarkLeaf},
    merkle::{root_at, root_nodes},
    note::Note,
    words::LogName,
};
use serde_json::json;

use super::{
    Author, SystemCaller,
    records::{Event, record},
};
use crate::{checkpoints, errors::Error, ledger::Appender, spine::Spine};

/// A log that does not go on from the newest checkpoint that was kept outside the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// Whose log.
    pub tenant: Tenant,
    /// Which of the two.
    pub log: LogName,
    /// How many leaves the store has.
    pub size: u64,
    /// How many the checkpoint says there were.
    pub was: u64,
    /// The epoch of the checkpoint.
    epoch: u64,
    note: String,
}

impl Lost {
    /// What is wrong with the log, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { tenant, log, size, was, .. } = self;
        let slug = &tenant.slug;
        if size < was {
            format!(
                "the {log} log of `{slug}` has {size} leaves, and had {was} when it was last signed outside"
            )
        } else {
            format!(
                "the {log} log of `{slug}` is not the one that was signed outside when it had {was} leaves"
            )
        }
    }
}

/// Compares every log with the newest checkpoint that any sink keeps of it. Where one is behind, nothing is written
/// from now on; where none is any more, all is as ever.
pub async fn hold_back_if_lost(spine: &Spine) -> Result<Vec<Lost>, Error> {
    let lost = lost(spine).await?;
    let why = lost.first().map(|first| {
        format!(
            "this store is an older backup, or rows of it are gone: {}. It is read and not written; restore a newer \
             backup, or accept the loss with `hoc doctor --accept-restore`",
            first.told()
        )
    });
    if why != spine.held_back() {
        if let Some(why) = &why {
            tracing::error!(logs = lost.len(), "{why}");
        } else {
            tracing::info!("the store is written again");
        }
        spine.hold_back(why);
    }
    Ok(lost)
}

async fn lost(spine: &Spine) -> Result<Vec<Lost>, Error> {
    if spine.sinks().is_empty() {
        return Ok(Vec::new());
    }
    let store = spine.read().await?;
    let mut lost = Vec::new();
    for tenant in store.account().list_tenants().await? {
        for log in LogName::ALL {
            for note in outside(spine, &tenant, *log).await {
                lost.extend(behind(&store, &tenant, *log, note).await?);
            }
        }
    }
    // Of several folders, the one that knows most speaks.
    let mut furthest: BTreeMap<(TenantId, LogName), Lost> = BTreeMap::new();
    for one in lost {
        let key = (one.tenant.id, one.log);
        let known = furthest.get(&key).map(|known| (known.epoch, known.was));
        if known.is_none_or(|known| known < (one.epoch, one.was)) {
            furthest.insert(key, one);
        }
    }
    Ok(furthest.into_values().collect())
}

/// What the sinks keep of a log. One that cannot be read is told of; it does not stop a server.
async fn outside(spine: &Spine, tenant: &Tenant, log: LogName) -> Vec<String> {
    let mut notes = Vec::new();
    for sink in spine.sinks() {
        match sink.newest(&tenant.slug, log.as_str()).await {
            Ok(note) => notes.extend(note),
            Err(err) => tracing::warn!(
                error = &err as &dyn std::error::Error,
                tenant = tenant.slug,
                %log,
                "the checkpoint that is kept outside cannot be read"
            ),
        }
    }
    notes
}

/// Whether the log does not go on from the checkpoint. Its signature is not asked for: a file that somebody put there
/// can hold a server back, and never let it go on.
async fn behind(store: &ReadTx, tenant: &Tenant, log: LogName, note: String) -> Result<Option<Lost>, Error> {
    let parsed = Note::parse(&note).ok().and_then(|note| Checkpoint::from_text(&note.text).ok());
    let origin = parsed.as_ref().and_then(|checkpoint| checkpoint.origin.parse::<LogOrigin>().ok());
    let (Some(kept), Some(origin)) = (parsed, origin) else {
        tracing::warn!(tenant = tenant.slug, %log, "the file that is kept outside is no checkpoint");
        return Ok(None);
    };
    if origin.tenant_id != tenant.id.to_string() || origin.log != log {
        tracing::warn!(
            tenant = tenant.slug,
            origin = kept.origin,
            "the checkpoint that is kept outside is another store's"
        );
        return Ok(None);
    }
    let head = store.ledger().head(tenant.id, log).await?;
    let (epoch, size) = head.map_or((0, 0), |head| (head.epoch, head.frontier.size()));
    let goes_on = match epoch.cmp(&origin.epoch) {
        // Whoever began the epoch accepted what the one before it had.
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => {
            kept.size <= size && root(store, tenant.id, log, kept.size).await? == Some(kept.root)
        }
    };
    let lost = Lost { tenant: tenant.clone(), log, size, was: kept.size, epoch: origin.epoch, note };
    Ok((!goes_on).then_some(lost))
}

/// The root that the log had with so many leaves; none where its nodes are not whole.
async fn root(store: &ReadTx, tenant: TenantId, log: LogName, size: u64) -> Result<Option<Hash>, Error> {
    let nodes = store.ledger().nodes(tenant, log, &root_nodes(size)).await?;
    Ok(root_at(size, |level, index| nodes.get(&(level, index)).copied()).ok())
}

/// `account.accept_restore`: begins a new epoch of every log that lost something. Its first leaf holds the lost
/// checkpoint, so that everybody sees for ever that there was more, and how much. Gives what was accepted.
#[tracing::instrument(name = "account.accept_restore", skip_all)]
pub async fn accept_restore(spine: &Spine, by: &SystemCaller) -> Result<Vec<Lost>, Error> {
    let lost = lost(spine).await?;
    for one in &lost {
        begin_epoch(spine, one, by).await?;
    }
    spine.hold_back(None);
    for one in &lost {
        checkpoints::sign(spine, one.tenant.id, &one.tenant.slug, one.log).await?;
    }
    hold_back_if_lost(spine).await?;
    Ok(lost)
}

async fn begin_epoch(spine: &Spine, lost: &Lost, by: &SystemCaller) -> Result<(), Error> {
    let (now, tenant) = (spine.now(), lost.tenant.id);
    // Not by the spine's own way: that is what is closed.
    let tx = spine.db().begin().await?;
    let details =
        json!({ "log": lost.log, "size": lost.size, "was": lost.was, "lost_checkpoint": lost.note });
    let event = Event {
        component: "ledger",
        what: SystemEventType::ConfigChange,
        summary: format!("a restored backup was accepted: {}", lost.told()),
        details,
    };
    let record = record(spine, tenant, event, &Author::from(by), now);
    tx.logs().insert_system_records(&[record]).await?;
    let mut log = Appender::lock(&tx, tenant, lost.log).await?;
    let (at, epoch) = (log.not_before(now), log.epoch().max(lost.epoch) + 1);
    let mark = MarkLeaf::Epoch(EpochLeaf {
        tenant_id: tenant.to_string(),
        log: lost.log,
        epoch,
        lost_checkpoint: lost.note.clone(),
        accepted_by: by.name.clone(),
        accepted_at: models::time::text(at),
    });
    log.begin_epoch(epoch);
    let leaf_hash = mark.hash();
    let leaf_index = log.append(leaf_hash, at);
    let mark = LogMark { tenant, log: lost.log, leaf_index, leaf_hash, mark, created_at: at };
    tx.ledger().insert_log_marks(&[mark]).await?;
    log.save(&tx).await?;
    Ok(tx.commit().await?)
}
