//! RunProofCoordinator: why a run's record may be believed (O5).
//!
//! Verification recomputes everything from what is stored and compares with what was sealed. Nothing that was
//! stored as a result of an earlier verification is looked at. Records that do not read back fail the proof, which
//! names them, and has the others.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use drivers::logs::LookedAtTexts;
use models::{
    activity::{Run, RunState},
    ids::RunId,
    ledger::RunLogEntry,
    logs::{StepRow, Trace},
};
use proof::{
    contents::MissingContents,
    hash::Hash,
    leaves::{RunLeaf, SealedLeaf},
    records::{Record, RecordKind},
    run_ranges::RunRanges,
    segment::MissingSegment,
};

use super::{
    beside::Beside,
    sealed_records::{RecordsOfRun, records_of_run},
    texts,
};
pub use crate::bridges::RawLogs;
use crate::{
    bridges::LogsBridge,
    consequences::{
        found::{of_contents, of_corrupt, of_sealed, of_segments},
        mismatches::tell,
    },
    context::CallContext,
    errors::Error,
    handlers::activity,
    spine::{Spine, WholeRun},
};

proof::words! {
    /// What the verification of a run came to.
    VerificationStatus { Verified = "VERIFIED", Failed = "FAILED", Unsupported = "UNSUPPORTED" }
}

/// The integrity of a run's steps and records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIntegrity {
    /// Merkle root over the stored steps, as recomputed.
    pub root_hash: Option<Hash>,
    /// How many steps the chain has, refused ones included.
    pub chain_length: u64,
    /// What it came to.
    pub verification_status: VerificationStatus,
    /// Which comparison failed, or why none was possible.
    pub failure_reason: Option<String>,
}

/// The proof of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunProof {
    /// The run.
    pub run_id: RunId,
    /// Whether it checks.
    pub integrity: RunIntegrity,
    /// Its traces.
    pub aos_traces: Vec<Trace>,
    /// Its steps.
    pub aos_trace_steps: Vec<StepRow>,
    /// On request only.
    pub raw_logs: Option<RawLogs>,
    /// When this was verified.
    pub verified_at: DateTime<Utc>,
}

/// `activity.proof`: verifies a run against its receipt, from the stored records.
pub async fn proof(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    include_payloads: bool,
) -> Result<RunProof, Error> {
    Ok(proof_in_place(spine, ctx, id, include_payloads).await?.0)
}

/// The same for who tells all of it, which may be long: with the place that the run was read in, to be kept until what
/// is told is counted.
#[tracing::instrument(name = "activity.proof", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn proof_in_place(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    include_payloads: bool,
) -> Result<(RunProof, WholeRun), Error> {
    let run = activity::get(spine, ctx, id).await?;
    let place = spine.whole_run(ctx.tenant.id).await?;
    Ok((proof_of(spine, &run, include_payloads).await?, place))
}

async fn proof_of(spine: &Spine, run: &Run, include_payloads: bool) -> Result<RunProof, Error> {
    let (tenant, id) = (run.tenant, run.id);
    let store = spine.read().await?;
    let leaves = store.ledger().run_leaves(tenant, id).await?;
    let read = match records_of_run(&store, tenant, run).await {
        Ok(read) => read,
        Err(err) => {
            let integrity = unreadable(err.to_string());
            tell(spine, tenant, &[of_corrupt(Some(id), err)?]).await;
            return Ok(RunProof {
                run_id: id,
                integrity,
                aos_traces: store.traces().traces_of_run(tenant, id).await?,
                aos_trace_steps: Vec::new(),
                raw_logs: None,
                verified_at: spine.now(),
            });
        }
    };
    let RecordsOfRun { sealed: records, late, step_hashes, missing, named } = read;
    let texts = store.traces().look_at_texts(tenant, id, &named, &missing).await?;
    let integrity = if !missing.is_empty() {
        tell(spine, tenant, &of_segments(id, &missing)).await;
        let mut why = MissingSegment::told_of_all(&missing, &id.to_string());
        if !texts.missing.is_empty() {
            why = format!("{why}; {}", MissingContents::told_of_all(&texts.missing, &id.to_string()));
        }
        RunIntegrity { chain_length: step_hashes.len() as u64, ..unreadable(why) }
    } else if run.state == RunState::Completed {
        let beside = Beside::read(&store, tenant, id).await?;
        let sealed = verify(run, &leaves, &step_hashes, &records);
        let sealed = with_late(sealed, run, &leaves, (&records, &late), &beside);
        with_texts(sealed, id, &leaves, &texts)
    } else if texts.missing.is_empty() {
        open(&step_hashes)
    } else {
        let why = MissingContents::told_of_all(&texts.missing, &id.to_string());
        RunIntegrity { chain_length: step_hashes.len() as u64, ..unreadable(why) }
    };
    tell(spine, tenant, &of_contents(id, &texts.missing)).await;
    let is_compared = missing.is_empty() && texts.missing.is_empty() && run.state == RunState::Completed;
    if let Some(why) = integrity.failure_reason.as_ref().filter(|_| is_compared) {
        tell(spine, tenant, &[of_sealed(id, why.clone())]).await;
    }
    let raw_logs = if include_payloads {
        Some(LogsBridge::over(&store, tenant).raw_logs_of_run(id, &run.correlation_id).await?)
    } else {
        None
    };
    Ok(RunProof {
        run_id: id,
        integrity,
        aos_traces: store.traces().traces_of_run(tenant, id).await?,
        aos_trace_steps: steps(records, step_hashes),
        raw_logs,
        verified_at: spine.now(),
    })
}

