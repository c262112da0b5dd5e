//! By which names the dialects tell each field. The names of what was used and what it cost are in `usage`.

use super::{field::Field, usage};

/// Which field an attribute is, and its rank among those that are the same field: the lowest is believed.
pub(super) fn field_of(key: &str) -> Option<(Field, u8)> {
    Some(match key {
        "openinference.span.kind" => (Field::OpenInferenceKind, 0),
        "gen_ai.operation.name" => (Field::Operation, 0),
        "llm.request.type" => (Field::RequestType, 0),
        "traceloop.span.kind" => (Field::TraceloopKind, 0),
        "mcp.method.name" => (Field::McpMethod, 0),
        "gen_ai.span.kind" => (Field::OtherKind, 0),
        "langfuse.observation.type" => (Field::OtherKind, 1),
        "fi.span.kind" => (Field::OtherKind, 2),
        "mlflow.spanType" => (Field::OtherKind, 3),
        "lmnr.span.type" => (Field::OtherKind, 4),
        "langsmith.span.kind" => (Field::LangSmithKind, 0),

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
        "langfuse.observation.model.name" => (Field::Model, 5),
        // Where nothing says which model answered, it is taken to be this one.
        "gen_ai.request.model" => (Field::ModelRequested, 0),
        "llm.request.model" => (Field::ModelRequested, 1),

        "gen_ai.tool.name" => (Field::ToolName, 0),
        "tool.name" => (Field::ToolName, 1),
        "tool_call.function.name" => (Field::ToolName, 2),
        "mcp.tool.name" => (Field::ToolName, 3),
        "lk.function_tool.name" => (Field::ToolName, 4),
        "haystack.tool.name" => (Field::ToolName, 5),
        "gen_ai.tool.call.id" => (Field::ToolCallId, 0),
        "tool_call.id" => (Field::ToolCallId, 1),
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

        "gen_ai.input.messages" => (Field::InputMessages, 0),
        "gen_ai.prompt" => (Field::InputMessages, 1),
        "gen_ai.output.messages" => (Field::OutputMessages, 0),
        "gen_ai.completion" => (Field::OutputMessages, 1),
        "gen_ai.system_instructions" => (Field::SystemMessages, 0),

        "input.value" => (Field::Input, 0),
        "traceloop.entity.input" => (Field::Input, 1),
        "langfuse.observation.input" => (Field::Input, 2),
        "mlflow.spanInputs" => (Field::Input, 3),
        "lmnr.span.input" => (Field::Input, 4),
        "output.value" => (Field::Output, 0),
        "traceloop.entity.output" => (Field::Output, 1),
        "langfuse.observation.output" => (Field::Output, 2),
        "mlflow.spanOutputs" => (Field::Output, 3),
        "lmnr.span.output" => (Field::Output, 4),
        "gen_ai.tool.call.arguments" => (Field::ToolArguments, 0),
        "tool_call.function.arguments" => (Field::ToolArguments, 1),
        "gen_ai.tool.arguments" => (Field::ToolArguments, 2),
        "gen_ai.tool.input" => (Field::ToolArguments, 3),
        "gen_ai.tool.args" => (Field::ToolArguments, 4),
        "gcp.vertex.agent.tool_call_args" => (Field::ToolArguments, 5),
        "tool_arguments" => (Field::ToolArguments, 6),
        "mcp.request.arguments" => (Field::ToolArguments, 7),
        "lk.function_tool.arguments" => (Field::ToolArguments, 8),
        "haystack.tool.input" => (Field::ToolArguments, 9),
        "tool.parameters" => (Field::ToolParameters, 0),
        "gen_ai.tool.parameters" => (Field::ToolParameters, 1),
        "gen_ai.tool.call.result" => (Field::ToolResult, 0),
        "gen_ai.tool.result" => (Field::ToolResult, 1),
        "gen_ai.tool.output" => (Field::ToolResult, 2),
        "gcp.vertex.agent.tool_response" => (Field::ToolResult, 3),
        "tool_response" => (Field::ToolResult, 4),
        "mcp.tool.result.content" => (Field::ToolResult, 5),
        "lk.function_tool.output" => (Field::ToolResult, 6),
        "haystack.tool.output" => (Field::ToolResult, 7),
        "llm.invocation_parameters" => (Field::InvocationParameters, 0),

        "error.type" => (Field::ErrorType, 0),
        "gen_ai.tool.status" => (Field::StatusWord, 0),
        "langfuse.observation.level" => (Field::StatusWord, 1),
        "http.request.method" => (Field::HttpMethod, 0),
        "http.method" => (Field::HttpMethod, 1),
        "http.response.status_code" => (Field::HttpStatus, 0),
        "http.status_code" => (Field::HttpStatus, 1),
        "server.address" => (Field::ServerAddress, 0),
        "net.peer.name" => (Field::ServerAddress, 1),
        "gen_ai.openai.api_base" => (Field::ServerAddress, 2),
        "url.full" => (Field::Url, 0),
        "http.url" => (Field::Url, 1),
        _ => return whose(key).or_else(|| usage::count(key)).or_else(|| usage::cost(key)),
    })
}

/// The same of what says whose call it is.
fn whose(key: &str) -> Option<(Field, u8)> {
    Some(match key {
        "gen_ai.conversation.id" => (Field::Conversation, 0),
        "gen_ai.thread.id" => (Field::Conversation, 1),
        "gen_ai.openai.thread.id" => (Field::Conversation, 2),
        "traceloop.association.properties.conversation_id" => (Field::Conversation, 3),
        "traceloop.association.properties.thread_id" => (Field::Conversation, 4),
        "conversation.id" => (Field::Conversation, 5),
        "metadata.conversation_id" => (Field::Conversation, 6),
        "metadata.thread_id" => (Field::Conversation, 7),
        "langwatch.thread.id" => (Field::Conversation, 8),
        "session.id" => (Field::Session, 0),
        "gen_ai.session.id" => (Field::Session, 1),
        "traceloop.association.properties.session_id" => (Field::Session, 2),
        "langfuse.session.id" => (Field::Session, 3),
        "gcp.vertex.agent.session_id" => (Field::Session, 4),
        "metadata.session_id" => (Field::Session, 5),
        "user.id" => (Field::User, 0),
        "enduser.id" => (Field::User, 1),
        "gen_ai.user.id" => (Field::User, 2),
        "traceloop.association.properties.user_id" => (Field::User, 3),
        "langfuse.user.id" => (Field::User, 4),
        "enduser.pseudo.id" => (Field::User, 5),
        "metadata.user_id" => (Field::User, 6),
        "langwatch.user.id" => (Field::User, 7),
        _ => return by_application(key),
    })
}

/// The same of what an application says of a call below a name of its instrumentation's, the first that is believed
/// first.
fn by_application(key: &str) -> Option<(Field, u8)> {
    const PLACES: [&str; 5] = [
        "langsmith.metadata.",
        "langfuse.trace.metadata.",
        "langfuse.observation.metadata.",
        "lmnr.association.properties.",
        "langwatch.metadata.",
    ];
    let (rank, word) =
        (0_u8..).zip(PLACES).find_map(|(rank, place)| Some((rank, key.strip_prefix(place)?)))?;
    let (field, rank) = match word {
        "conversation_id" => (Field::Conversation, 2 * rank),
        "thread_id" => (Field::Conversation, 2 * rank + 1),
        "session_id" => (Field::Session, rank),
        "user_id" => (Field::User, rank),
        _ => return None,
    };
    Some((field, BEHIND_NAMES + rank))
}

/// More than the rank of any other name of what says whose call it is.
const BEHIND_NAMES: u8 = 16;
