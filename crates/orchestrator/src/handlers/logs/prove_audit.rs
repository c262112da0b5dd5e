//! That an entry is under a checkpoint.

use models::{
    ids::{AuditId, TenantId},
    ledger::Checkpoint,
    logs::AuditEntry,
};
use proof::{
    hash::Hash,
    merkle::{inclusion_nodes, inclusion_proof},
    words::LogName,
};

use super::{get_audit::get_audit, nodes::Nodes};
use crate::{checkpoints, context::CallContext, errors::Error, spine::Spine};

/// An entry of the Audit Ledger with the proof that it is under a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditProof {
    /// The entry.
    pub entry: AuditEntry,
    /// From its leaf up to the checkpoint's root (RFC 9162, 2.1.3).
    pub inclusion: Vec<Hash>,
    /// What the proof leads to.
    pub checkpoint: Checkpoint,
}

/// `logs.prove_audit`: that an entry is under a checkpoint, which is made where none covers the entry yet.
#[tracing::instrument(name = "logs.prove_audit", skip_all, fields(tenant = %ctx.tenant.id, entry = %id))]
pub async fn prove_audit(spine: &Spine, ctx: &CallContext, id: AuditId) -> Result<AuditProof, Error> {
    let tenant = ctx.tenant.id;
    let entry = get_audit(spine, ctx, id).await?;
    let checkpoint = checkpoints::covering(spine, &ctx.tenant, LogName::Audit, entry.leaf_index + 1).await?;
    let inclusion = inclusion(spine, tenant, LogName::Audit, entry.leaf_index, checkpoint.tree_size).await?;
    Ok(AuditProof { entry, inclusion, checkpoint })
}

/// Proof that leaf `index` of a log is under its root when it had `size` leaves.
async fn inclusion(
    spine: &Spine,
    tenant: TenantId,
    log: LogName,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, Error> {
    let store = spine.read().await?;
    let nodes = Nodes::read(&store, tenant, log, &inclusion_nodes(index, size)).await?;
    Ok(inclusion_proof(index, size, nodes.source()).map_err(|err| nodes.corrupt(err))?)
}
