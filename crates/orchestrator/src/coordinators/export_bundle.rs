//! The signed run evidence bundle: everything that a stranger needs to check a run with a public key alone.

use drivers::{
    ReadTx,
    bundles::RunRows,
    logs::{HeldLines, HeldTexts, Named, SegmentLines},
};
use models::{
    activity::Run,
    ids::{RunId, TenantId},
    incidents::{Incident, IncidentEvent, RunIncident},
    ledger::{Checkpoint, RunLogEntry},
    logs::{AuditEntry, RunTexts},
    policies::Snapshot,
};
use proof::{
    bundle::{
        AddendumPart, AsOf, AuditPart, Checkpoints, ContentsPart, ErasedPart, LiveIncident, LiveLate,
        LiveRun, LogProof, Lost, Parts, ReceiptPart, TimelineEvent, assemble,
    },
    definitions::SnapshotDefinition,
    leaves::{AddendumLeaf, OpenedLeaf, RunLeaf},
    merkle,
    records::Line,
    segment::MissingSegment,
    words::LogName,
};

use super::sealed_records::{in_order, of_tables, parted, sealed_counts};
use crate::{
    bridges::IncidentsBridge,
    checkpoints,
    consequences::{
        found::{of_contents, of_segments},
        mismatches::tell,
    },
    context::CallContext,
    errors::Error,
    handlers::activity,
    spine::{Spine, WholeRun},
};

/// How often a bundle is begun anew because the run was sealed while it was read.
const TRIES: usize = 5;

/// `activity.bundle`: the run's bundle, as of checkpoints signed now. JSON, ready to be kept.
pub async fn bundle(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<Vec<u8>, Error> {
    in_place(spine, ctx, id).await.map(|(bundle, _)| bundle)
}

/// The same, and the place that the run was read in, for who holds the bundle on before it is counted anywhere: a long
/// one is as much as was read for it.
#[tracing::instrument(name = "activity.bundle", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn in_place(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<(Vec<u8>, WholeRun), Error> {
    activity::get(spine, ctx, id).await?;
    let place = spine.whole_run(ctx.tenant.id).await?;
    let bundle = Box::pin(of_run(spine, ctx.tenant.id, &ctx.tenant.slug, id)).await?;
    Ok((bundle, place))
}

