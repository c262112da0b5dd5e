//! Classes B and G of a step, and the record of its model call.

use engines::logs::capture::{
    ActivityContent, Fingerprint, ProviderAnswer, capture_activity_evidence, capture_provider_evidence,
    record_capture_failure,
};
use models::{
    ids::{EvidenceId, FailureId, LlmRunId, RunId},
    logs::{ExecutionStatus, LlmRunRecord},
};
use proof::{
    contents::Content,
    hash::Hash,
    records::{RecordKind, StepRecord},
    tagged::Hashed,
    words::{CaptureFailureReason, EvidenceClass, StepKind, StepStatus},
};

use crate::{
    choke::{
        prepare::{ContentHashes, PreparedStep, REDACTION},
        state::State,
    },
    errors::{Error, half_done},
    report::LlmReport,
};

/// Classes B and G of a step, or the failures to capture them.
pub(in crate::choke) fn evidence(
    state: &mut State,
    run_id: RunId,
    step: &PreparedStep,
    index: u64,
) -> Result<(Option<Hash>, Option<Hash>), Error> {
    let kind = step.report.kind;
    let has_activity = matches!(kind, StepKind::LlmCall | StepKind::ToolCall | StepKind::HttpCall);
    if !has_activity {
        return Ok((None, None));
    }
    let (activity_id, provider_id, failure_id) = (state.id(), state.id(), state.id());
    let activity = activity(state, run_id, step, index, activity_id)?;
    let provider = match kind {
        StepKind::LlmCall => provider(state, run_id, step, index, (provider_id, failure_id))?,
        _ => None,
    };
    Ok((activity, provider))
}

/// Class B: what went in and out.
fn activity(
    state: &mut State,
    run_id: RunId,
    step: &PreparedStep,
    index: u64,
    id: EvidenceId,
) -> Result<Option<Hash>, Error> {
    let now = state.now;
    let key_id = state.tenant.key_id.clone();
    let model = step.report.llm.as_ref().and_then(|llm| llm.model.as_deref());
    let ContentHashes { prompt, response, .. } = step.content_hashes;
    let run = state.run_mut(run_id)?;
    run.trace.expected_activity += 1;
    if prompt.is_none() && response.is_none() && model.is_none() {
        let why =
            format!("the report of this {} holds nothing of what went in or came out", step.report.kind);
        let id = state.id();
        not_captured(state, run_id, index, id, (EvidenceClass::Activity, &why))?;
        return Ok(None);
    }
    let ctx = run.context().at_step(index);
    let content = ActivityContent {
        prompt,
        response,
        lengths: step.raw_lengths,
        model,
        sensitivity: &step.sensitivity,
        redacted_count: step.redacted_count,
        redaction_version: REDACTION,
        commitment: step.commitment.to_string(),
        commitment_key_id: &key_id,
    };
    let seq = run.next_seq(RecordKind::Activity);
    let activity = Hashed::new(capture_activity_evidence(&ctx, id, seq, content, now).map_err(half_done)?);
    run.trace.ranges.push_hashed(&activity);
    let hash = activity.hash();
    state.new.activities.push(activity);
    Ok(Some(hash))
}

