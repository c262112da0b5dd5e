//! What a bundle is begun with: all of a run but its segments and its texts, as of one moment.

use drivers::{
    ReadTx,
    bundles::RunRows,
    logs::{KeptTexts, SealedCounts, SegmentsEnd},
};
use models::{
    activity::Run,
    ids::{RunId, TenantId},
    incidents::RunIncident,
    ledger::{Checkpoint, RunLogEntry},
    logs::{AuditEntry, Trace},
};
use proof::{
    bundle::{AsOf, AuditPart, Checkpoints, ErasedPart, LiveIncident, LiveRun, LogProof, ReceiptPart},
    definitions::SnapshotDefinition,
    leaves::{AddendumLeaf, OpenedLeaf, RunLeaf},
    merkle,
    records::Record,
    words::LogName,
};

use super::live::{definition, live_incident, live_run};
use crate::{
    bridges::IncidentsBridge,
    checkpoints,
    coordinators::sealed_records::{of_tables, parted, sealed_counts},
    errors::Error,
    spine::Spine,
};

/// How often a bundle is begun anew because the run was sealed while it was read.
const TRIES: usize = 5;

/// All of a run but its segments and its texts. Those are added to alone, so they are read behind it, up to where they
/// went then.
pub(super) struct Head {
    pub(super) leaves: Leaves,
    pub(super) snapshot: SnapshotDefinition,
    pub(super) run: LiveRun,
    /// Its own trace, if it is there.
    pub(super) trace: Option<Trace>,
    /// How many records of each kind the receipt covers, where some came later.
    pub(super) sealed: Option<SealedCounts>,
    /// What stands in tables of its own of what the receipt covers, or will; and of what came later.
    pub(super) records: Vec<Record>,
    pub(super) late: Vec<Record>,
    pub(super) segments: SegmentsEnd,
    pub(super) texts: KeptTexts,
    pub(super) incidents: Vec<LiveIncident>,
    pub(super) audit: Vec<AuditPart>,
    pub(super) checkpoints: Checkpoints,
    pub(super) as_of: AsOf,
}

impl Head {
    /// Reads it, as of checkpoints signed now.
    pub(super) async fn read(spine: &Spine, tenant: TenantId, slug: &str, id: RunId) -> Result<Self, Error> {
        for _ in 0..TRIES {
            let signed = Signed::now(spine, tenant, slug).await?;
            let store = spine.read().await?;
            let covered = store.ledger().run_leaves(tenant, id).await?;
            if covered.iter().any(|leaf| leaf.leaf_index >= signed.runs.tree_size) {
                // Opened or sealed after the checkpoint: the next one covers it. Nothing else of the run was read for
                // that.
                continue;
            }
            return Box::pin(Self::signed(spine, &store, tenant, id, signed)).await;
        }
        Err(Error::Internal(format!("the run log grew faster than the bundle of {id} could be read")))
    }

    async fn signed(
        spine: &Spine,
        store: &ReadTx,
        tenant: TenantId,
        id: RunId,
        signed: Signed,
    ) -> Result<Self, Error> {
        let whole = store.bundles().get_run(tenant, id).await?;
        let RunRows { run, trace, snapshot, tables, leaves, audit } =
            whole.ok_or_else(|| Error::not_found("run", id))?;
        let segments = store.traces().segments_end(tenant, id).await?;
        let texts = store.traces().kept_texts(tenant, id).await?;
        let reading = Reading { store, run: &run, signed: &signed };
        let leaves = reading.leaves(leaves).await?;
        let audit = reading.audit(audit).await?;
        let incidents = reading.incidents(tables.incidents.clone()).await?;
        let time = not_before(models::time::text(spine.now()), &leaves, &audit);
        let sealed = sealed_counts(&run, trace.as_ref());
        let (records, late) = parted(of_tables(&run, tables), sealed.as_ref());
        Ok(Self {
            leaves,
            snapshot: definition(&run, snapshot)?,
            run: live_run(&run),
            trace,
            sealed,
            records,
            late,
            segments,
            texts,
            incidents,
            audit,
            checkpoints: Checkpoints { audit: signed.audit.note.clone(), runs: signed.runs.note.clone() },
            as_of: AsOf { audit_size: signed.audit.tree_size, runs_size: signed.runs.tree_size, time },
        })
    }
}

