//! What a tool was called with. OpenInference's `tool.parameters` is that for some instrumentations, and for others the
//! schema of what it may be called with; then the arguments are the span's input. Sentry's have an attribute each.
//! Where they have no name that is known, whatever has none may be them.

use std::{borrow::Cow, collections::BTreeMap};

use orchestrator::ports::json_of;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::{
    field::Field,
    fields::Fields,
    reader::Reader,
    value::{Json, first_full, is_hollow, whole_of},
    wire::Any,
};

/// Before the name of an argument that has an attribute of its own.
const ONE_ARGUMENT: &str = "mcp.request.argument.";

/// The arguments of a tool's span, taken out of it; `said` is what its messages say of them.
pub(super) fn of_tool(fields: &mut Fields<'_>, said: Option<String>) -> Option<String> {
    let (arguments, parts) = (fields.take(Field::ToolArguments), one_by_one(fields));
    let (told, doubtful) = match fields.take(Field::ToolParameters) {
        Some(text) if says_nothing_of_a_call(&text) => (None, Some(text)),
        told => (told, None),
    };
    let request = whole_of(fields.all(), &["mcp.request.params"]).map(|params| of_request(&params));
    let alone = whole_of(fields.all(), &["input"]).map(Cow::into_owned);
    first_full([arguments, parts, request, told, fields.take(Field::Input), alone, said]).or(doubtful)
}

/// The arguments in the parameters of an MCP request, which name the tool too, each digit of them; all of it where they
/// cannot be read.
fn of_request(params: &str) -> String {
    let mut arguments = None;
    if json_of(params).is_some_and(|request| request.is_object()) {
        Reader::within(params).members(|reader, name| {
            if name == "arguments" {
                arguments = Some(reader.skip());
            }
        });
    }
    arguments.unwrap_or(params).to_owned()
}

/// What attributes of a tool's span begin with that are not of what it was called with: of where it ran and who asked
/// for it.
#[rustfmt::skip]
const OF_THE_SPAN: &[&str] = &[
    "client.", "code.", "container.", "deployment.", "enduser.", "error.", "exception.", "faas.",
    "gcp.vertex.agent.event", "gcp.vertex.agent.invocation", "gen_ai.agent.", "gen_ai.tool.call.id",
    "gen_ai.tool.definitions", "gen_ai.tool.description", "gen_ai.tool.type", "hoc.", "host.", "http.",
    "input.mime_type", "jsonrpc.", "k8s.", "langfuse.", "langsmith.", "logfire.", "mcp.client.",
    "mcp.protocol.", "mcp.request.id", "mcp.server.", "mcp.session.", "mcp.transport", "net.", "network.",
    "openinference.", "os.", "otel.", "output.mime_type", "process.", "rpc.", "sentry.", "server.",
    "service.", "session.", "telemetry.", "thread.", "tool.description", "tool.id", "traceloop.", "user.",
    "user_agent.",
];

/// What a tool was called with by names that nobody here knows: every attribute that may be of it, under its own.
pub(super) fn by_other_names(fields: &Fields<'_>) -> Option<String> {
    let mut members = BTreeMap::new();
    for one in fields.unknown() {
        let is_of_the_span = || OF_THE_SPAN.iter().any(|of| one.key.starts_with(of));
        if let Some(value) = one.value.as_ref().filter(|value| !is_hollow(value) && !is_of_the_span()) {
            members.entry(&*one.key).or_insert(Json(value));
        }
    }
    (!members.is_empty()).then(|| serde_json::to_string(&members).ok()).flatten()
}

/// The arguments that have an attribute each, as one object. Each is told as JSON, a text in quotes; what is no JSON to
/// the door is the text that it is.
fn one_by_one(fields: &Fields<'_>) -> Option<String> {
    let mut members = BTreeMap::new();
    for one in fields.all() {
        let (Some(name), Some(value)) = (one.key.strip_prefix(ONE_ARGUMENT), &one.value) else { continue };
        let of_json = match value {
            Any::Text(text) if json_of(text).is_some() => {
                RawValue::from_string(text.clone().into_owned()).ok()
            }
            _ => None,
        };
        if let Some(value) = of_json.or_else(|| to_raw_value(&Json(value)).ok()) {
            members.entry(name).or_insert(value);
        }
    }
    (!members.is_empty()).then(|| serde_json::to_string(&members).ok()).flatten()
}

/// Whether it is the schema of arguments, or says that there are none.
fn says_nothing_of_a_call(text: &str) -> bool {
    // Most arguments are told from a schema by what they lack, and need not be read.
    if text.trim() == "{}" {
        return true;
    }
    if !["\"type\"", "\"properties\"", "\"$schema\"", "\"anyOf\"", "\"$ref\""]
        .iter()
        .any(|word| text.contains(word))
    {
        return false;
    }
    matches!(json_of(text), Some(Value::Object(members)) if is_schema(&members))
}

/// A JSON schema, one within the description of a function, or a description of each argument by its name.
fn is_schema(members: &Map<String, Value>) -> bool {
    let object = |name: &str| members.get(name).and_then(Value::as_object);
    let says = |name: &str| members.contains_key(name);
    let of_object = object("properties").is_some()
        && (says("type")
            || says("required")
            || says("title")
            || says("$schema")
            || says("additionalProperties"));
    let of_function = |name: &str| object(name).is_some_and(is_schema);
    of_object
        || says("$schema")
        || of_function("parameters")
        || of_function("function")
        || of_function("input_schema")
        || of_function("inputSchema")
        || !members.is_empty() && members.values().all(|one| one.as_object().is_some_and(describes))
}

/// `{"type": "string", "description": ".."}`, as every argument of a schema has it.
fn describes(of: &Map<String, Value>) -> bool {
    const WORDS: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "any"];
    let kind = of.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| WORDS.contains(&kind)) || of.contains_key("anyOf") || of.contains_key("$ref")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_told_from_arguments() {
        for schema in [
            r"{}",
            r#"{"type": "object", "title": "run", "properties": {"command": {"type": "string"}}, "required": ["command"]}"#,
            r#"{"properties": {}, "type": "object"}"#,
            r#"{"command": {"type": "string", "description": "what to run"}, "n": {"anyOf": []}}"#,
            r#"{"name": "run", "description": "..", "parameters": {"type": "object", "properties": {"a": {}}}}"#,
            r#"{"type": "function", "function": {"name": "run", "parameters": {"type": "object", "properties": {}}}}"#,
        ] {
            assert!(says_nothing_of_a_call(schema), "{schema}");
        }
        for arguments in [
            r#"{"command": "ls"}"#,
            r#"{"type": "string"}"#,
            r#"{"properties": {"a": 1}}"#,
            r#"{"filter": {"type": "Person"}}"#,
            r#"{"type": "object", "name": "x"}"#,
            "ls \"type\"",
        ] {
            assert!(!says_nothing_of_a_call(arguments), "{arguments}");
        }
    }
}
