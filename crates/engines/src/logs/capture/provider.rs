//! Class G: what the model provider answered.

use chrono::{DateTime, Utc};
use models::{ids::EvidenceId, logs::ExecutionContext};
use proof::records::ProviderRecord;

use super::EvidenceContextError;

/// The provider's side of a model call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of spec 5")]
pub struct ProviderAnswer<'a> {
    pub provider: Option<&'a str>,
    pub model: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub reasoning_tokens: u64,
    pub latency_ms: u64,
    pub finish_reason: Option<&'a str>,
    pub http_status: Option<u64>,
    pub error: Option<&'a str>,
}

/// The provider's answer to one step.
pub fn capture_provider_evidence(
    ctx: &ExecutionContext,
    id: EvidenceId,
    seq: u64,
    answer: &ProviderAnswer<'_>,
    now: DateTime<Utc>,
) -> Result<ProviderRecord, EvidenceContextError> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(ProviderRecord {
        tenant_id: ctx.tenant().to_string(),
        run_id: ctx.run_id().to_string(),
        evidence_id: id.to_string(),
        seq,
        step_index: ctx.step_index().ok_or(EvidenceContextError)?,
        provider: owned(answer.provider),
        model: owned(answer.model),
        request_id: owned(answer.request_id),
        input_tokens: answer.input_tokens,
        output_tokens: answer.output_tokens,
        cache_read_tokens: answer.cache_read_tokens,
        cache_write_tokens: answer.cache_write_tokens,
        reasoning_tokens: answer.reasoning_tokens,
        latency_ms: answer.latency_ms,
        finish_reason: owned(answer.finish_reason),
        http_status: answer.http_status,
        error: owned(answer.error),
        captured_at: models::time::text(now),
    })
}
