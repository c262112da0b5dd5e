//! What is kept outside the store, and whether the logs go on from it.

use drivers::ReadTx;
use models::{account::Tenant, ids::TenantId, ledger::LogHead};
use proof::{
    hash::Hash,
    merkle::{root_at, root_nodes},
    words::LogName,
};

use crate::{
    errors::Error,
    ports::{Depth, OutsideLog, Statement},
    spine::Spine,
};

/// The notes of one log that the places outside the store keep.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    /// Every one that the log must go on from.
    pub(crate) notes: Vec<(Statement, String)>,
    /// A place where something is kept and nothing of it can be read as a checkpoint.
    pub(crate) unreadable: Option<String>,
}

/// Reads what the sinks keep of a log. A sink that fails is told of; it does not stop a server. Whoever compares a log
/// with this reads the log after it: another replica may append and sign meanwhile.
pub(crate) async fn outside(
    spine: &Spine,
    tenant: TenantId,
    slug: &str,
    log: LogName,
    depth: Depth,
) -> Outside {
    let wanted = OutsideLog { slug: slug.to_owned(), tenant_id: tenant.to_string(), log: log.as_str() };
    let mut outside = Outside::default();
    for sink in spine.sinks() {
        match sink.kept(&wanted, depth).await {
            Ok(kept) if kept.notes.is_empty() && kept.unreadable => outside.unreadable = Some(sink.place()),
            Ok(kept) => outside
                .notes
                .extend(kept.notes.into_iter().filter_map(|note| Some((Statement::read(&note)?, note)))),
            Err(err) => tracing::warn!(
                error = &err as &dyn std::error::Error,
                tenant = slug,
                %log,
                "the checkpoint that is kept outside cannot be read"
            ),
        }
    }
    outside
}

impl Outside {
    /// The notes that a log does not go on from, the one that knows most last. Their signatures are not asked for: a
    /// file that somebody put there can hold a server back, and never let it go on.
    pub(crate) async fn not_led_to(
        &self,
        store: &ReadTx,
        tenant: TenantId,
        log: LogName,
    ) -> Result<Vec<&(Statement, String)>, Error> {
        if self.notes.is_empty() {
            return Ok(Vec::new());
        }
        let head = store.ledger().head(tenant, log).await?.unwrap_or_else(|| LogHead::empty(tenant, log));
        let mut lost = Vec::new();
        for known in &self.notes {
            let kept = &known.0;
            if kept.origin.tenant_id != tenant.to_string() || kept.origin.log != log {
                tracing::warn!(
                    %tenant,
                    origin = %kept.origin,
                    "the checkpoint that is kept outside is another store's"
                );
            } else if !leads_to(store, &head, kept).await? {
                lost.push(known);
            }
        }
        lost.sort_by_key(|(kept, _)| kept.place());
        Ok(lost)
    }
}

async fn leads_to(store: &ReadTx, head: &LogHead, kept: &Statement) -> Result<bool, Error> {
    Ok(match head.epoch.cmp(&kept.origin.epoch) {
        // Whoever began the epoch accepted what the one before it had.
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => {
            kept.size <= head.frontier.size()
                && root(store, head.tenant, head.log, kept.size).await? == Some(kept.root)
        }
    })
}

/// The root that the log had with so many leaves; none where its nodes are not whole.
async fn root(store: &ReadTx, tenant: TenantId, log: LogName, size: u64) -> Result<Option<Hash>, Error> {
    let nodes = store.ledger().nodes(tenant, log, &root_nodes(size)).await?;
    Ok(root_at(size, |level, index| nodes.get(&(level, index)).copied()).ok())
}

/// Of all notes of a log that were ever kept outside, the one to hold its rows against: one that the log does not go on
/// from, or else the newest.
pub async fn note_to_verify(spine: &Spine, tenant: &Tenant, log: LogName) -> Result<Option<String>, Error> {
    let mut outside = outside(spine, tenant.id, &tenant.slug, log, Depth::All).await;
    if let Some(place) = outside.unreadable {
        let slug = &tenant.slug;
        return Err(Error::Internal(format!(
            "what is kept of the {log} log of `{slug}` in {place} cannot be read as a checkpoint"
        )));
    }
    // Another store's in its place says nothing of this log.
    outside.notes.retain(|(kept, _)| kept.origin.tenant_id == tenant.id.to_string());
    telling(spine, tenant, log, outside).await
}

/// The same, of notes that somebody has; what is no checkpoint is passed over.
pub async fn note_of(
    spine: &Spine,
    tenant: &Tenant,
    log: LogName,
    notes: Vec<String>,
) -> Result<Option<String>, Error> {
    let notes = notes.into_iter().filter_map(|note| Some((Statement::read(&note)?, note))).collect();
    telling(spine, tenant, log, Outside { notes, unreadable: None }).await
}

async fn telling(
    spine: &Spine,
    tenant: &Tenant,
    log: LogName,
    outside: Outside,
) -> Result<Option<String>, Error> {
    let store = spine.read().await?;
    let lost = outside.not_led_to(&store, tenant.id, log).await?;
    let newest = || outside.notes.iter().max_by_key(|(kept, _)| kept.place());
    Ok(lost.last().copied().or_else(newest).map(|(_, note)| note.clone()))
}