/// Of records that do not read back, open or sealed: which, and why.
fn unreadable(why: String) -> RunIntegrity {
    RunIntegrity {
        root_hash: None,
        chain_length: 0,
        verification_status: VerificationStatus::Failed,
        failure_reason: Some(why),
    }
}

/// The steps among the records, each with the hash of what is stored.
fn steps(records: Vec<Record>, hashes: Vec<Hash>) -> Vec<StepRow> {
    let steps = records.into_iter().filter_map(|record| match record {
        Record::Step(step) => Some(step),
        _ => None,
    });
    steps.zip(hashes).map(|(record, step_hash)| StepRow::new(record, step_hash)).collect()
}

fn open(steps: &[Hash]) -> RunIntegrity {
    RunIntegrity {
        root_hash: None,
        chain_length: steps.len() as u64,
        verification_status: VerificationStatus::Unsupported,
        failure_reason: Some("the run is not sealed yet: complete or abort it, then ask again".to_owned()),
    }
}

pub(super) fn verify(run: &Run, leaves: &[RunLogEntry], steps: &[Hash], records: &[Record]) -> RunIntegrity {
    let mut ranges = RunRanges::default();
    for record in records {
        ranges.push(record);
    }
    let failure_reason = mismatch(run, leaves, steps, records, &ranges).err();
    RunIntegrity {
        root_hash: Some(ranges.kind(RecordKind::Step).root()),
        chain_length: steps.len() as u64,
        verification_status: match failure_reason {
            None => VerificationStatus::Verified,
            Some(_) => VerificationStatus::Failed,
        },
        failure_reason,
    }
}

/// The same, with what came after the run was sealed, and with what is kept beside all its records.
pub(super) fn with_late(
    sealed: RunIntegrity,
    run: &Run,
    leaves: &[RunLogEntry],
    (records, late): (&[Record], &[Record]),
    beside: &Beside,
) -> RunIntegrity {
    let checked = late_mismatch(run, leaves, late)
        .and_then(|()| incidents(&[records, late]))
        .and_then(|()| beside.check(run, leaves, records, late));
    match checked {
        Err(why) if sealed.failure_reason.is_none() => RunIntegrity {
            verification_status: VerificationStatus::Failed,
            failure_reason: Some(why),
            ..sealed
        },
        _ => sealed,
    }
}

/// The same, with the texts that its steps name.
fn with_texts(
    sealed: RunIntegrity,
    run: RunId,
    leaves: &[RunLogEntry],
    texts: &LookedAtTexts,
) -> RunIntegrity {
    match texts::fault(run, leaves, texts) {
        Some(why) if sealed.failure_reason.is_none() => RunIntegrity {
            verification_status: VerificationStatus::Failed,
            failure_reason: Some(why),
            ..sealed
        },
        _ => sealed,
    }
}

