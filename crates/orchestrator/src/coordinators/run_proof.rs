//! RunProofCoordinator: why a run's record may be believed (O5).
//!
//! Verification recomputes everything from what is stored and compares with what was sealed. Nothing that was
//! stored as a result of an earlier verification is looked at. Records that do not read back fail the proof, which
//! names them, and has the others.

use chrono::{DateTime, Utc};
use drivers::StoreError;
use models::{
    activity::{Run, RunState},
    ids::RunId,
    ledger::RunLogEntry,
    logs::{StepRow, Trace},
};
use proof::{contents::MissingContents, hash::Hash, segment::MissingSegment};

use super::{
    recomputed::{Recomputed, recompute},
    sealed_records::Came,
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
pub async fn proof_in_place(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    include_payloads: bool,
) -> Result<(RunProof, WholeRun), Error> {
    let asked = Asked { steps: usize::MAX, raw_logs: include_payloads };
    prove(spine, ctx, id, asked).await
}

/// The same for who shows no more than so many steps: of a run of any length no more are held.
pub async fn proof_with_steps(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    steps: usize,
) -> Result<RunProof, Error> {
    Ok(prove(spine, ctx, id, Asked { steps, raw_logs: false }).await?.0)
}

#[tracing::instrument(name = "activity.proof", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
async fn prove(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    asked: Asked,
) -> Result<(RunProof, WholeRun), Error> {
    let run = activity::get(spine, ctx, id).await?;
    let place = spine.whole_run(ctx.tenant.id).await?;
    Ok((proof_of(spine, &run, asked).await?, place))
}

/// What is asked of a proof beside its verdict.
#[derive(Clone, Copy)]
struct Asked {
    /// So many steps at most.
    steps: usize,
    raw_logs: bool,
}

async fn proof_of(spine: &Spine, run: &Run, asked: Asked) -> Result<RunProof, Error> {
    let (tenant, id) = (run.tenant, run.id);
    let store = spine.read().await?;
    let leaves = store.ledger().run_leaves(tenant, id).await?;
    // Of all records the answer has the steps that were sealed, or will be. The others are let go of as they are met.
    let mut aos_trace_steps = Vec::new();
    let mut keep = |step: StepRow, came: Came| {
        if came == Came::InTime && aos_trace_steps.len() < asked.steps {
            aos_trace_steps.push(step);
        }
    };
    let of_run = match Box::pin(recompute(&store, run, &leaves, &mut keep)).await {
        Ok(of_run) => of_run,
        Err(err) => {
            let integrity = unreadable(0, err.to_string());
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
    let (missing, texts) = (&of_run.missing, &of_run.texts);
    tell(spine, tenant, &of_segments(id, missing)).await;
    tell(spine, tenant, &of_contents(id, &texts.missing)).await;
    let is_compared = missing.is_empty() && texts.missing.is_empty() && run.state == RunState::Completed;
    let integrity = integrity(run, &leaves, of_run)?;
    if let Some(why) = integrity.failure_reason.as_ref().filter(|_| is_compared) {
        tell(spine, tenant, &[of_sealed(id, why.clone())]).await;
    }
    let raw_logs = if asked.raw_logs {
        Some(LogsBridge::over(&store, tenant).raw_logs_of_run(id, &run.correlation_id).await?)
    } else {
        None
    };
    Ok(RunProof {
        run_id: id,
        integrity,
        aos_traces: store.traces().traces_of_run(tenant, id).await?,
        aos_trace_steps,
        raw_logs,
        verified_at: spine.now(),
    })
}

/// What a run comes to, against what was sealed of it.
fn integrity(run: &Run, leaves: &[RunLogEntry], of_run: Recomputed<'_>) -> Result<RunIntegrity, StoreError> {
    let Recomputed { records, beside, steps, missing, texts } = of_run;
    let id = run.id.to_string();
    if !missing.is_empty() {
        let mut why = MissingSegment::told_of_all(&missing, &id);
        if !texts.missing.is_empty() {
            why = format!("{why}; {}", MissingContents::told_of_all(&texts.missing, &id));
        }
        return Ok(unreadable(steps, why));
    }
    if run.state != RunState::Completed {
        return Ok(if texts.missing.is_empty() {
            open(steps)
        } else {
            unreadable(steps, MissingContents::told_of_all(&texts.missing, &id))
        });
    }
    let beside = beside?;
    let compared = records.as_sealed(run).and_then(|()| beside.check(leaves));
    let failure_reason = compared.err().or_else(|| texts::fault(run.id, leaves, &texts));
    Ok(RunIntegrity {
        root_hash: Some(records.root()),
        chain_length: steps,
        verification_status: match failure_reason {
            None => VerificationStatus::Verified,
            Some(_) => VerificationStatus::Failed,
        },
        failure_reason,
    })
}

/// Of records that do not read back, open or sealed: which, and why.
fn unreadable(steps: u64, why: String) -> RunIntegrity {
    RunIntegrity {
        root_hash: None,
        chain_length: steps,
        verification_status: VerificationStatus::Failed,
        failure_reason: Some(why),
    }
}

fn open(steps: u64) -> RunIntegrity {
    RunIntegrity {
        root_hash: None,
        chain_length: steps,
        verification_status: VerificationStatus::Unsupported,
        failure_reason: Some("the run is not sealed yet: complete or abort it, then ask again".to_owned()),
    }
}
