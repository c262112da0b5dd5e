//! Erasing what is kept of a run's texts. Its records stay, and everything that proves them.

use engines::check::Check;
use models::{
    activity::RunState,
    ids::{RunId, TenantId},
    ledger::RunLogEntry,
};
use proof::{
    leaves::{ErasedLeaf, RunLeaf},
    words::{ActorType, LogName},
};

use crate::{errors::Error, ledger::Appender, spine::Spine, texts::reason_of};

/// `logs.erase_contents`: drops the texts and the salt of a sealed run, for good, and says so in the run log: who asked
/// for it, why, and how much it was. Nothing is kept of what comes to the run later. Again is refused, but where rows
/// of it came back, as from a backup: they go, and the log has said why.
#[tracing::instrument(name = "logs.erase_contents", skip_all, fields(%tenant, %run))]
pub async fn erase_contents(
    spine: &Spine,
    tenant: TenantId,
    run: RunId,
    by: &str,
    reason: &str,
) -> Result<ErasedLeaf, Error> {
    let mut check = Check::default();
    check.required("/by", by);
    check.identity("/by", Some(by));
    check.done()?;
    let reason = reason_of(Some(reason.to_owned()))?.filter(|reason| !reason.trim().is_empty());
    let reason = reason.ok_or_else(|| Error::invalid("/reason", "say why"))?;
    let tx = spine.begin().await?;
    let locked = tx.activity().lock_runs(tenant, &[run]).await?;
    let Some(of_run) = locked.first() else { return Err(Error::not_found("run", run)) };
    if of_run.state != RunState::Completed {
        return Err(Error::invalid("/run_id", "the run goes on: end it first"));
    }
    let leaves = tx.ledger().run_leaves(tenant, run).await?;
    if let Some(RunLeaf::Erased(leaf)) =
        leaves.iter().map(|entry| &entry.leaf).find(|leaf| matches!(leaf, RunLeaf::Erased(_)))
    {
        if tx.traces().erase_contents(tenant, run).await? == 0 {
            return Err(Error::invalid("/run_id", format!("its texts were erased at {}", leaf.erased_at)));
        }
        tx.commit().await?;
        return Ok(leaf.clone());
    }
    let sealed = leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Sealed(_)));
    let sealed = sealed.ok_or_else(|| Error::Internal(format!("{run} is over, and has no receipt")))?;
    let (text_count, text_bytes) = tx.traces().contents_size(tenant, run).await?;
    let mut log = Appender::lock(&tx, tenant, LogName::Runs).await?;
    let at = log.not_before(spine.now());
    let leaf = ErasedLeaf {
        tenant_id: tenant.to_string(),
        run_id: run.to_string(),
        sealed_leaf: sealed.leaf_hash.to_string(),
        text_count,
        text_bytes,
        actor_type: ActorType::Human,
        actor_id: Some(by.to_owned()),
        reason,
        erased_at: models::time::text(at),
    };
    let told = RunLeaf::Erased(leaf.clone());
    let leaf_hash = told.hash();
    let leaf_index = log.append(leaf_hash, at);
    let entry = RunLogEntry { tenant, leaf_index, leaf_hash, run_id: run, leaf: told, created_at: at };
    // The store lets go of nothing before its log says so.
    tx.ledger().insert_run_leaves(&[entry]).await?;
    tx.traces().erase_contents(tenant, run).await?;
    log.save(&tx).await?;
    tx.commit().await?;
    spine.choke().forget_said(tenant, run);
    Ok(leaf)
}