/// The time of a bundle is not before that of anything in it, which a server with another clock may have written.
fn not_before(now: String, leaves: &Leaves, audit: &[AuditPart]) -> String {
    let sealed = leaves.receipt.iter().map(|receipt| &receipt.leaf.sealed_at);
    let added = leaves.addenda.iter().map(|(leaf, _)| &leaf.added_at);
    let erased = leaves.erased.iter().map(|erased| &erased.leaf.erased_at);
    let governed = audit.iter().map(|row| &row.record.created_at);
    let all =
        [&leaves.opened.started_at].into_iter().chain(sealed).chain(added).chain(erased).chain(governed);
    all.fold(now, |latest, at| latest.max(at.clone()))
}

/// Both logs as they were when the bundle was begun.
struct Signed {
    audit: Checkpoint,
    runs: Checkpoint,
}

impl Signed {
    async fn now(spine: &Spine, tenant: TenantId, slug: &str) -> Result<Self, Error> {
        Ok(Self {
            audit: checkpoints::sign(spine, tenant, slug, LogName::Audit).await?,
            runs: checkpoints::sign(spine, tenant, slug, LogName::Runs).await?,
        })
    }
}

/// A run's leaves of the run log, each with its proof.
pub(super) struct Leaves {
    pub(super) opened: OpenedLeaf,
    pub(super) opened_proof: LogProof,
    pub(super) receipt: Option<ReceiptPart>,
    pub(super) addenda: Vec<(AddendumLeaf, LogProof)>,
    pub(super) erased: Option<ErasedPart>,
}

/// One moment of the store, for one run.
struct Reading<'r> {
    store: &'r ReadTx,
    run: &'r Run,
    signed: &'r Signed,
}

impl Reading<'_> {
    async fn leaves(&self, leaves: Vec<RunLogEntry>) -> Result<Leaves, Error> {
        let places: Vec<u64> = leaves.iter().map(|entry| entry.leaf_index).collect();
        let mut proofs =
            self.inclusion(LogName::Runs, self.signed.runs.tree_size, &places).await?.into_iter();
        let (mut opened, mut receipt, mut addenda, mut erased) = (None, None, Vec::new(), None);
        for entry in leaves {
            let proof =
                proofs.next().ok_or_else(|| Error::Internal("a leaf without its proof".to_owned()))?;
            match entry.leaf {
                RunLeaf::Opened(leaf) => opened = Some((leaf, proof)),
                RunLeaf::Sealed(leaf) => receipt = Some(ReceiptPart { leaf, proof }),
                RunLeaf::Addendum(leaf) => addenda.push((leaf, proof)),
                RunLeaf::Erased(leaf) => erased = Some(ErasedPart { leaf, proof }),
            }
        }
        let (opened, proof) = opened
            .ok_or_else(|| Error::Internal(format!("the run log has no OPENED leaf of {}", self.run.id)))?;
        Ok(Leaves { opened, opened_proof: proof, receipt, addenda, erased })
    }

    /// The run's incidents, each with its timeline.
    async fn incidents(&self, incidents: Vec<RunIncident>) -> Result<Vec<LiveIncident>, Error> {
        let joined = IncidentsBridge::over(self.store, self.run.tenant).with_timelines(incidents).await?;
        Ok(joined.into_iter().map(|(incident, timeline)| live_incident(incident, timeline)).collect())
    }

    /// The run's rows of the Audit Ledger, as of the checkpoint.
    async fn audit(&self, mut rows: Vec<AuditEntry>) -> Result<Vec<AuditPart>, Error> {
        let size = self.signed.audit.tree_size;
        rows.retain(|row| row.leaf_index < size);
        rows.sort_by_key(|row| row.record.run_seq);
        let places: Vec<u64> = rows.iter().map(|row| row.leaf_index).collect();
        let proofs = self.inclusion(LogName::Audit, size, &places).await?;
        Ok(rows.into_iter().zip(proofs).map(|(row, proof)| AuditPart { record: row.record, proof }).collect())
    }

    /// Inclusion proofs of several leaves, all their nodes read at once.
    async fn inclusion(&self, log: LogName, size: u64, places: &[u64]) -> Result<Vec<LogProof>, Error> {
        let mut wanted: Vec<(u32, u64)> =
            places.iter().flat_map(|index| merkle::inclusion_nodes(*index, size)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let nodes = self.store.ledger().nodes(self.run.tenant, log, &wanted).await?;
        places
            .iter()
            .map(|index| {
                let inclusion =
                    merkle::inclusion_proof(*index, size, |level, at| nodes.get(&(level, at)).copied())
                        .map_err(|err| Error::Internal(format!("log {log} of this tenant: {err}")))?;
                Ok(LogProof { leaf_index: *index, inclusion })
            })
            .collect()
    }
}
