//! What the dialects call by different names, by our names: found in one pass over a span's attributes.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use super::value;

/// What a step wants to know of its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    OpenInferenceKind,
    Operation,
    RequestType,
    TraceloopKind,
    Provider,
    Model,
    ModelRequested,
    ToolName,
    AgentName,
    EntityName,
    RequestId,
    FinishReason,
    InputTokens,
    OutputTokens,
    TotalTokens,
    CachedTokens,
    ReasoningTokens,
    Cost,
    InputCost,
    OutputCost,
    InputMessages,
    OutputMessages,
    SystemMessages,
    Input,
    Output,
    ToolArguments,
    ToolResult,
    InvocationParameters,
    ErrorType,
    HttpMethod,
    HttpStatus,
    Url,
}

const FIELDS: usize = Field::Url as usize + 1;

/// Which field an attribute is, and its rank among those that are the same field: the lowest is believed.
fn field_of(key: &str) -> Option<(Field, u8)> {
    Some(match key {
        "openinference.span.kind" => (Field::OpenInferenceKind, 0),
        "gen_ai.operation.name" => (Field::Operation, 0),
        "llm.request.type" => (Field::RequestType, 0),
        "traceloop.span.kind" => (Field::TraceloopKind, 0),

        "gen_ai.provider.name" => (Field::Provider, 0),
        "gen_ai.system" => (Field::Provider, 1),
        "llm.provider" => (Field::Provider, 2),
        "llm.system" => (Field::Provider, 3),
        "llm.vendor" => (Field::Provider, 4),

        "gen_ai.response.model" => (Field::Model, 0),
        "llm.response.model" => (Field::Model, 1),
        "llm.model_name" => (Field::Model, 2),
        "embedding.model_name" => (Field::Model, 3),
        "reranker.model_name" => (Field::Model, 4),
        // Where nothing says which model answered, it is taken to be this one.
        "gen_ai.request.model" => (Field::ModelRequested, 0),
        "llm.request.model" => (Field::ModelRequested, 1),

        "gen_ai.tool.name" => (Field::ToolName, 0),
        "tool.name" => (Field::ToolName, 1),
        "tool_call.function.name" => (Field::ToolName, 2),
        "gen_ai.agent.name" => (Field::AgentName, 0),
        "agent.name" => (Field::AgentName, 1),
        "agent_name" => (Field::AgentName, 2),
        "gen_ai.workflow.name" => (Field::AgentName, 3),
        "traceloop.entity.name" => (Field::EntityName, 0),

        "gen_ai.response.id" => (Field::RequestId, 0),
        "llm.response.id" => (Field::RequestId, 1),

        "gen_ai.response.finish_reasons" => (Field::FinishReason, 0),
        "gen_ai.response.finish_reason" => (Field::FinishReason, 1),
        "llm.finish_reason" => (Field::FinishReason, 2),
        "gen_ai.completion.0.finish_reason" => (Field::FinishReason, 3),
        "llm.response.finish_reason" => (Field::FinishReason, 4),
        "llm.response.stop_reason" => (Field::FinishReason, 5),

        "gen_ai.usage.input_tokens" => (Field::InputTokens, 0),
        "gen_ai.usage.prompt_tokens" => (Field::InputTokens, 1),
        "llm.token_count.prompt" => (Field::InputTokens, 2),
        "llm.usage.prompt_tokens" => (Field::InputTokens, 3),
        "gen_ai.usage.output_tokens" => (Field::OutputTokens, 0),
        "gen_ai.usage.completion_tokens" => (Field::OutputTokens, 1),
        "llm.token_count.completion" => (Field::OutputTokens, 2),
        "llm.usage.completion_tokens" => (Field::OutputTokens, 3),
        "gen_ai.usage.total_tokens" => (Field::TotalTokens, 0),
        "llm.usage.total_tokens" => (Field::TotalTokens, 1),
        "llm.token_count.total" => (Field::TotalTokens, 2),
        "gen_ai.usage.cache_read.input_tokens" => (Field::CachedTokens, 0),
        "gen_ai.usage.cache_read_input_tokens" => (Field::CachedTokens, 1),
        "gen_ai.usage.cached_tokens" => (Field::CachedTokens, 2),
        "llm.token_count.prompt_details.cache_read" => (Field::CachedTokens, 3),
        "llm.usage.cache_read_input_tokens" => (Field::CachedTokens, 4),
        "gen_ai.usage.reasoning.output_tokens" => (Field::ReasoningTokens, 0),
        "gen_ai.usage.reasoning_tokens" => (Field::ReasoningTokens, 1),
        "llm.token_count.completion_details.reasoning" => (Field::ReasoningTokens, 2),
        "llm.usage.reasoning_tokens" => (Field::ReasoningTokens, 3),

        "gen_ai.usage.cost" => (Field::Cost, 0),
        "llm.cost.total" => (Field::Cost, 1),
        "gen_ai.usage.total_cost" => (Field::Cost, 2),
        "llm.usage.total_cost" => (Field::Cost, 3),
        "llm.cost.prompt" => (Field::InputCost, 0),
        "gen_ai.usage.input_cost" => (Field::InputCost, 1),
        "llm.cost.completion" => (Field::OutputCost, 0),
        "gen_ai.usage.output_cost" => (Field::OutputCost, 1),

        "gen_ai.input.messages" => (Field::InputMessages, 0),
        "gen_ai.prompt" => (Field::InputMessages, 1),
        "gen_ai.output.messages" => (Field::OutputMessages, 0),
        "gen_ai.completion" => (Field::OutputMessages, 1),
        "gen_ai.system_instructions" => (Field::SystemMessages, 0),

        "input.value" => (Field::Input, 0),
        "traceloop.entity.input" => (Field::Input, 1),
        "output.value" => (Field::Output, 0),
        "traceloop.entity.output" => (Field::Output, 1),
        "gen_ai.tool.call.arguments" => (Field::ToolArguments, 0),
        "tool_call.function.arguments" => (Field::ToolArguments, 1),
        "tool.parameters" => (Field::ToolArguments, 2),
        "gen_ai.tool.call.result" => (Field::ToolResult, 0),
        "llm.invocation_parameters" => (Field::InvocationParameters, 0),

        "error.type" => (Field::ErrorType, 0),
        "http.request.method" => (Field::HttpMethod, 0),
        "http.method" => (Field::HttpMethod, 1),
        "http.response.status_code" => (Field::HttpStatus, 0),
        "http.status_code" => (Field::HttpStatus, 1),
        "url.full" => (Field::Url, 0),
        "http.url" => (Field::Url, 1),
        _ => return None,
    })
}

