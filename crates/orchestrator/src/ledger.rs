//! Appending to a tenant's two logs, within the transaction of what is recorded.
//!
//! The head row is locked last of all rows (spec 3), so appends of a tenant form one total order, and a leaf's
//! time never runs backwards.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use engines::ledger::{AuditDraft, Governed};
use futures::future::BoxFuture;
use models::{
    ids::{AuditId, RunId, TenantId},
    ledger::{LogHead, TreeNode},
    logs::AuditEntry,
};
use proof::{
    canonical::to_text as canonical_text,
    hash::Hash,
    leaves::{AuditLeaf, AuditRecord},
    words::LogName,
};

use crate::spine::Spine;

/// A log whose head this transaction holds.
pub(crate) struct Appender {
    head: LogHead,
    nodes: Vec<TreeNode>,
}

impl Appender {
    /// Locks the head of `log`.
    pub(crate) async fn lock(tx: &Tx, tenant: TenantId, log: LogName) -> Result<Self, StoreError> {
        Ok(Self { head: tx.ledger().lock_head(tenant, log).await?, nodes: Vec::new() })
    }

    /// `now`, or the time of the last leaf where the clock went back since.
    pub(crate) fn not_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.head.last_at.map_or(now, |last| last.max(now))
    }

    /// Appends a leaf written at `at`; gives its index.
    pub(crate) fn append(&mut self, leaf: Hash, at: DateTime<Utc>) -> u64 {
        let index = self.head.frontier.size();
        let log = self.head.log;
        let done = self.head.frontier.append(leaf);
        self.nodes.extend(done.into_iter().map(|node| TreeNode {
            log,
            level: node.level,
            index: node.index,
            hash: node.hash,
        }));
        self.head.last_at = Some(at);
        index
    }

    /// The epoch that the log is in.
    pub(crate) fn epoch(&self) -> u64 {
        self.head.epoch
    }

    /// The leaves from the next one on are of this epoch.
    pub(crate) fn begin_epoch(&mut self, epoch: u64) {
        self.head.epoch = epoch;
    }

    /// Stores the completed nodes and the head.
    pub(crate) async fn save(self, tx: &Tx) -> Result<(), StoreError> {
        tx.ledger().append_nodes(self.head.tenant, &self.nodes).await?;
        tx.ledger().save_head(&self.head).await
    }
}

/// The Audit Ledger, whose head this transaction holds, and how many rows each run has in it: all that is read to
/// append.
///
/// `run_seq` counts a run's rows from 1 without holes: the head's lock makes the tenant's appends one after another.
pub(crate) struct AuditAppender {
    log: Appender,
    last_seq: HashMap<RunId, u64>,
}

impl AuditAppender {
    /// Locks the head, to append these rows.
    pub(crate) async fn lock(tx: &Tx, tenant: TenantId, drafts: &[AuditDraft]) -> Result<Self, StoreError> {
        let log = Appender::lock(tx, tenant, LogName::Audit).await?;
        let runs: BTreeSet<RunId> =
            drafts.iter().filter_map(|draft| draft.run_id.as_deref()?.parse().ok()).collect();
        let runs: Vec<RunId> = runs.into_iter().collect();
        let last_seq =
            if runs.is_empty() { HashMap::new() } else { tx.logs().audit_run_seqs(tenant, &runs).await? };
        Ok(Self { log, last_seq })
    }

    /// Gives the rows their places and stores them.
    pub(crate) async fn append(
        mut self,
        spine: &Spine,
        tx: &Tx,
        drafts: Vec<AuditDraft>,
        now: DateTime<Utc>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let at = self.log.not_before(now);
        let entries: Vec<AuditEntry> =
            drafts.into_iter().map(|draft| self.placed(spine.id(now), draft, at)).collect();
        tx.logs().insert_audit(&entries).await?;
        self.log.save(tx).await?;
        Ok(entries)
    }

    fn placed(&mut self, id: AuditId, draft: AuditDraft, at: DateTime<Utc>) -> AuditEntry {
        let run_seq = draft.run_id.as_deref().and_then(|id| id.parse::<RunId>().ok()).map(|run| {
            let seq = self.last_seq.entry(run).or_default();
            *seq += 1;
            *seq
        });
        let record = AuditRecord {
            tenant_id: self.log.head.tenant.to_string(),
            run_id: draft.run_id,
            id: id.to_string(),
            event_type: draft.event_type,
            entity_type: draft.entity_type,
            entity_id: draft.entity_id,
            actor_type: draft.actor_type,
            actor_id: draft.actor_id,
            action_reason: draft.action_reason,
            before_state: draft.before_state.map(|state| canonical_text(&state)),
            after_state: draft.after_state.map(|state| canonical_text(&state)),
            run_seq,
            correlation_id: draft.correlation_id,
            created_at: models::time::text(at),
        };
        let leaf_hash = AuditLeaf::Entry(record.clone()).hash();
        AuditEntry { record, leaf_index: self.log.append(leaf_hash, at), leaf_hash }
    }
}

/// Locks the Audit Ledger, and appends rows to it. Boxed, for it is part of every change: the code of an `async fn` is
/// made again in whatever waits for it.
pub(crate) fn append_audit<'a>(
    spine: &'a Spine,
    tx: &'a Tx,
    tenant: TenantId,
    drafts: Vec<AuditDraft>,
    now: DateTime<Utc>,
) -> BoxFuture<'a, Result<Vec<AuditEntry>, StoreError>> {
    Box::pin(async move {
        let log = AuditAppender::lock(tx, tenant, &drafts).await?;
        log.append(spine, tx, drafts, now).await
    })
}

/// Appends the row that a change owes and hands out the change, to be stored in the same transaction.
pub(crate) async fn settle<T>(
    spine: &Spine,
    tx: &Tx,
    tenant: TenantId,
    governed: Governed<T>,
    now: DateTime<Utc>,
) -> Result<T, StoreError> {
    let (change, owed) = governed.settle();
    append_audit(spine, tx, tenant, vec![owed], now).await?;
    Ok(change)
}

/// The same for several changes, which go together.
pub(crate) async fn settle_all<T>(
    spine: &Spine,
    tx: &Tx,
    tenant: TenantId,
    governed: Vec<Governed<T>>,
    now: DateTime<Utc>,
) -> Result<Vec<T>, StoreError> {
    let (changes, owed) = governed.into_iter().map(Governed::settle).unzip();
    append_audit(spine, tx, tenant, owed, now).await?;
    Ok(changes)
}