/// Each addendum is for the late records up to it, and they for the receipt.
fn late_mismatch(run: &Run, leaves: &[RunLogEntry], late: &[Record]) -> Result<(), String> {
    let addenda = leaves.iter().filter_map(|entry| match &entry.leaf {
        RunLeaf::Addendum(leaf) => Some((entry, leaf)),
        _ => None,
    });
    let addenda: Vec<_> = addenda.collect();
    let stated = run.late.as_ref().map_or(0, |late| late.addenda);
    if addenda.len() as u64 != stated {
        return Err(format!("the run log has {} addenda of this run, the run says {stated}", addenda.len()));
    }
    let mut before = match leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Sealed(_))) {
        Some(sealed) => sealed.leaf_hash,
        None => return Ok(()),
    };
    let mut ranges = RunRanges::default();
    for (entry, leaf) in addenda {
        if entry.leaf.hash() != entry.leaf_hash {
            return Err(format!("leaf {} of the run log does not match its hash", entry.leaf_index));
        }
        for kind in RecordKind::ALL {
            let count = leaf.record_counts.get(kind).copied().unwrap_or(0);
            let of_kind = late.iter().filter(|record| record.kind() == *kind);
            let from = usize::try_from(ranges.next(*kind)).unwrap_or(usize::MAX);
            for record in of_kind.take(usize::try_from(count).unwrap_or(usize::MAX)).skip(from) {
                if let Record::Step(step) = record
                    && step.prev_hash != before.to_string()
                {
                    return Err(format!("late step {} does not follow the one before it", step.step_index));
                }
                let hash = ranges.push(record);
                before = if *kind == RecordKind::Step { hash } else { before };
            }
        }
        if leaf.records_root != ranges.records_root().to_string() || leaf.chain_head != before.to_string() {
            return Err(format!("addendum {}: its records differ from what was added", leaf.number));
        }
    }
    let covered: u64 = ranges.counts().values().sum();
    if covered == late.len() as u64 { Ok(()) } else { Err("a late record is in no addendum".to_owned()) }
}

/// The first comparison that fails, in words.
fn mismatch(
    run: &Run,
    leaves: &[RunLogEntry],
    steps: &[Hash],
    records: &[Record],
    ranges: &RunRanges,
) -> Result<(), String> {
    let opened = leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Opened(_)));
    let opened = opened.ok_or("the run log has no OPENED leaf of this run")?;
    let receipt = leaves.iter().find_map(|entry| match &entry.leaf {
        RunLeaf::Sealed(receipt) => Some((entry, receipt)),
        RunLeaf::Opened(_) | RunLeaf::Addendum(_) | RunLeaf::Erased(_) => None,
    });
    let (entry, receipt) = receipt.ok_or("the run log has no receipt of this run")?;
    for entry in [opened, entry] {
        if entry.leaf.hash() != entry.leaf_hash {
            return Err(format!("leaf {} of the run log does not match its hash", entry.leaf_index));
        }
    }
    chain(opened.leaf_hash, steps, records)?;
    sealed(run, receipt, ranges)?;
    incidents(&[records])
}

/// What was enforced, or is said to be prevented, came to incidents of the run, where it came to any.
fn incidents(records: &[&[Record]]) -> Result<(), String> {
    let all = || records.iter().copied().flatten();
    let mut known = HashSet::new();
    for record in all() {
        if let Record::Incident(incident) = record {
            known.insert(incident.incident_id.as_str());
        }
    }
    for record in all() {
        let (id, came_to) = match record {
            Record::Enforcement(it) => (&it.enforcement_id, &it.incident_id),
            Record::Prevention(it) => (&it.prevention_id, &it.blocked_incident_id),
            _ => continue,
        };
        if came_to.as_ref().is_some_and(|incident| !known.contains(incident.as_str())) {
            return Err(format!("{id} came to an incident that the run does not have"));
        }
    }
    Ok(())
}

/// Each step names the one before it, and its stored bytes are the canonical ones of its record.
pub(super) fn chain(opened: Hash, steps: &[Hash], records: &[Record]) -> Result<Hash, String> {
    let mut before = opened;
    let hashed = records.iter().filter_map(|record| match record {
        Record::Step(step) => Some((step, record.hash())),
        _ => None,
    });
    for ((step, hash), stored) in hashed.zip(steps) {
        if step.prev_hash != before.to_string() {
            return Err(format!("step {} does not follow the one before it", step.step_index));
        }
        if *stored != hash {
            return Err(format!("step {} does not match its hash", step.step_index));
        }
        before = hash;
    }
    Ok(before)
}

