//! What a restored backup lost is accepted by somebody: each log then says so itself, for ever.

use models::{ledger::LogMark, logs::SystemEventType};
use proof::{
    leaves::{EpochLeaf, MarkLeaf},
    words::LogName,
};
use serde_json::json;

use crate::{
    checkpoints::{
        self,
        lost::{Lost, hold_back_if_lost, lost},
    },
    consequences::{
        author::{Author, SystemCaller},
        system_records::{Event, record},
    },
    errors::Error,
    ledger::Appender,
    ports::Depth,
    spine::Spine,
};

/// `account.accept_restore`: begins a new epoch of every log that lost something. Its first leaf holds the lost
/// checkpoint, so that everybody sees for ever that there was more, and how much. Gives what was accepted here, and not
/// what another process had accepted by then.
#[tracing::instrument(name = "account.accept_restore", skip_all)]
pub async fn accept_restore(spine: &Spine, by: &SystemCaller) -> Result<Vec<Lost>, Error> {
    let mut accepted = Vec::new();
    for one in lost(spine, Depth::All).await? {
        // Of what cannot be read nobody knows what there is to accept.
        if one.unreadable.is_none() && begin_epoch(spine, &one, by).await? {
            accepted.push(one);
        }
    }
    spine.hold_back(None);
    for one in &accepted {
        checkpoints::sign(spine, one.tenant.id, &one.tenant.slug, one.log).await?;
    }
    // Also of what was accepted before, by a call that was cut off.
    let tenants = spine.read().await?.account().list_tenants().await?;
    for tenant in &tenants {
        for log in LogName::ALL {
            checkpoints::keep_epoch(spine, tenant, *log).await?;
        }
    }
    hold_back_if_lost(spine, Depth::All).await?;
    Ok(accepted)
}

/// Whether the epoch was begun here: one that another process began meanwhile has accepted the same.
async fn begin_epoch(spine: &Spine, lost: &Lost, by: &SystemCaller) -> Result<bool, Error> {
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
    if log.epoch() > lost.epoch {
        tx.rollback().await?;
        return Ok(false);
    }
    let (at, epoch) = (log.not_before(now), lost.epoch + 1);
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
    tx.commit().await?;
    Ok(true)
}
