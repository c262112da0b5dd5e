//! That a log only grew.

use proof::{
    hash::Hash,
    merkle::{consistency_nodes, consistency_proof, root_at, root_nodes},
    words::LogName,
};

use super::nodes::Nodes;
use crate::{context::CallContext, errors::Error, spine::Spine};

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
