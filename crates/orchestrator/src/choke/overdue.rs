//! Answers that were given while the store was down: kept as they were decided, written when it is back.
//!
//! What is written is the decision that its caller was told, by its id and on the facts it was taken on: judged anew, a
//! window that has passed meanwhile could turn a halt that was given into leave that nobody got.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    activity::Freeze,
    ids::{DecisionId, PermitId, RunId, TenantId},
    logs::SystemRecord,
};
use proof::{records::DecisionRecord, words::Moment};
use rules::{Facts, limits::LimitInput, reexecute::read_inputs};

use super::{
    MAX_GROUP, addendum, decide,
    group::Races,
    load,
    outage::{Told, is_outage},
    prepare::Call,
    record::{LAPSED, MISMATCH, internal},
    seal, spool,
    state::State,
    write,
};
use crate::{context::TenantSettings, errors::Error, handlers::account::unrecorded_answer, spine::Spine};

/// A decision that was told before it was stored.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) decision_id: DecisionId,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) moment: Moment,
    /// It was leave: what was asked has happened.
    pub(super) passed: bool,
    /// The permit that was granted.
    pub(super) permit_id: Option<PermitId>,
    /// Why the permit that was named did not serve then.
    pub(super) permit_note: Option<&'static str>,
    /// The freeze that it met then.
    pub(super) freeze: Option<Arc<Freeze>>,
    facts: Facts,
    limits: Vec<LimitInput>,
}

impl Given {
    /// What it was decided on.
    pub(super) fn inputs(&self) -> (Facts, Vec<LimitInput>) {
        (self.facts.clone(), self.limits.clone())
    }
}

/// An answer that no store has seen yet.
#[derive(Clone, Debug)]
pub(super) struct Unwritten {
    pub(super) call: Call,
    pub(super) decision: Arc<DecisionRecord>,
    /// The freeze that it met.
    pub(super) freeze: Option<Arc<Freeze>>,
    /// It was leave.
    pub(super) passed: bool,
    /// For repeats of the call; none where another process gave the answer.
    pub(super) told: Option<Told>,
    /// It is in the spool.
    pub(super) spooled: bool,
}

impl Unwritten {
    /// What was just decided of a run, on what is remembered; none where that could not be written later.
    pub(super) fn of(state: &State, run_id: RunId, call: &Call, told: Told) -> Option<Self> {
        let decision: &DecisionRecord = state.new.decisions.last()?;
        let freeze = state.runs.get(&run_id).and_then(|run| run.freeze.clone());
        let answer = Self {
            call: call.clone(),
            decision: Arc::new(decision.clone()),
            freeze: freeze.filter(|_| decision.intervention.is_some()),
            passed: matches!(told, Told::Passed(_)),
            told: Some(told),
            spooled: false,
        };
        answer.given().is_ok().then_some(answer)
    }

    /// The decision that it was.
    fn given(&self) -> Result<Given, Error> {
        let decision = &self.decision;
        let permit_id = decision.permit_id.as_deref().map(str::parse).transpose().map_err(internal)?;
        Ok(Given {
            decision_id: decision.decision_id.parse().map_err(internal)?,
            decided_at: models::time::parse(&decision.decided_at).map_err(internal)?,
            moment: decision.moment,
            passed: self.passed,
            permit_id,
            permit_note: decision
                .permit_note
                .as_deref()
                .map(|note| if note == LAPSED { LAPSED } else { MISMATCH }),
            freeze: self.freeze.clone(),
            facts: Facts::from_canonical(&decision.facts).map_err(internal)?,
            limits: read_inputs(&decision.limit_inputs).map_err(internal)?,
        })
    }
}

/// Whether the store may take later what it does not take now: it is not there, or is held back until somebody accepts
/// what a restore lost.
fn may_pass(err: &StoreError) -> bool {
    is_outage(err) || matches!(err, StoreError::ReadOnly(_))
}

/// Writes what is overdue, oldest first. After an error all of it is still overdue; an answer that the store does not take for another
/// reason is told of and kept apart, so that it does not stand in its tenant's way for ever.
pub(super) async fn write(spine: &Spine, tenant: &Arc<TenantSettings>) -> Result<(), StoreError> {
    let memory = &spine.choke().memory;
    loop {
        let answers = memory.unwritten(tenant.id, MAX_GROUP);
        if answers.is_empty() {
            return Ok(());
        }
        match attempt(spine, tenant, &answers).await {
            Ok(()) => {
                memory.written(tenant.id, answers.len());
                spool::written(spine, &answers).await;
            }
            Err(err) if may_pass(&err) => return Err(err),
            Err(_) => each(spine, tenant, &answers).await?,
        }
    }
}

