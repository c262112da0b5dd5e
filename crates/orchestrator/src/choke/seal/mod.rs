//! Sealing: the run as it ended, the grade of its evidence, and the receipt that covers every record.
//!
//! It reads no steps: the trace row carries the right edge of each record tree. What is read is how many records of
//! each class the run's segments say that they hold, so that one which went missing shows in the grade.

pub(super) mod addendum;

use std::collections::{BTreeMap, HashMap};

use drivers::{StoreError, Tx};
use engines::{
    activity::evidence_health,
    incidents::failure,
    logs::{capture::capture_integrity_evidence, integrity::IntegrityEvaluator},
};
use models::{
    activity::RunState as LifeState,
    ids::{EvidenceId, PreventionId, RunId},
    logs::{ClassCounts, IntegrityEvaluation, IntegrityFacts},
};
use proof::{
    leaves::{RunLeaf, SealedLeaf},
    records::{PreventionRecord, RecordKind, RunRecord},
    tagged::Hashed,
    words::{
        EvidenceClass, IntegrityGrade, IntegrityStatus, PreventionOutcome, RunStatus, TerminationReason,
        TraceStatus,
    },
};

use super::{
    call::Done,
    follow::causes::strike,
    parts::{Answers, Unit},
    state::{
        Ending, RunState, State, kept,
        standing::{millis, refresh},
    },
};
use crate::errors::Error;

/// Seals every run that the group's calls ended.
pub(super) async fn seal_ended(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let ended: Vec<RunId> =
        state.runs.values().filter(|run| run.ending.is_some()).map(|run| run.run.id).collect();
    if ended.is_empty() {
        return Ok(());
    }
    let stored = tx.integrity().class_counts(state.tenant.id, &ended).await?;
    let failures = tx.integrity().unresolved_failures(state.tenant.id, &ended).await?;
    let known = Stored { counts: stored, failures };
    for run in &ended {
        seal(state, *run, &known).map_err(|err| StoreError::Corrupt {
            table: "runs",
            row: run.to_string(),
            why: err.to_string(),
        })?;
    }
    Ok(())
}

/// A run that failed is an incident, or joins one: of the error that its agent named.
pub(super) fn strike_failed(state: &mut State) {
    let failed =
        |run: &&RunState| run.ending.as_ref().is_some_and(|ending| ending.status == RunStatus::Failed);
    let error = |run: &RunState| run.ending.as_ref().and_then(|ending| ending.error.clone());
    let runs = state.runs.values().filter(failed).map(|run| (run.run.id, error(run)));
    let failed: BTreeMap<RunId, Option<String>> = runs.collect();
    for (run, error) in failed {
        strike(state, run, failure(error.as_deref()));
    }
}

