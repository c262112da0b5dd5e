//! Answers that were given while the store was down: kept as they were decided, written when it is back.
//!
//! What is written is the decision that its caller was told, by its id and on the facts it was taken on: judged anew, a
//! window that is over meanwhile could turn a halt that was given into leave that nobody got.

use std::{collections::HashSet, sync::Arc};

use drivers::{StoreError, Tx};
use models::{
    ids::{DecisionId, RunId, TenantId},
    logs::SystemRecord,
};
use proof::records::DecisionRecord;

use super::{spool, unwritten::Unwritten};
use crate::{
    choke::{
        MAX_GROUP, decide,
        follow::causes,
        load::{self, Late},
        prepare::Call,
        races::{Patience, Races},
        seal::{self, addendum},
        state::State,
        write,
    },
    consequences::system_records::unrecorded_answer,
    context::TenantSettings,
    errors::Error,
    spine::Spine,
};

/// Whether nothing of the tenant can be written now: the store is not there, or busy, did not say what became of a
/// commit, or is held back until somebody accepts what a restore lost.
fn ends_all(err: &StoreError) -> bool {
    err.is_unavailable() || err.is_busy() || err.is_unknown_commit() || matches!(err, StoreError::ReadOnly(_))
}

/// Writes what is overdue, oldest first, and gives the runs of which something still is: what comes to one of them
/// comes after that. So is everything after an error. An answer is told of and kept apart only where it is the reason
/// itself that the store does not take it, so that it does not stand in its run's way for ever.
pub(in crate::choke) async fn write(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    races: &mut Races<'_>,
) -> Result<HashSet<RunId>, StoreError> {
    let choke = spine.choke();
    let mut left = choke.stuck.lately();
    loop {
        let answers = choke.memory.answers.oldest(tenant.id, MAX_GROUP, &left);
        if answers.is_empty() {
            break;
        }
        match attempt(spine, tenant, &answers, races).await {
            Ok(()) => done(spine, tenant.id, &answers).await,
            Err(err) if ends_all(&err) => return Err(err),
            Err(_) => each(spine, tenant, &answers, races, &mut left).await?,
        }
    }
    let mut overdue = choke.memory.answers.runs(tenant.id);
    overdue.retain(|run| left.contains(run));
    Ok(overdue)
}

/// Forgets answers: the store has them, or they are kept apart.
async fn done(spine: &Spine, tenant: TenantId, answers: &[Unwritten]) {
    spine.choke().memory.answers.written(tenant, answers);
    spool::written(spine, answers).await;
}

/// Writes each by itself: none of a run of which one could not be written.
async fn each(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    answers: &[Unwritten],
    races: &mut Races<'_>,
    left: &mut HashSet<RunId>,
) -> Result<(), StoreError> {
    for answer in answers {
        let one = std::slice::from_ref(answer);
        let Some(run) = answer.call.run_id() else {
            // Nobody is told anything of a start without the store: this is no line of ours.
            _ = spool::set_aside(spine, tenant.id, answer).await;
            done(spine, tenant.id, one).await;
            continue;
        };
        if left.contains(&run) || races.is_late() {
            left.insert(run);
            continue;
        }
        match attempt(spine, tenant, one, races).await {
            Ok(()) => {}
            Err(err) if ends_all(&err) => return Err(err),
            Err(err) if err.is_about_the_row() => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    run = answer.decision.run_id,
                    decision = answer.decision.decision_id,
                    "an answer that was given while the store was down cannot be written; it is kept apart"
                );
                if !spool::set_aside(spine, tenant.id, answer).await {
                    spine.choke().stuck.note([run]);
                    left.insert(run);
                    continue;
                }
            }
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn std::error::Error,
                    run = answer.decision.run_id,
                    "an answer that was given while the store was down is still to be written"
                );
                spine.choke().stuck.note([run]);
                left.insert(run);
                continue;
            }
        }
        done(spine, tenant.id, one).await;
    }
    Ok(())
}

/// Tries until it is known what is the reason: what seems to lie in the row must fail on another connection too.
async fn attempt(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    answers: &[Unwritten],
    races: &mut Races<'_>,
) -> Result<(), StoreError> {
    let mut twice = false;
    let mut tx = spine.begin().await?;
    loop {
        let failed = match work(spine, tenant, &tx, answers).await {
            Ok(done) => match settle(spine, tx, done).await {
                Ok(()) => return Ok(()),
                Err(err) => (err, None),
            },
            Err(err) => (err, Some(tx)),
        };
        let (err, failed) = failed;
        if !races.lost(&err).await {
            // Alone, for of several it is not known which of them it is.
            if twice || answers.len() > 1 || !err.is_about_the_row() {
                return Err(err);
            }
            twice = true;
        }
        tx = match failed {
            Some(failed) => spine.begin_elsewhere(failed).await?,
            None => spine.begin().await?,
        };
    }
}

