//! Why a log may be believed: checkpoints, that an entry is under one, and that a log only grew.

use std::collections::BTreeMap;

use drivers::{ReadTx, StoreError};
use models::{
    ids::{AuditId, TenantId},
    ledger::Checkpoint,
    logs::AuditEntry,
    page::{Page, PageRequest},
};
use proof::{
    hash::Hash,
    merkle::{
        MissingNode, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof, root_at,
        root_nodes,
    },
    words::LogName,
};

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

/// Proof that a log of `to` leaves begins with the log of `from` leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// Which of the two logs.
    pub log: LogName,
    /// Leaves of the shorter.
    pub from: u64,
    /// Its root.
    pub from_root: Hash,
    /// Leaves of the longer.
    pub to: u64,
    /// Its root.
    pub to_root: Hash,
    /// From one to the other (RFC 9162, 2.1.4).
    pub proof: Vec<Hash>,
}

/// `logs.prove_audit`: that an entry is under a checkpoint, which is made where none covers the entry yet.
#[tracing::instrument(name = "logs.prove_audit", skip_all, fields(tenant = %ctx.tenant.id, entry = %id))]
pub async fn prove_audit(spine: &Spine, ctx: &CallContext, id: AuditId) -> Result<AuditProof, Error> {
    let tenant = ctx.tenant.id;
    let entry = super::get_audit(spine, ctx, id).await?;
    let checkpoint = checkpoints::covering(spine, &ctx.tenant, LogName::Audit, entry.leaf_index + 1).await?;
    let inclusion = inclusion(spine, tenant, LogName::Audit, entry.leaf_index, checkpoint.tree_size).await?;
    Ok(AuditProof { entry, inclusion, checkpoint })
}

/// `logs.get_checkpoint`: how long a log is and what its root is, signed. The newest; a new one where the log has
/// grown since.
#[tracing::instrument(name = "logs.get_checkpoint", skip_all, fields(tenant = %ctx.tenant.id, log = %log))]
pub async fn get_checkpoint(spine: &Spine, ctx: &CallContext, log: LogName) -> Result<Checkpoint, Error> {
    checkpoints::sign(spine, ctx.tenant.id, &ctx.tenant.slug, log).await
}

/// `logs.list_checkpoints`: every checkpoint of a log that was stored, newest first.
#[tracing::instrument(name = "logs.list_checkpoints", skip_all, fields(tenant = %ctx.tenant.id, log = %log))]
pub async fn list_checkpoints(
    spine: &Spine,
    ctx: &CallContext,
    log: LogName,
    page: PageRequest,
) -> Result<Page<Checkpoint>, Error> {
    Ok(spine.read().await?.ledger().list_checkpoints(ctx.tenant.id, log, &page).await?)
}

/// `logs.prove_consistency`: that a log of `to` leaves (all of them where not given) begins with the log that it was
/// when it had `from`.
#[tracing::instrument(name = "logs.prove_consistency", skip_all, fields(tenant = %ctx.tenant.id, log = %log))]
pub async fn prove_consistency(
    spine: &Spine,
    ctx: &CallContext,
    log: LogName,
    from: u64,
    to: Option<u64>,
) -> Result<Consistency, Error> {
    let (store, tenant) = (spine.read().await?, ctx.tenant.id);
    let size = store.ledger().head(tenant, log).await?.map_or(0, |head| head.frontier.size());
    let to = to.unwrap_or(size);
    if to > size {
        return Err(Error::invalid("/to", format!("the {log} log has {size} leaves")));
    }
    if from > to {
        return Err(Error::invalid("/from", format!("must be at most {to}")));
    }
    let places = [consistency_nodes(from, to), root_nodes(from), root_nodes(to)].concat();
    let nodes = Nodes::read(&store, tenant, log, &places).await?;
    Ok(Consistency {
        log,
        from,
        from_root: root_at(from, nodes.source()).map_err(|err| nodes.corrupt(err))?,
        to,
        to_root: root_at(to, nodes.source()).map_err(|err| nodes.corrupt(err))?,
        proof: consistency_proof(from, to, nodes.source()).map_err(|err| nodes.corrupt(err))?,
    })
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

/// Stored nodes of a log, as many as a proof needs.
struct Nodes {
    log: LogName,
    by_place: BTreeMap<(u32, u64), Hash>,
}

impl Nodes {
    async fn read(
        store: &ReadTx,
        tenant: TenantId,
        log: LogName,
        places: &[(u32, u64)],
    ) -> Result<Self, StoreError> {
        Ok(Self { log, by_place: store.ledger().nodes(tenant, log, places).await? })
    }

    fn source(&self) -> impl Fn(u32, u64) -> Option<Hash> + '_ {
        |level, index| self.by_place.get(&(level, index)).copied()
    }

    /// A complete node that is not stored: then the log is not whole.
    fn corrupt(&self, missing: MissingNode) -> StoreError {
        StoreError::Corrupt {
            table: "tree_nodes",
            row: format!("{} log", self.log),
            why: missing.to_string(),
        }
    }
}
