//! STEP_PRE: leave to act, asked before the act. A refusal is a step of the chain; a grant reserves.

use models::{
    ids::PermitId,
    policies::{Estimate, Permit, PermitStatus},
};
use proof::{
    records::StepRecord,
    tagged::Hashed,
    words::{Asked, OutcomeCategory, StepSource, StepStatus},
};

use super::gates::{known, repeated, running};
use crate::{
    choke::{
        call::{Answer, Done, Granted},
        follow::{
            chain::{level, remember},
            effects, gap, texts,
        },
        judge::{self, Judged, Question},
        prepare::{Caller, PreparedPermit},
        state::{State, given::Given, held::HeldPermit, traced, tree},
    },
    errors::{Error, StepEnforcementError},
};

/// `given` is what was decided of it already, while the store was down.
pub(in crate::choke) fn permit(
    state: &mut State,
    caller: &Caller,
    asked: &PreparedPermit,
    given: Option<&Given>,
) -> Answer {
    let run_id = asked.run_id;
    known(state, caller, run_id)?;
    if let Some(answer) = repeated(state, run_id, asked.request.idempotency_key.as_ref(), asked.request_hash)?
    {
        return answer;
    }
    let let_through = given.is_some_and(|given| given.let_through);
    if !let_through {
        running(state, run_id)?;
    }
    let known = given.and_then(|given| given.permit_id);
    let permit_id: PermitId = known.unwrap_or_else(|| state.id());
    let judged = judge::judge(state, run_id, &Question::permit(asked, permit_id, given))?;
    if let Some(retry_after_ms) = judged.rejected_for_ms() {
        effects::throttled(state, caller, run_id, &judged)?;
        return Err(Error::RateLimited { retry_after_ms, verdict: Box::new(judged.view()) });
    }
    if judged.verdict.action().refuses() {
        return refuse(state, caller, asked, judged);
    }
    if let_through {
        gap::record(state, run_id, &judged, None, Some(permit_id))?;
    }
    grant(state, caller, asked, permit_id, &judged)
}

fn grant(
    state: &mut State,
    caller: &Caller,
    asked: &PreparedPermit,
    id: PermitId,
    judged: &Judged,
) -> Answer {
    let run_id = asked.run_id;
    effects::apply(state, caller, run_id, judged, None)?;
    traced::heard(state, caller, run_id)?;
    let now = state.now;
    let granted_at = judged.decided_at;
    let expires_at = granted_at + state.spine.settings().permit_ttl;
    let run = state.run_mut(run_id)?;
    run.seen(now);
    let estimate = Estimate {
        input_tokens: asked.request.estimate.input_tokens,
        output_tokens: asked.request.estimate.output_tokens,
        cost_nanousd: asked.request.estimate.cost_nanousd,
    };
    run.open.grant(id, &estimate, expires_at);
    let permit = Permit {
        tenant: run.run.tenant,
        id,
        run_id,
        status: PermitStatus::Granted,
        kind: asked.request.kind,
        skill_name: asked.request.skill_name.clone(),
        params_hash: asked.params_hash,
        provider: asked.request.provider.clone(),
        model: asked.request.model.clone(),
        labels: asked.request.labels.clone(),
        idempotency_key: asked.request.idempotency_key.clone(),
        request_hash: asked.request_hash,
        estimate,
        reservations: judged.reservations.clone(),
        decision_id: judged.decision_id,
        decision_hash: judged.verdict.hash(),
        run_after: proof::canonical::to_text(&run.after()),
        granted_at,
        expires_at,
        lapses_at: expires_at,
        used_by_step: None,
    };
    if let Some(key) = &permit.idempotency_key {
        state.permit_keys.insert((run_id, key.clone()), permit.clone());
    }
    state.permits.insert(id, HeldPermit::granted(permit));
    Ok(Done::Granted(Box::new(Granted { permit_id: id, expires_at, recorded: true, verdict: judged.view() })))
}

/// A refused permit is a step of status REFUSED in the run's chain.
fn refuse(state: &mut State, caller: &Caller, asked: &PreparedPermit, judged: Judged) -> Answer {
    let run_id = asked.run_id;
    let status_after = effects::status_after(&judged);
    let now = state.now;
    let run = state.run_mut(run_id)?;
    let index = run.next_index();
    run.seen(now);
    run.run.refused_count += 1;
    run.trace.refused_count += 1;
    if let Some(status) = status_after {
        run.run.status = status;
    }
    tree::skip(state, run_id, index);
    let record = refused_step(state, caller, asked, index, &judged)?;
    traced::heard(state, caller, run_id)?;
    effects::apply(state, caller, run_id, &judged, Some(index))?;
    let verdict = judged.view();
    remember(state, run_id, record, judged);
    let run_status = state.run(run_id)?.run.status;
    let refusal =
        StepEnforcementError { run_id, step_index: Some(index), run_status, recorded: true, verdict };
    Err(Error::StepHalted(Box::new(refusal)))
}

fn refused_step(
    state: &mut State,
    caller: &Caller,
    asked: &PreparedPermit,
    index: u64,
    judged: &Judged,
) -> Result<Hashed<StepRecord>, Error> {
    let now = state.now;
    let request = &asked.request;
    let hashes = &asked.content_hashes;
    let [params] = texts::keep(state, asked.run_id, [request.params.as_deref()])?;
    let run = state.run_mut(asked.run_id)?;
    let recorded_at = run.trace.last_recorded_at.map_or(now, |last| last.max(now));
    run.trace.last_recorded_at = Some(recorded_at);
    let mut record = StepRecord {
        tenant_id: run.run.tenant.to_string(),
        run_id: asked.run_id.to_string(),
        trace_id: run.trace.id.to_string(),
        step_index: index,
        parent_step_index: None,
        kind: request.kind,
        skill_name: request.skill_name.clone(),
        params,
        status: StepStatus::Refused,
        asked: Asked::Before,
        reported_status: None,
        outcome_category: OutcomeCategory::Refused,
        outcome_code: None,
        outcome_data: None,
        prompt: None,
        response: None,
        finish_reason: None,
        provider: request.provider.clone(),
        model: request.model.clone(),
        model_requested: None,
        input_tokens: 0,
        output_tokens: 0,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        reasoning_tokens: 0,
        cost_nanousd: 0,
        cost_known: true,
        cost_note: None,
        duration_ms: 0,
        retry_count: 0,
        started_at: None,
        recorded_at: models::time::text(recorded_at),
        level: level(StepStatus::Refused),
        source: StepSource::Engine,
        reported_by: caller.reporter(),
        external_span_id: None,
        external_parent_span_id: None,
        idempotency_key: request.idempotency_key.clone(),
        request_hash: Some(asked.request_hash.to_string()),
        replay_behavior: None,
        input_hash: hashes.input.to_string(),
        output_hash: hashes.output.to_string(),
        params_hash: hashes.params.map(|hash| hash.to_string()),
        outcome_hash: None,
        permit_id: None,
        permit_note: None,
        decision_id: Some(judged.verdict.record().decision_id.clone()),
        pre_decision_hash: Some(judged.verdict.hash().to_string()),
        post_decision_hash: None,
        activity_hash: None,
        provider_hash: None,
        run_after: proof::canonical::to_text(&run.after()),
        determinism_hash: String::new(),
        prev_hash: run.trace.chain_head.to_string(),
    };
    record.determinism_hash = record.determinism().to_string();
    let record = Hashed::new(record);
    run.trace.ranges.push_hashed(&record);
    run.trace.chain_head = record.hash();
    Ok(record)
}