/// A span's attributes, with the places of those that are fields.
pub(super) struct Fields {
    all: Vec<KeyValue>,
    places: [Option<(u8, usize)>; FIELDS],
}

impl Fields {
    pub(super) fn of(all: Vec<KeyValue>) -> Self {
        let mut places = [None; FIELDS];
        for (at, one) in all.iter().enumerate() {
            let Some((field, rank)) = field_of(&one.key) else { continue };
            // A field that is there and says nothing does not stand in the way of one that does.
            if one.value.as_ref().is_none_or(|value| value.value.is_none()) {
                continue;
            }
            let place: &mut Option<(u8, usize)> = &mut places[field as usize];
            if place.is_none_or(|(known, _)| rank < known) {
                *place = Some((rank, at));
            }
        }
        Self { all, places }
    }

    pub(super) fn all(&self) -> &[KeyValue] {
        &self.all
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.places[field as usize].is_some()
    }

    pub(super) fn get(&self, field: Field) -> Option<&AnyValue> {
        let (_, at) = self.places[field as usize]?;
        self.all[at].value.as_ref()
    }

    pub(super) fn text(&self, field: Field) -> Option<&str> {
        self.get(field).and_then(value::text)
    }

    pub(super) fn first_text(&self, field: Field) -> Option<&str> {
        self.get(field).and_then(value::first_text)
    }

    pub(super) fn owned(&self, field: Field) -> Option<String> {
        self.text(field).map(str::to_owned)
    }

    pub(super) fn count(&self, field: Field) -> Option<u64> {
        self.get(field).and_then(value::count)
    }

    pub(super) fn nano_usd(&self, field: Field) -> Option<u64> {
        self.get(field).and_then(value::nano_usd)
    }

    /// Moves a value's text out; what is no text, as JSON.
    pub(super) fn take(&mut self, field: Field) -> Option<String> {
        let (_, at) = self.places[field as usize]?;
        self.all[at].value.take().and_then(value::into_text)
    }
}
