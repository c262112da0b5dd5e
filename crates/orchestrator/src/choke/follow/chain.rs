//! The step's record, hashed to the head of its run's chain.

use models::{
    ids::{PermitId, RunId},
    logs::StepKey,
};
use proof::{
    hash::Hash,
    records::{RunAfter, StepRecord},
    tagged::Hashed,
    words::{Asked, OutcomeCategory, PermitNote, StepKind, StepLevel, StepSource, StepStatus},
};

use super::{
    evidence::{evidence, llm_run},
    texts,
};
use crate::{
    choke::{
        judge::Judged,
        prepare::PreparedStep,
        state::{KnownStep, State, trees::Placed},
    },
    errors::Error,
};

/// Where a step stands in its run.
pub(in crate::choke) struct StepPlace {
    pub(in crate::choke) index: u64,
    pub(in crate::choke) permit_id: Option<PermitId>,
    /// Why the permit that was named does not serve.
    pub(in crate::choke) permit_note: Option<PermitNote>,
    /// The permit's decision.
    pub(in crate::choke) pre: Option<Hash>,
    /// The key that is to tell a repeat of it.
    pub(in crate::choke) idempotency_key: Option<String>,
    /// The key whose call reports it.
    pub(in crate::choke) reported_by: Option<String>,
    /// Whether what it used counts.
    pub(in crate::choke) placed: Placed,
}

/// Makes the step's evidence and record and puts it at the head of the chain; also gives the run's totals after it.
pub(in crate::choke) fn chain(
    state: &mut State,
    run_id: RunId,
    step: &PreparedStep,
    judged: &Judged,
    place: &StepPlace,
) -> Result<(Hashed<StepRecord>, RunAfter), Error> {
    let (activity_hash, provider_hash) = evidence(state, run_id, step, place.index)?;
    let now = state.now;
    let report = &step.report;
    let llm = report.llm.as_ref();
    let refused = judged.verdict.action().refuses();
    let [params, outcome_data, prompt, response] = texts::keep(state, run_id, texts::of_report(report))?;
    let run = state.run_mut(run_id)?;
    let recorded_at = run.trace.last_recorded_at.map_or(now, |last| last.max(now));
    run.trace.last_recorded_at = Some(recorded_at);
    let status = if refused { StepStatus::Refused } else { report.status };
    // What had been done is kept as it was told, whatever the verdict makes of it (spec 3).
    let outcome_category = outcome(report.status, report.outcome_category);
    let (pre, post) = match place.pre {
        Some(pre) => (Some(pre), judged.verdict.hash()),
        None => (Some(judged.verdict.hash()), judged.verdict.hash()),
    };
    let after = run.after();
    let mut record = StepRecord {
        tenant_id: run.run.tenant.to_string(),
        run_id: run_id.to_string(),
        trace_id: run.trace.id.to_string(),
        step_index: place.index,
        parent_step_index: report.parent_step_index,
        kind: report.kind,
        skill_name: report.skill_name.clone(),
        params,
        status,
        asked: judged.asked().unwrap_or(Asked::After),
        reported_status: Some(report.status),
        outcome_category,
        outcome_code: report.outcome_code.clone(),
        outcome_data,
        prompt,
        response,
        finish_reason: llm.and_then(|llm| llm.finish_reason.clone()),
        provider: llm.and_then(|llm| llm.provider.clone()),
        model: llm.and_then(|llm| llm.model.clone()),
        model_requested: llm.and_then(|llm| llm.model_requested.clone()),
        input_tokens: llm.map_or(0, |llm| llm.input_tokens),
        output_tokens: llm.map_or(0, |llm| llm.output_tokens),
        cache_read_tokens: llm.map_or(0, |llm| llm.cache_read_tokens),
        cache_write_tokens: llm.map_or(0, |llm| llm.cache_write_tokens),
        reasoning_tokens: llm.map_or(0, |llm| llm.reasoning_tokens),
        cost_nanousd: step.usage().2,
        cost_known: step.cost_known(),
        cost_note: step.cost_note(),
        duration_ms: report.duration_ms,
        retry_count: report.retry_count,
        started_at: report.started_at.map(models::time::text),
        recorded_at: models::time::text(recorded_at),
        level: level(status),
        source: if judged.reported { StepSource::External } else { StepSource::Engine },
        reported_by: place.reported_by.clone(),
        external_span_id: report.external_span_id.clone(),
        external_parent_span_id: report.external_parent_span_id.clone(),
        idempotency_key: place.idempotency_key.clone(),
        request_hash: Some(step.request_hash.to_string()),
        replay_behavior: report.replay_behavior,
        input_hash: step.content_hashes.input.to_string(),
        output_hash: step.content_hashes.output.to_string(),
        params_hash: step.content_hashes.params.map(|hash| hash.to_string()),
        outcome_hash: step.content_hashes.outcome.map(|hash| hash.to_string()),
        permit_id: place.permit_id.map(|id| id.to_string()),
        permit_note: place.permit_note,
        decision_id: Some(judged.verdict.record().decision_id.clone()),
        pre_decision_hash: pre.map(|hash| hash.to_string()),
        post_decision_hash: Some(post.to_string()),
        activity_hash: activity_hash.map(|hash| hash.to_string()),
        provider_hash: provider_hash.map(|hash| hash.to_string()),
        run_after: proof::canonical::to_text(&after),
        determinism_hash: String::new(),
        prev_hash: run.trace.chain_head.to_string(),
    };
    record.determinism_hash = record.determinism().to_string();
    let record = Hashed::new(record);
    run.trace.ranges.push_hashed(&record);
    run.trace.chain_head = record.hash();
    // Whatever else alone tells what a model was paid for stands for its calls; and whatever leaves a doubt of that is
    // found among them.
    let stands_for_calls = llm.is_some() && place.placed.counts;
    if report.kind == StepKind::LlmCall || stands_for_calls || place.placed.in_doubt {
        let llm_run = llm_run(state, run_id, &record, step)?;
        state.new.llm_runs.push(llm_run);
    }
    Ok((record, after))
}

pub(in crate::choke) fn level(status: StepStatus) -> StepLevel {
    match status {
        StepStatus::Failure => StepLevel::Error,
        StepStatus::Retry | StepStatus::Refused => StepLevel::Warn,
        StepStatus::Success | StepStatus::Skipped => StepLevel::Info,
    }
}

fn outcome(status: StepStatus, given: Option<OutcomeCategory>) -> OutcomeCategory {
    match (status, given) {
        (StepStatus::Refused, _) => OutcomeCategory::Refused,
        (_, Some(given)) => given,
        (StepStatus::Success | StepStatus::Skipped, None) => OutcomeCategory::Success,
        (StepStatus::Retry, None) => OutcomeCategory::Transient,
        (StepStatus::Failure, None) => OutcomeCategory::Permanent,
    }
}

/// Keeps the step for the store, and for repeats within this group.
pub(in crate::choke) fn remember(
    state: &mut State,
    run_id: RunId,
    record: Hashed<StepRecord>,
    judged: Judged,
) {
    if let Some(key) = StepKey::of(&record) {
        state.step_keys.insert((run_id, key), KnownStep::of(&record, record.hash()));
    }
    state.new.steps.push((record, judged.verdict));
}
