//! A call to a model, as it is written.

use models::logs::LlmRunRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Number, Time, words};

/// The record of one call to a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LlmRun)]
pub(crate) struct LlmRunView {
    id: String,
    run_id: String,
    trace_id: String,
    step_index: u64,
    provider: Option<String>,
    model: Option<String>,
    prompt_hash: Option<String>,
    response_hash: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    reasoning_tokens: u64,
    /// Null where it is not known.
    cost_usd: Option<Number>,
    /// Why the cost is not known, or not to be trusted.
    #[schema(value_type = Option<words::CostNote>)]
    cost_note: Option<&'static str>,
    /// By which price book it is; null where the caller said it.
    price_book: Option<String>,
    #[schema(value_type = words::ExecutionStatus)]
    execution_status: &'static str,
    started_at: Time,
    completed_at: Option<Time>,
    #[schema(value_type = words::StepSource)]
    source: &'static str,
    is_synthetic: bool,
    synthetic_scenario_id: Option<String>,
    created_at: Time,
}

impl From<LlmRunRecord> for LlmRunView {
    fn from(record: LlmRunRecord) -> Self {
        Self {
            id: record.id.to_string(),
            run_id: record.run_id.to_string(),
            trace_id: record.trace_id.to_string(),
            step_index: record.step_index,
            provider: record.provider,
            model: record.model,
            prompt_hash: record.prompt_hash.map(|hash| hash.to_string()),
            response_hash: record.response_hash.map(|hash| hash.to_string()),
            input_tokens: record.input_tokens,
            output_tokens: record.output_tokens,
            cache_read_tokens: record.cache_read_tokens,
            cache_write_tokens: record.cache_write_tokens,
            reasoning_tokens: record.reasoning_tokens,
            cost_usd: record.cost_known.then(|| Number::usd(record.cost_nanousd)),
            cost_note: record.cost_note.map(|note| note.as_str()),
            price_book: record.price_book,
            execution_status: record.execution_status.as_str(),
            started_at: record.started_at.into(),
            completed_at: record.completed_at.map(Time),
            source: record.source.as_str(),
            is_synthetic: record.is_synthetic,
            synthetic_scenario_id: record.synthetic_scenario_id,
            created_at: record.created_at.into(),
        }
    }
}
