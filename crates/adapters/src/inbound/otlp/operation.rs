//! What kind of step a span is. Its kind alone decides whether the tokens that it names are counted.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use orchestrator::ports::SpanAct;

use super::fields::{Field, Fields};

/// What a span did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A call to a model, by the name that all dialects share.
    Model(&'static str),
    Tool,
    Retrieval,
    Transform,
    /// An agent, a chain, a workflow: it sums up what its children did.
    Parent,
    Http,
    Other,
}

impl Operation {
    pub(super) const fn act(self) -> SpanAct {
        match self {
            Self::Model(_) => SpanAct::ModelCall,
            Self::Tool => SpanAct::ToolCall,
            Self::Retrieval => SpanAct::Retrieval,
            Self::Transform => SpanAct::Transform,
            Self::Http => SpanAct::HttpCall,
            Self::Parent | Self::Other => SpanAct::Other,
        }
    }
}

/// The span's own word for itself first; only a span that has none is judged by what it carries.
pub(super) fn operation(fields: &Fields, kind: i32) -> Operation {
    let said = [Field::OpenInferenceKind, Field::Operation, Field::RequestType, Field::TraceloopKind];
    let named = said.into_iter().find_map(|field| of_word(field, fields.text(field)?));
    named.unwrap_or_else(|| guessed(fields, kind))
}

fn of_word(field: Field, word: &str) -> Option<Operation> {
    let word = word.trim().to_ascii_lowercase();
    let operation = match (field, word.as_str()) {
        (_, "llm" | "chat") => Operation::Model("chat"),
        (_, "text_completion" | "completion") => Operation::Model("text_completion"),
        (_, "generate_content") => Operation::Model("generate_content"),
        (_, "embedding" | "embeddings") => Operation::Model("embeddings"),
        (_, "tool" | "execute_tool") => Operation::Tool,
        (_, "retriever" | "retrieval" | "reranker" | "rerank") => Operation::Retrieval,
        (_, "prompt") => Operation::Transform,
        (
            _,
            "agent" | "chain" | "workflow" | "task" | "create_agent" | "invoke_agent" | "invoke_workflow",
        ) => Operation::Parent,
        (Field::OpenInferenceKind | Field::TraceloopKind, "unknown") | (Field::RequestType, _) => {
            return None;
        }
        // A word of a later version: known to be none of those that count.
        _ => Operation::Other,
    };
    Some(operation)
}

fn guessed(fields: &Fields, kind: i32) -> Operation {
    if fields.has(Field::ToolName) {
        return Operation::Tool;
    }
    if fields.has(Field::AgentName) {
        return Operation::Parent;
    }
    let counts = [Field::InputTokens, Field::OutputTokens, Field::TotalTokens];
    if (fields.has(Field::Model) || fields.has(Field::ModelRequested))
        && fields.has(Field::Provider)
        && counts.into_iter().any(|field| fields.has(field))
    {
        return Operation::Model("chat");
    }
    if fields.has(Field::HttpMethod) && kind == SpanKind::Client as i32 {
        return Operation::Http;
    }
    Operation::Other
}