async fn each(spine: &Spine, tenant: &Arc<TenantSettings>, answers: &[Unwritten]) -> Result<(), StoreError> {
    for answer in answers {
        let one = std::slice::from_ref(answer);
        match attempt(spine, tenant, one).await {
            Ok(()) => {}
            Err(err) if may_pass(&err) => return Err(err),
            Err(err) => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    run = answer.decision.run_id,
                    decision = answer.decision.decision_id,
                    "an answer that was given while the store was down cannot be written; it is kept apart"
                );
                spool::set_aside(spine, tenant.id, answer).await;
            }
        }
        spine.choke().memory.written(tenant.id, 1);
        spool::written(spine, one).await;
    }
    Ok(())
}

async fn attempt(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    answers: &[Unwritten],
) -> Result<(), StoreError> {
    let mut races = Races::default();
    loop {
        match once(spine, tenant, answers).await {
            Err(err) if races.lost(&err) => {}
            other => return other,
        }
    }
}

async fn once(spine: &Spine, tenant: &Arc<TenantSettings>, answers: &[Unwritten]) -> Result<(), StoreError> {
    let tx = spine.begin().await?;
    let answers = unknown(&tx, tenant.id, answers).await?;
    let calls: Vec<Call> = answers.iter().map(|answer| answer.call.clone()).collect();
    let passed: BTreeSet<RunId> =
        answers.iter().filter(|answer| answer.passed).filter_map(|answer| answer.call.run_id()).collect();
    let mut state = load::load(spine, tenant, &tx, &[&calls], &passed).await?;
    let mut unrecorded: Vec<SystemRecord> = Vec::new();
    for answer in answers {
        state.given = Some(answer.given().map_err(|err| broken(answer, err.to_string()))?);
        let answered = decide::item(&mut state, std::slice::from_ref(&answer.call)).pop().flatten();
        state.given = None;
        match answered {
            Some(Ok(_)) if answer.passed => {}
            Some(Err(Error::StepHalted(_))) if !answer.passed => {}
            Some(Err(Error::Internal(why))) => return Err(broken(answer, why)),
            Some(Err(why @ (Error::StepHalted(_) | Error::RateLimited { .. }))) => {
                return Err(broken(answer, format!("leave that was given came out as a refusal: {why}")));
            }
            Some(Err(why)) => unrecorded.push(unrecorded_answer(spine, tenant.id, &answer.decision, &why)),
            Some(Ok(_)) | None => {
                return Err(broken(answer, "a refusal that was given came out as leave".to_owned()));
            }
        }
    }
    seal::seal_ended(&mut state, &tx, &mut []).await?;
    addendum::seal(&mut state).map_err(|err| StoreError::Corrupt {
        table: "runs",
        row: "of the addenda".to_owned(),
        why: err.to_string(),
    })?;
    if state.has_writes() || !unrecorded.is_empty() {
        write_all(&mut state, &tx, &unrecorded).await?;
        tx.commit().await?;
    }
    spine.choke().memory.remember(state);
    Ok(())
}

async fn write_all(state: &mut State, tx: &Tx, unrecorded: &[SystemRecord]) -> Result<(), StoreError> {
    if state.has_writes() {
        write::write(state, tx).await?;
    }
    tx.logs().insert_system_records(unrecorded).await
}

/// Those that the store does not have: a commit whose outcome was not known may have been one.
async fn unknown<'a>(
    tx: &Tx,
    tenant: TenantId,
    answers: &'a [Unwritten],
) -> Result<Vec<&'a Unwritten>, StoreError> {
    let ids: Vec<DecisionId> =
        answers.iter().filter_map(|answer| answer.decision.decision_id.parse().ok()).collect();
    let known = tx.policies().find_decisions(tenant, &ids).await?;
    let is_known = |id: &str| known.iter().any(|decision| decision.decision_id == id);
    Ok(answers.iter().filter(|answer| !is_known(&answer.decision.decision_id)).collect())
}

fn broken(answer: &Unwritten, why: String) -> StoreError {
    StoreError::Corrupt { table: "runs", row: answer.decision.run_id.clone(), why }
}
