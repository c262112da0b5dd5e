//! Tools of its own that a provider ran within a call: it searched the web or files, ran code, drew a picture. Each is
//! paid by itself, by prices that no book has, and often only what came out tells of it.

use orchestrator::ports::{holds_nothing, json_of};
use serde_json::{Map, Value};

/// What of OpenAI's Responses, and of who speaks as they do, is a call of such a tool, by how it ends: of the web, of
/// files, of what X and Google have. What its servers ask of MCP costs no more than its tokens.
const ITEMS: [&str; 3] = ["_search_call", "code_interpreter_call", "image_generation_call"];

/// What calls a tool of the provider's that it names: Anthropic's and Bedrock's, OpenTelemetry's, Mistral's.
const CALLS: [&str; 3] = ["server_tool_use", "server_tool_call", "tool.execution"];

/// Tools that cost no more than the tokens that they bring, by what their names begin with.
const FREE: [&str; 5] = ["web_fetch", "url_context", "memory", "tool_search", "mcp"];

/// So a use counts them: Anthropic's searches, Perplexity's, xAI's.
const COUNTS: [&str; 4] =
    ["web_search_requests", "num_search_queries", "num_sources_used", "num_server_side_tools_used"];

/// What an answer has of them that is more than `{}`: Gemini's searches, and Groq's tools.
const TRACES: [&str; 3] = ["groundingMetadata", "grounding_metadata", "executed_tools"];

/// What a client's tool is called with may look like anything.
const ARGUMENTS: [&str; 3] = ["input", "arguments", "args"];

/// Whether a part of what came out, of that kind, is such a call. Pydantic AI tells a provider's tool as any other,
/// with a mark.
pub(super) fn is_call(kind: &str, name: Option<&str>, is_builtin: bool) -> bool {
    let is_free = |name: &str| FREE.iter().any(|free| name.starts_with(free));
    let is_item = ITEMS.iter().any(|item| kind.ends_with(item)) && !is_free(kind);
    is_item || (CALLS.contains(&kind) || is_builtin) && !name.is_some_and(is_free)
}

/// Whether a count of that name, with `_` for every dot, is of such calls.
pub(super) fn is_count(name: &str) -> bool {
    COUNTS.iter().any(|count| name.ends_with(count))
}

/// Whether a provider's answer, kept as it came, tells of such a call.
pub(super) fn is_told(answer: &str) -> bool {
    let mut names = ITEMS.iter().chain(&CALLS).chain(&COUNTS).chain(&TRACES);
    names.any(|name| answer.contains(*name))
        && json_of(answer).is_some_and(|json| may_tell(&json) && tells(&json))
}

/// Whether JSON is what a provider answers, and says of what kind it is: what a model writes may have any members.
pub(super) fn is_answer(json: &Value) -> bool {
    json["id"].is_string() && (json["object"].is_string() || json["type"] == "message")
}

/// The same of Gemini's answer, and of what LangChain makes of any.
fn may_tell(json: &Value) -> bool {
    is_answer(json) || json["candidates"].is_array() || json["generations"].is_array()
}

fn tells(json: &Value) -> bool {
    match json {
        Value::Array(items) => items.iter().any(tells),
        Value::Object(members) => is_call_in(members) || members.iter().any(|(name, of)| says_so(name, of)),
        _ => false,
    }
}

fn is_call_in(members: &Map<String, Value>) -> bool {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let is_builtin = members.get("builtin") == Some(&Value::Bool(true));
    is_call(text("type").unwrap_or_default(), text("name"), is_builtin)
}

fn says_so(name: &str, of: &Value) -> bool {
    let is_trace = TRACES.contains(&name) && !holds_nothing(of);
    let is_some = is_count(name) && of.as_f64().is_some_and(|count| count > 0.0);
    is_trace || is_some || !ARGUMENTS.contains(&name) && tells(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_ran_itself_is_known_by_what_came_out() {
        for told in [
            r#"{"id":"m","type":"message","usage":{"server_tool_use":{"web_search_requests":1}}}"#,
            r#"{"id":"m","type":"message","content":[{"type":"server_tool_use","name":"web_search"}]}"#,
            r#"{"id":"r","object":"response","output":[{"type":"message"},{"type":"code_interpreter_call"}]}"#,
            r#"{"id":"r","object":"response","output":[{"type":"x_search_call"}]}"#,
            r#"{"id":"c","object":"chat.completion","usage":{"num_sources_used":3}}"#,
            r#"{"id":"c","object":"chat.completion","choices":[{"message":{"executed_tools":[{"type":"search"}]}}]}"#,
            r#"{"candidates":[{"groundingMetadata":{"webSearchQueries":["oslo"]}}]}"#,
            r#"{"generations":[[{"message":{"content":[{"type":"web_search_call","id":"w"}]}}]]}"#,
        ] {
            assert!(is_told(told), "{told}");
        }
        for other in [
            r#"{"id":"m","type":"message","usage":{"server_tool_use":{"web_search_requests":0}}}"#,
            r#"{"id":"m","type":"message","content":[{"type":"server_tool_use","name":"web_fetch"}]}"#,
            r#"{"id":"m","type":"message","content":[{"type":"text","text":"{\"type\":\"web_search_call\"}"}]}"#,
            r#"{"id":"m","type":"message","content":[{"type":"tool_use","input":{"type":"web_search_call"}}]}"#,
            r#"{"id":"r","object":"response","output":[{"type":"mcp_call"},{"type":"function_call"}]}"#,
            r#"{"id":"r","object":"response","output":[{"type":"tool_search_call"}]}"#,
            r#"{"candidates":[{"groundingMetadata":{}}]}"#,
            r#"{"type":"web_search_call"}"#,
            r#"[{"type":"web_search_call"}]"#,
            "web_search_call",
        ] {
            assert!(!is_told(other), "{other}");
        }
    }
}