/// The bundle of a run, for who needs no credential: the command line, on the store itself. What of the run cannot be
/// read is named in it, and is an incident; the rest is there.
pub async fn of_run(spine: &Spine, tenant: TenantId, slug: &str, id: RunId) -> Result<Vec<u8>, Error> {
    for _ in 0..TRIES {
        let signed = Signed::now(spine, tenant, slug).await?;
        let store = spine.read().await?;
        let covered = store.ledger().run_leaves(tenant, id).await?;
        if covered.iter().any(|leaf| leaf.leaf_index >= signed.runs.tree_size) {
            // Opened or sealed after the checkpoint: the next one covers it. Nothing else of the run was read for that.
            continue;
        }
        let whole = store.bundles().get_run(tenant, id).await?;
        let RunRows { run, trace, snapshot, tables, leaves, audit } =
            whole.ok_or_else(|| Error::not_found("run", id))?;
        let incidents = tables.incidents.clone();
        let counts = sealed_counts(&run, trace.as_ref());
        let held = store.traces().lines_of_run(tenant, id, counts.as_ref()).await?;
        let HeldLines { segments, late: of_late_segments, missing, named } = held;
        // What is stored in segments is told as it stands there; of what came late values are made, for it is a part of
        // its addendum.
        let (records, mut late) = parted(of_tables(&run, tables), counts.as_ref());
        late.extend(of_late_segments);
        in_order(&mut late);
        let lines: Vec<Line<'_>> = segments.iter().flat_map(SegmentLines::lines).collect::<Result<_, _>>()?;
        let mut found = of_segments(id, &missing);
        // What is known of the records that are missing is what the run's trace made of them.
        let counted = trace.as_ref().filter(|_| !missing.is_empty());
        if counted.is_none() && !missing.is_empty() {
            return Err(Error::Internal(format!("the trace {} of {id} is gone", run.trace_id)));
        }
        let reading = Reading { store: &store, run: &run, signed: &signed };
        let leaves = reading.leaves(leaves).await?;
        let audit = reading.audit(audit).await?;
        let time = not_before(models::time::text(spine.now()), &leaves, &audit);
        let Leaves { opened, opened_proof, receipt, addenda, erased } = leaves;
        let contents = reading.contents(&named, &missing, erased).await?;
        found.extend(of_contents(id, &contents.missing));
        let lost = counted.map(|trace| Lost {
            missing,
            ranges: &trace.ranges,
            chain_head: trace.chain_head,
            verdict_tally: trace.tally.clone(),
            addenda: addenda.len() as u64,
        });
        let parts = Parts {
            opened,
            opened_proof,
            receipt,
            snapshot: definition(&run, snapshot)?,
            records: &records,
            lines: &lines,
            addenda: match counted {
                None => AddendumPart::split(addenda, &late),
                Some(trace) => AddendumPart::whole(addenda, &late, &trace.ranges),
            },
            run: live_run(&run),
            incidents: reading.incidents(incidents).await?,
            contents,
            audit,
            lost,
            checkpoints: Checkpoints { audit: signed.audit.note.clone(), runs: signed.runs.note.clone() },
            as_of: AsOf { audit_size: signed.audit.tree_size, runs_size: signed.runs.tree_size, time },
        };
        let bundle = assemble(parts, spine.signing_key())
            .map_err(|err| Error::Internal(format!("the bundle of {id} cannot be written: {err}")))?;
        tell(spine, tenant, &found).await;
        return Ok(bundle.into_bytes());
    }
    Err(Error::Internal(format!("the run log grew faster than the bundle of {id} could be read")))
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
struct Leaves {
    opened: OpenedLeaf,
    opened_proof: LogProof,
    receipt: Option<ReceiptPart>,
    addenda: Vec<(AddendumLeaf, LogProof)>,
    erased: Option<ErasedPart>,
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

    /// What is kept of its texts: those that its steps name, in their order.
    async fn contents(
        &self,
        named: &Named,
        lost: &[MissingSegment],
        erased: Option<ErasedPart>,
    ) -> Result<ContentsPart, Error> {
        let held = self.store.traces().texts_of_run(self.run.tenant, self.run.id, named, lost).await?;
        let HeldTexts { salt, texts, missing } = held;
        let texts = match texts {
            RunTexts::Kept(mut kept) => named.all().filter_map(|name| kept.remove(&name.hash)).collect(),
            RunTexts::Erased | RunTexts::Lost => Vec::new(),
        };
        Ok(ContentsPart { salt, texts, erased, missing })
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

/// What the run is bound to.
fn definition(run: &Run, stored: Option<Snapshot>) -> Result<SnapshotDefinition, Error> {
    let id = run.snapshot_id;
    let stored = stored.ok_or_else(|| Error::Internal(format!("the policy snapshot {id} is missing")))?;
    serde_json::from_str(&stored.definition)
        .map_err(|err| Error::Internal(format!("the policy snapshot {id} does not read back: {err}")))
}

fn live_run(run: &Run) -> LiveRun {
    LiveRun {
        tenant_id: run.tenant.to_string(),
        run_id: run.id.to_string(),
        trace_id: run.trace_id.to_string(),
        agent_id: run.agent_id.clone(),
        actor_type: run.actor_type,
        actor_id: run.actor_id.clone(),
        conversation_id: run.conversation_id.clone(),
        session_id: run.session_id.clone(),
        user_id: run.user_id.clone(),
        assurance: run.assurance,
        status: run.status,
        termination_reason: run.termination_reason,
        error_message: run.error_message.clone(),
        started_at: models::time::text(run.started_at),
        last_seen_at: models::time::text(run.last_seen_at),
        completed_at: run.completed_at.map(models::time::text),
        step_count: run.step_count,
        refused_count: run.refused_count,
        input_tokens: run.input_tokens,
        output_tokens: run.output_tokens,
        cost_nanousd: run.cost_nanousd,
        risk_level: run.risk_level.to_string(),
        latency_bucket: run.latency_bucket.to_string(),
        evidence_health: run.evidence_health.to_string(),
        integrity_status: run.integrity_status,
        incident_count: run.incident_count,
        policy_violation: run.policy_violation,
        policy_draft_count: run.policy_draft_count,
        late: run.late.as_ref().map(|late| LiveLate {
            addenda: late.addenda,
            step_count: late.step_count,
            input_tokens: late.input_tokens,
            output_tokens: late.output_tokens,
            cost_nanousd: late.cost_nanousd,
        }),
    }
}

fn live_incident(incident: Incident, timeline: Vec<IncidentEvent>) -> LiveIncident {
    LiveIncident {
        incident_id: incident.id.to_string(),
        title: incident.title,
        category: incident.category,
        severity: incident.severity,
        lifecycle_state: incident.lifecycle_state.to_string(),
        affected_count: incident.affected_count,
        acknowledged_at: incident.acknowledged_at.map(models::time::text),
        acknowledged_by: incident.acknowledged_by,
        resolved_at: incident.resolved_at.map(models::time::text),
        resolved_by: incident.resolved_by,
        resolution_type: incident.resolution_type.map(|how| how.to_string()),
        resolution_notes: incident.resolution_notes,
        escalated_at: incident.escalated_at.map(models::time::text),
        created_at: models::time::text(incident.created_at),
        timeline: timeline
            .into_iter()
            .map(|event| TimelineEvent {
                event_id: event.id.to_string(),
                event_type: event.event_type.to_string(),
                actor: event.actor,
                details: event.details,
                at: models::time::text(event.at),
            })
            .collect(),
    }
}
