//! Refusals that were given while the store was down: kept as they were decided, written when it is back.
//!
//! What is written is the decision that its caller was told, by its id and on the facts it was taken on: judged anew, a
//! window that has passed meanwhile could turn a halt that was given into leave that nobody got.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    activity::Freeze,
    ids::{DecisionId, TenantId},
    logs::SystemRecord,
};
use proof::{records::DecisionRecord, words::Moment};
use rules::{Facts, limits::LimitInput, reexecute::read_inputs};

use super::{
    MAX_GROUP, decide,
    group::Races,
    load,
    outage::is_outage,
    prepare::Call,
    record::{LAPSED, MISMATCH, internal},
    seal,
    state::State,
    write,
};
use crate::{
    context::TenantSettings,
    errors::{Error, StepEnforcementError},
    handlers::account::unrecorded_refusal,
    spine::Spine,
};

/// A decision that was told before it was stored.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) decision_id: DecisionId,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) moment: Moment,
    /// Why the permit that was named did not serve then.
    pub(super) permit_note: Option<&'static str>,
    /// The freeze that it met then.
    pub(super) freeze: Option<Arc<Freeze>>,
    facts: Facts,
    limits: Vec<LimitInput>,
}

impl Given {
    /// The decision that a record holds.
    pub(super) fn of(record: &DecisionRecord, freeze: Option<&Arc<Freeze>>) -> Result<Self, Error> {
        Ok(Self {
            decision_id: record.decision_id.parse().map_err(internal)?,
            decided_at: models::time::parse(&record.decided_at).map_err(internal)?,
            moment: record.moment,
            permit_note: record
                .permit_note
                .as_deref()
                .map(|note| if note == LAPSED { LAPSED } else { MISMATCH }),
            freeze: freeze.filter(|_| record.intervention.is_some()).cloned(),
            facts: Facts::from_canonical(&record.facts).map_err(internal)?,
            limits: read_inputs(&record.limit_inputs).map_err(internal)?,
        })
    }

    /// What it was decided on.
    pub(super) fn inputs(&self) -> (Facts, Vec<LimitInput>) {
        (self.facts.clone(), self.limits.clone())
    }
}

/// A refusal that no store has seen yet.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) call: Call,
    pub(super) given: Given,
    /// What its caller was told.
    pub(super) answer: StepEnforcementError,
}

/// Writes what is overdue, oldest first. An error is an outage; a refusal that the store does not take for another
/// reason is told of and given up, so that it does not stand in its tenant's way for ever.
pub(super) async fn write(spine: &Spine, tenant: &Arc<TenantSettings>) -> Result<(), StoreError> {
    let memory = &spine.choke().memory;
    loop {
        let refusals = memory.unwritten(tenant.id, MAX_GROUP);
        if refusals.is_empty() {
            return Ok(());
        }
        match attempt(spine, tenant, &refusals).await {
            Ok(()) => memory.written(tenant.id, refusals.len()),
            Err(err) if is_outage(&err) => return Err(err),
            Err(_) => each(spine, tenant, &refusals).await?,
        }
    }
}

async fn each(spine: &Spine, tenant: &Arc<TenantSettings>, refusals: &[Refusal]) -> Result<(), StoreError> {
    for refusal in refusals {
        let one = std::slice::from_ref(refusal);
        match attempt(spine, tenant, one).await {
            Ok(()) => {}
            Err(err) if is_outage(&err) => return Err(err),
            Err(err) => tracing::error!(
                error = &err as &dyn std::error::Error,
                run = %refusal.answer.run_id,
                decision = %refusal.given.decision_id,
                "a refusal that was given while the store was down cannot be written; it is given up"
            ),
        }
        spine.choke().memory.written(tenant.id, 1);
    }
    Ok(())
}

async fn attempt(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    refusals: &[Refusal],
) -> Result<(), StoreError> {
    let mut races = Races::default();
    loop {
        match once(spine, tenant, refusals).await {
            Err(err) if races.lost(&err) => {}
            other => return other,
        }
    }
}

async fn once(spine: &Spine, tenant: &Arc<TenantSettings>, refusals: &[Refusal]) -> Result<(), StoreError> {
    let tx = spine.begin().await?;
    let refusals = unknown(&tx, tenant.id, refusals).await?;
    let calls: Vec<Call> = refusals.iter().map(|refusal| refusal.call.clone()).collect();
    let mut state = load::load(spine, tenant, &tx, &[&calls]).await?;
    let mut unrecorded: Vec<SystemRecord> = Vec::new();
    for refusal in refusals {
        state.given = Some(refusal.given.clone());
        let answer = decide::item(&mut state, std::slice::from_ref(&refusal.call)).pop().flatten();
        state.given = None;
        match answer {
            Some(Err(Error::StepHalted(_))) => {}
            Some(Err(Error::Internal(why))) => return Err(broken(refusal, why)),
            Some(Err(why)) => unrecorded.push(unrecorded_refusal(spine, tenant.id, &refusal.answer, &why)),
            Some(Ok(_)) | None => {
                return Err(broken(refusal, "a refusal that was given came out as leave".to_owned()));
            }
        }
    }
    seal::seal_ended(&mut state, &tx, &mut []).await?;
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
async fn unknown<'r>(
    tx: &Tx,
    tenant: TenantId,
    refusals: &'r [Refusal],
) -> Result<Vec<&'r Refusal>, StoreError> {
    let ids: Vec<DecisionId> = refusals.iter().map(|refusal| refusal.given.decision_id).collect();
    let known = tx.policies().find_decisions(tenant, &ids).await?;
    let is_known = |id: DecisionId| known.iter().any(|decision| decision.decision_id == id.to_string());
    Ok(refusals.iter().filter(|refusal| !is_known(refusal.given.decision_id)).collect())
}

fn broken(refusal: &Refusal, why: String) -> StoreError {
    StoreError::Corrupt { table: "runs", row: refusal.answer.run_id.to_string(), why }
}
