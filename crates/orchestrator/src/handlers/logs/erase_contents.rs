//! Erasing what is kept of a run's texts. Its records stay, and everything that proves them.

use models::{
    activity::RunState,
    ids::{RunId, TenantId},
    ledger::RunLogEntry,
};
use proof::{
    leaves::{ErasedLeaf, RunLeaf},
    words::{ActorType, LogName},
};

use crate::{
    consequences::author::SystemCaller, errors::Error, ledger::Appender, spine::Spine, texts::reason_of,
};

/// `logs.erase_contents`: drops the texts and the salt of a sealed run, for good, and says so in the run log: who asked
/// for it, why, and how much it was. Nothing is kept of what comes to the run later. Again is refused.
#[tracing::instrument(name = "logs.erase_contents", skip_all, fields(%tenant, %run))]
pub async fn erase_contents(
    spine: &Spine,
    tenant: TenantId,
    run: RunId,
    by: &SystemCaller,
    reason: &str,
) -> Result<ErasedLeaf, Error> {
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
        return Err(Error::invalid("/run_id", format!("its texts were erased at {}", leaf.erased_at)));
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
        actor_type: ActorType::System,
        actor_id: Some(by.name.clone()),
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