/// Class G: what the provider answered.
fn provider(
    state: &mut State,
    run_id: RunId,
    step: &PreparedStep,
    index: u64,
    (id, failure_id): (EvidenceId, FailureId),
) -> Result<Option<Hash>, Error> {
    let now = state.now;
    let report = &step.report;
    let run = state.run_mut(run_id)?;
    run.trace.expected_provider += 1;
    let Some(llm) = report.llm.as_ref().filter(|llm| says_something(llm)) else {
        let why = match &report.llm {
            None => "the report of this LLM_CALL has no `llm` member: the provider's answer is not known",
            Some(_) => {
                "the `llm` of this LLM_CALL names no model, no tokens and no request: the provider's answer is \
                 not known"
            }
        };
        not_captured(state, run_id, index, failure_id, (EvidenceClass::Provider, why))?;
        return Ok(None);
    };
    let ctx = run.context().at_step(index);
    let answer = ProviderAnswer {
        provider: llm.provider.as_deref(),
        model: llm.model.as_deref(),
        request_id: llm.request_id.as_deref(),
        input_tokens: llm.input_tokens,
        output_tokens: llm.output_tokens,
        cache_read_tokens: llm.cache_read_tokens,
        cache_write_tokens: llm.cache_write_tokens,
        reasoning_tokens: llm.reasoning_tokens,
        latency_ms: report.duration_ms,
        finish_reason: llm.finish_reason.as_deref(),
        http_status: None,
        error: if report.status == StepStatus::Failure { report.outcome_code.as_deref() } else { None },
    };
    let seq = run.next_seq(RecordKind::Provider);
    let provider = Hashed::new(capture_provider_evidence(&ctx, id, seq, &answer, now).map_err(half_done)?);
    run.trace.ranges.push_hashed(&provider);
    let hash = provider.hash();
    state.new.providers.push(provider);
    Ok(Some(hash))
}

/// Notes that a step should have evidence of a class, and has none.
fn not_captured(
    state: &mut State,
    run_id: RunId,
    index: u64,
    id: FailureId,
    (class, why): (EvidenceClass, &str),
) -> Result<(), Error> {
    let now = state.now;
    let run = state.run_mut(run_id)?;
    let ctx = run.context().at_step(index);
    let seq = run.next_seq(RecordKind::CaptureFailure);
    let failure =
        record_capture_failure(&ctx, id, seq, (class, CaptureFailureReason::CaptureFailed), why, now);
    run.trace.ranges.push(&failure);
    state.new.capture_failures.push(failure);
    Ok(())
}

/// Whether a report holds anything of its provider's answer: a record of nothing would be counted as evidence.
fn says_something(llm: &LlmReport) -> bool {
    let LlmReport {
        model,
        request_id,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        ..
    } = llm;
    let counted = [input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens]
        .into_iter()
        .any(|n| *n > 0);
    model.is_some() || request_id.is_some() || counted
}

/// The record of a model call, for Logs.
pub(in crate::choke) fn llm_run(
    state: &State,
    run_id: RunId,
    step: &StepRecord,
    report: &PreparedStep,
) -> Result<LlmRunRecord, Error> {
    let run = state.run(run_id)?;
    let hash =
        |text: &Option<Content>, of: Option<Fingerprint>| of.filter(|_| text.is_some()).map(|of| of.hash);
    let recorded_at = run.trace.last_recorded_at.unwrap_or(state.now);
    let started_at = step.started_at.as_deref().and_then(|at| models::time::parse(at).ok());
    let took = i64::try_from(step.duration_ms).ok().and_then(chrono::Duration::try_milliseconds);
    let ended_at = report.report.ended_at.or_else(|| started_at?.checked_add_signed(took?));
    Ok(LlmRunRecord {
        tenant: run.run.tenant,
        id: state.id::<LlmRunId>(),
        run_id,
        trace_id: run.trace.id,
        step_index: step.step_index,
        provider: step.provider.clone(),
        model: step.model.clone(),
        prompt_hash: hash(&step.prompt, report.content_hashes.prompt),
        response_hash: hash(&step.response, report.content_hashes.response),
        input_tokens: step.input_tokens,
        output_tokens: step.output_tokens,
        cache_read_tokens: step.cache_read_tokens,
        cache_write_tokens: step.cache_write_tokens,
        reasoning_tokens: step.reasoning_tokens,
        cost_nanousd: step.cost_nanousd,
        cost_known: step.cost_known,
        cost_note: step.cost_note,
        price_book: report.price_book.clone(),
        execution_status: ExecutionStatus::of(step),
        started_at: started_at.unwrap_or(recorded_at),
        completed_at: Some(ended_at.unwrap_or(recorded_at)),
        source: step.source,
        is_synthetic: run.run.is_synthetic,
        synthetic_scenario_id: run.run.synthetic_scenario_id.clone(),
        created_at: recorded_at,
    })
}