fn sealed(run: &Run, receipt: &SealedLeaf, ranges: &RunRanges) -> Result<(), String> {
    for (kind, count) in ranges.counts() {
        let stated = receipt.record_counts.get(&kind).copied().unwrap_or(0);
        if stated != count {
            return Err(format!("{kind}: the receipt counts {stated}, the store has {count}"));
        }
    }
    let root = ranges.kind(RecordKind::Step).root().to_string();
    if receipt.root_hash != root {
        return Err(format!("the steps' root is {root}, the receipt says {}", receipt.root_hash));
    }
    if receipt.records_root != ranges.records_root().to_string() {
        return Err("a record other than a step differs from what was sealed".to_owned());
    }
    if receipt.snapshot_digest != run.snapshot_digest.to_string() || receipt.status != run.status {
        return Err("the run's row differs from its receipt".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proof::{
        records::{EnforcementRecord, IncidentRecord, PreventionRecord},
        words::{
            ActionTaken, CauseType, IncidentCategory, IncidentRelation, PolicyKind, PreventionOutcome,
            Severity,
        },
    };

    use super::*;

    fn incident(id: &str) -> Record {
        Record::Incident(IncidentRecord {
            tenant_id: "tnt_1".to_owned(),
            run_id: "run_1".to_owned(),
            incident_id: id.to_owned(),
            seq: 1,
            relation: IncidentRelation::ALL[0],
            title: "a rule struck".to_owned(),
            category: IncidentCategory::ALL[0],
            severity: Severity::High,
            cause_type: CauseType::ALL[0],
            cause_key: "rul_1".to_owned(),
            step_index: Some(0),
            policy_id: None,
            limit_id: None,
            description: String::new(),
            error_code: None,
            cost_impact_nanousd: 0,
            recurrence_signature: String::new(),
            note: None,
            is_synthetic: false,
            opened_at: "2026-03-02T09:00:00.000000Z".to_owned(),
            first_at: "2026-03-02T09:00:00.000000Z".to_owned(),
        })
    }

    fn enforcement(incident: Option<&str>) -> Record {
        Record::Enforcement(EnforcementRecord {
            tenant_id: "tnt_1".to_owned(),
            run_id: Some("run_1".to_owned()),
            enforcement_id: "enf_1".to_owned(),
            seq: Some(1),
            policy_id: "rul_1".to_owned(),
            policy_kind: PolicyKind::Rule,
            rule_id: Some("rul_1".to_owned()),
            incident_id: incident.map(str::to_owned),
            step_index: Some(0),
            action_taken: ActionTaken::ALL[0],
            details: "{}".to_owned(),
            triggered_at: "2026-03-02T09:00:00.000000Z".to_owned(),
        })
    }

    fn prevention(incident: Option<&str>) -> Record {
        Record::Prevention(PreventionRecord {
            tenant_id: "tnt_1".to_owned(),
            run_id: "run_1".to_owned(),
            prevention_id: "prv_1".to_owned(),
            seq: Some(1),
            policy_id: Some("rul_1".to_owned()),
            policy_kind: Some(PolicyKind::Rule),
            policy_name: None,
            pattern_id: None,
            step_index: Some(0),
            outcome: PreventionOutcome::ALL[0],
            asked: None,
            would_have: None,
            refused_after: false,
            confidence_permille: 1_000,
            original_incident_id: None,
            blocked_incident_id: incident.map(str::to_owned),
            is_simulated: false,
            is_synthetic: false,
            evaluated_at: "2026-03-02T09:00:00.000000Z".to_owned(),
        })
    }

    #[test]
    fn what_struck_came_to_an_incident_that_the_run_has() {
        let known = || incident("inc_1");
        for fine in [
            vec![enforcement(None), prevention(None)],
            vec![known(), enforcement(Some("inc_1")), prevention(Some("inc_1"))],
            vec![enforcement(Some("inc_1")), known()],
        ] {
            assert_eq!(incidents(&[&fine]), Ok(()));
        }
        // What came late may name one that was sealed.
        assert_eq!(incidents(&[&[known()], &[enforcement(Some("inc_1"))]]), Ok(()));
        for (records, who) in [
            (vec![enforcement(Some("inc_1"))], "enf_1"),
            (vec![known(), enforcement(Some("inc_2"))], "enf_1"),
            (vec![known(), prevention(Some("inc_2"))], "prv_1"),
            (vec![known(), prevention(Some(""))], "prv_1"),
        ] {
            let why = incidents(&[&[], &records]).expect_err("the run does not have it");
            assert_eq!(why, format!("{who} came to an incident that the run does not have"));
        }
    }
}