/// Completes the answers that show a run: it was sealed, or came to incidents, when they were decided. What was told
/// before is told again as it was.
pub(super) fn complete(state: &State, units: &[Unit<'_>], answers: &mut [Answers]) {
    let calls = units.iter().flat_map(|unit| unit.calls);
    for (call, answer) in calls.zip(answers.iter_mut().flatten()) {
        let (shown, ended) = match answer {
            Some(Ok(Done::Ended(run))) => (run.as_mut(), true),
            Some(Ok(Done::Killed(killed))) => (&mut killed.run, true),
            Some(Ok(Done::Started(run, _))) => (run.as_mut(), false),
            _ => continue,
        };
        if kept::was_told(state, call) {
            continue;
        }
        let Some(RunState { run, .. }) = state.runs.get(&shown.id) else { continue };
        if ended {
            *shown = run.clone();
        } else {
            shown.incident_count = run.incident_count;
            shown.risk_level = run.risk_level;
        }
    }
}

/// What the store holds of the runs, before this group.
struct Stored {
    counts: HashMap<RunId, ClassCounts>,
    failures: HashMap<RunId, (ClassCounts, ClassCounts)>,
}

fn seal(state: &mut State, id: RunId, stored: &Stored) -> Result<(), Error> {
    let Some(ending) = state.run_mut(id)?.ending.clone() else { return Ok(()) };
    if ending.status == RunStatus::Succeeded && state.run(id)?.trace.ranges.next(RecordKind::Prevention) == 0
    {
        no_violation(state, id)?;
    }
    let facts = gather(state, id, stored)?;
    let evaluation = IntegrityEvaluator.evaluate(&facts, true);
    finish_run(state, id, &ending, &facts, &evaluation)?;
    let now = state.now;
    let integrity_id: EvidenceId = state.id();
    let run = state.run_mut(id)?;
    let ctx = run.context();
    let integrity = Hashed::new(capture_integrity_evidence(&ctx, integrity_id, &facts, &evaluation, now));
    run.trace.ranges.push_hashed(&integrity);
    let record = run_record(run)?;
    run.trace.ranges.push(&record);
    let receipt = receipt(run, evaluation.grade, models::time::text(now));
    run.trace.root_hash = Some(run.trace.ranges.kind(RecordKind::Step).root());
    state.new.integrities.push(integrity);
    state.new.leaves.push((id, RunLeaf::Sealed(receipt)));
    Ok(())
}

/// The one row that says that nothing fired in the whole run.
fn no_violation(state: &mut State, id: RunId) -> Result<(), Error> {
    let prevention_id: PreventionId = state.id();
    let now = state.now;
    let run = state.run_mut(id)?;
    let record = PreventionRecord {
        tenant_id: run.run.tenant.to_string(),
        run_id: id.to_string(),
        prevention_id: prevention_id.to_string(),
        seq: Some(run.next_seq(RecordKind::Prevention)),
        policy_id: None,
        policy_kind: None,
        policy_name: None,
        pattern_id: None,
        step_index: None,
        asked: None,
        would_have: None,
        refused_after: false,
        outcome: PreventionOutcome::NoViolation,
        confidence_permille: 1_000,
        original_incident_id: None,
        blocked_incident_id: None,
        is_simulated: false,
        is_synthetic: run.run.is_synthetic,
        evaluated_at: models::time::text(now),
    };
    run.trace.ranges.push(&record);
    state.new.preventions.push(record);
    Ok(())
}

/// Expected and observed counts: observed is what the store holds plus what this group adds.
fn gather(state: &State, id: RunId, stored: &Stored) -> Result<IntegrityFacts, Error> {
    let run = state.run(id)?;
    let text = id.to_string();
    let mut observed = stored.counts.get(&id).cloned().unwrap_or_default();
    let mut add = |class: EvidenceClass, count: usize| *observed.entry(class).or_default() += count as u64;
    let new = &state.new;
    add(EvidenceClass::Run, usize::from(run.is_new));
    add(EvidenceClass::Trace, new.steps.iter().filter(|(step, ..)| step.run_id == text).count());
    add(EvidenceClass::Environment, new.environments.iter().filter(|record| record.run_id == text).count());
    add(EvidenceClass::Activity, new.activities.iter().filter(|record| record.run_id == text).count());
    add(EvidenceClass::Provider, new.providers.iter().filter(|record| record.run_id == text).count());
    add(EvidenceClass::Decision, new.decisions.iter().filter(|record| record.run_id == text).count());
    let expected = ClassCounts::from([
        (EvidenceClass::Run, 1),
        (EvidenceClass::Trace, run.trace.step_count + run.trace.refused_count),
        (EvidenceClass::Environment, 1),
        (EvidenceClass::Activity, run.trace.expected_activity),
        (EvidenceClass::Provider, run.trace.expected_provider),
        (EvidenceClass::Decision, run.trace.ranges.next(RecordKind::Decision)),
    ]);
    let (mut transient, mut permanent) = stored.failures.get(&id).cloned().unwrap_or_default();
    for failure in new.capture_failures.iter().filter(|record| record.run_id == text) {
        let counts = match failure.resolution {
            proof::words::FailureResolution::Transient => &mut transient,
            proof::words::FailureResolution::Permanent => &mut permanent,
            proof::words::FailureResolution::Superseded => continue,
        };
        *counts.entry(failure.evidence_class).or_default() += 1;
    }
    Ok(IntegrityFacts {
        expected,
        observed,
        transient_failures: transient,
        permanent_failures: permanent,
        gaps: run.trace.ranges.next(RecordKind::Gap),
    })
}

fn finish_run(
    state: &mut State,
    id: RunId,
    ending: &Ending,
    facts: &IntegrityFacts,
    evaluation: &IntegrityEvaluation,
) -> Result<(), Error> {
    let now = state.now;
    let run = state.run_mut(id)?;
    let elapsed = run.run.reported_end.as_ref().map_or_else(|| millis(run, now), |end| end.duration_ms);
    run.run.status = ending.status;
    run.run.state = LifeState::Completed;
    run.run.termination_reason = Some(ending.reason);
    run.run.error_message.clone_from(&ending.error);
    run.run.completed_at = Some(now.max(run.run.started_at));
    run.run.duration_ms = Some(elapsed);
    run.run.seal_due_at = None;
    // What was found to be damaged before the end stays damaged: a count of what there ought to be does not see it.
    if run.run.integrity_status != IntegrityStatus::Failed {
        run.run.integrity_status = evaluation.integrity_status;
    }
    let failures =
        facts.transient_failures.values().chain(facts.permanent_failures.values()).any(|count| *count > 0);
    run.run.evidence_health = evidence_health(
        LifeState::Completed,
        evaluation.grade == IntegrityGrade::Fail,
        failures || facts.gaps > 0,
    );
    refresh(run, now);
    run.trace.completed_at = run.run.completed_at;
    run.trace.status = match ending.status {
        RunStatus::Aborted => TraceStatus::Aborted,
        RunStatus::Failed => TraceStatus::Failed,
        RunStatus::Halted if ending.reason != TerminationReason::Completed => TraceStatus::Aborted,
        _ => TraceStatus::Completed,
    };
    if run.trace.status == TraceStatus::Aborted {
        run.trace.abort_reason = Some(ending.reason.to_string());
    }
    Ok(())
}

/// The run as it is now, as the receipt covers it.
fn run_record(state: &RunState) -> Result<RunRecord, Error> {
    engines::activity::run_record(&state.run)
        .ok_or_else(|| Error::Internal("a run is sealed before it ended".to_owned()))
}

fn receipt(run: &RunState, grade: IntegrityGrade, sealed_at: String) -> SealedLeaf {
    let ranges = &run.trace.ranges;
    let verdict_tally: BTreeMap<_, _> = run.trace.tally.clone();
    SealedLeaf {
        tenant_id: run.run.tenant.to_string(),
        run_id: run.run.id.to_string(),
        trace_id: run.trace.id.to_string(),
        root_hash: ranges.kind(RecordKind::Step).root().to_string(),
        chain_head: run.trace.chain_head.to_string(),
        step_count: run.trace.step_count,
        refused_count: run.trace.refused_count,
        verdict_tally,
        records_root: ranges.records_root().to_string(),
        record_counts: ranges.counts(),
        snapshot_digest: run.run.snapshot_digest.to_string(),
        status: run.run.status,
        grade,
        assurance: run.run.assurance,
        sealed_at,
    }
}