/// The answers in the working state, and in the transaction; not committed.
async fn work(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    tx: &Tx,
    answers: &[Unwritten],
) -> Result<(State, bool), StoreError> {
    Patience::Brief.of(tx).await?;
    let answers = unknown(tx, tenant.id, answers).await?;
    let calls: Vec<Call> = answers.iter().map(|answer| answer.call.clone()).collect();
    let mut late = Late::default();
    let mut all_given = Vec::with_capacity(answers.len());
    for answer in &answers {
        let given = answer.given().map_err(|err| broken(answer, err.to_string()))?;
        if let Some(run) = answer.call.run_id() {
            late.let_through.extend(answer.let_through.then_some(run));
            late.decided.entry(run).or_default().push(given.decided_at);
        }
        all_given.push(given);
    }
    let mut state = load::load(spine, tenant, tx, &[&calls], &late).await?;
    let mut unrecorded: Vec<SystemRecord> = Vec::new();
    for (answer, given) in answers.into_iter().zip(all_given) {
        match decide::again(&mut state, &answer.call, &given) {
            Ok(_) if answer.let_through => {}
            Err(Error::StepHalted(_)) if !answer.let_through => {}
            Err(Error::HalfDone(why)) => return Err(broken(answer, why)),
            Err(Error::Store(why)) => return Err(broken(answer, why.to_string())),
            Err(why @ Error::Damaged { .. }) => return Err(broken(answer, why.to_string())),
            Err(why @ (Error::StepHalted(_) | Error::RateLimited { .. })) => {
                return Err(broken(answer, format!("what was let through came out as a refusal: {why}")));
            }
            Err(why) => unrecorded.push(unrecorded_answer(spine, tenant.id, &answer.decision, &why)),
            Ok(_) => {
                return Err(broken(answer, "a refusal that was given came out as let through".to_owned()));
            }
        }
    }
    seal::strike_failed(&mut state);
    causes::settle(&mut state, tx).await?;
    seal::seal_ended(&mut state, tx).await?;
    addendum::seal(&mut state).map_err(|err| StoreError::Corrupt {
        table: "runs",
        row: "of the addenda".to_owned(),
        why: err.to_string(),
    })?;
    let writes = state.has_writes() || !unrecorded.is_empty();
    if writes {
        write_all(&mut state, tx, &unrecorded).await?;
    }
    Ok((state, writes))
}

async fn settle(spine: &Spine, tx: Tx, (state, writes): (State, bool)) -> Result<(), StoreError> {
    if writes {
        tx.commit().await.inspect_err(|err| spine.choke().memory.doubt(&state, err))?;
    }
    spine.choke().memory.remember(state);
    Ok(())
}

/// All of it is sent: what the store says of a row is told while its connection is still had, and not by the commit,
/// behind which nobody could say which connection it was.
async fn write_all(state: &mut State, tx: &Tx, unrecorded: &[SystemRecord]) -> Result<(), StoreError> {
    if state.has_writes() {
        write::write(state, tx).await?;
    }
    tx.logs().insert_system_records(unrecorded).await?;
    tx.send_all().await
}

/// Those that the store does not have: a commit whose outcome was not known may have been one.
async fn unknown<'a>(
    tx: &Tx,
    tenant: TenantId,
    answers: &'a [Unwritten],
) -> Result<Vec<&'a Unwritten>, StoreError> {
    let place = |answer: &Unwritten| {
        let DecisionRecord { run_id, decision_id, .. } = &*answer.decision;
        Some((run_id.parse().ok()?, decision_id.parse().ok()?))
    };
    let ids: Vec<(RunId, DecisionId)> = answers.iter().filter_map(place).collect();
    let known = tx.traces().find_decisions(tenant, &ids).await?;
    let is_known = |id: &str| known.iter().any(|decision| decision.decision_id == id);
    Ok(answers.iter().filter(|answer| !is_known(&answer.decision.decision_id)).collect())
}

fn broken(answer: &Unwritten, why: String) -> StoreError {
    StoreError::Corrupt { table: "runs", row: answer.decision.run_id.clone(), why }
}
