//! One span as one step.

use opentelemetry_proto::tonic::trace::v1::{Span, span::Event, status::StatusCode};
use orchestrator::{
    choke::call::{LlmReport, TokenCounts},
    ports::ReportedSpan,
};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    fields::{Field, Fields},
    messages,
    operation::{Operation, operation},
    value::{MAX_INTEGER, Members, any_nul, hex},
};

/// The step that a span is, or why it can be none.
pub(super) fn step(span: Span, source: usize) -> Result<ReportedSpan, String> {
    let (trace_id, span_id) = ids(&span)?;
    let parent_span_id = match span.parent_span_id.as_slice() {
        id if id.iter().all(|byte| *byte == 0) => None,
        id if id.len() == 8 => Some(hex(id)),
        id => return Err(format!("span {span_id}: the parent's id has {} bytes, not 8", id.len())),
    };
    if nul(&span) {
        return Err(format!("span {span_id}: a text contains U+0000"));
    }
    let Span {
        name,
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes,
        events,
        status,
        ..
    } = span;
    let mut fields = Fields::of(attributes);
    let operation = operation(&fields, kind);
    let failed = status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32);
    let message = status.map(|status| status.message).filter(|text| !text.is_empty());
    let failure = failed.then(|| Failure::of(&fields, &events, message));
    let skill_name = skill(operation, &fields, name);
    let (params, mut outcome_data) = content(operation, &mut fields);
    let llm = match operation {
        Operation::Model(_) => Some(model_call(&mut fields, &events)),
        // What an agent or a chain sums up counts where nothing below it tells of it.
        Operation::Parent => told_use(&fields),
        _ => None,
    };
    let code = failure.as_ref().map(|failure| failure.code.clone());
    if let Some(message) = failure.and_then(|failure| failure.message) {
        outcome_data = Some(json!({ "error": message }).to_string());
    }
    Ok(ReportedSpan {
        trace_id,
        span_id,
        parent_span_id,
        source,
        act: operation.act(),
        skill_name,
        params,
        outcome_data,
        failure: code,
        llm,
        duration_ms: end.saturating_sub(start) / 1_000_000,
        started_at: i64::try_from(start / 1_000)
            .ok()
            .filter(|at| *at > 0)
            .and_then(chrono::DateTime::from_timestamp_micros),
    })
}

/// The JSON that went in and came out.
fn content(operation: Operation, fields: &mut Fields) -> (Option<String>, Option<String>) {
    match operation {
        Operation::Model(_) => (request_parameters(fields), None),
        Operation::Tool => {
            let arguments = fields.take(Field::ToolArguments).or_else(|| fields.take(Field::Input));
            let result = fields.take(Field::ToolResult).or_else(|| fields.take(Field::Output));
            (arguments.map(object), result.map(any))
        }
        Operation::Http => {
            let status =
                fields.count(Field::HttpStatus).map(|code| json!({ "status_code": code }).to_string());
            (Some(http(fields)), status)
        }
        Operation::Other if !fields.has(Field::Input) => (everything(fields), None),
        Operation::Parent | Operation::Retrieval | Operation::Transform | Operation::Other => {
            (fields.take(Field::Input).map(object), fields.take(Field::Output).map(any))
        }
    }
}

fn ids(span: &Span) -> Result<(String, String), String> {
    let id = |what: &str, bytes: &[u8], length: usize| {
        if bytes.len() != length {
            return Err(format!(
                "a span `{}`: the {what} id has {} bytes, not {length}",
                short(&span.name),
                bytes.len()
            ));
        }
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(format!("a span `{}`: the {what} id is zero", short(&span.name)));
        }
        Ok(hex(bytes))
    };
    Ok((id("trace", &span.trace_id, 16)?, id("span", &span.span_id, 8)?))
}

/// Enough of a name to find the span by.
fn short(name: &str) -> &str {
    let end = name.char_indices().nth(60).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

fn nul(span: &Span) -> bool {
    let status = span.status.as_ref().is_some_and(|status| status.message.contains('\0'));
    status
        || span.name.contains('\0')
        || any_nul(&span.attributes)
        || span.events.iter().any(|event| any_nul(&event.attributes))
}

/// The name by which rules know what was done: the same for the same act, whoever instrumented it.
fn skill(operation: Operation, fields: &Fields, name: String) -> String {
    let named = match operation {
        Operation::Model(call) => {
            return provider(fields).map_or_else(|| call.to_owned(), |provider| format!("{provider}.{call}"));
        }
        Operation::Tool => {
            let tool = fields.owned(Field::ToolName).or_else(|| fields.owned(Field::EntityName));
            tool.or_else(|| name.strip_prefix("execute_tool ").map(str::to_owned))
        }
        Operation::Parent => fields.owned(Field::AgentName).or_else(|| fields.owned(Field::EntityName)),
        Operation::Retrieval | Operation::Transform | Operation::Http | Operation::Other => None,
    };
    named
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| if name.trim().is_empty() { "span".to_owned() } else { name })
}

fn provider(fields: &Fields) -> Option<String> {
    fields
        .text(Field::Provider)
        .map(|provider| provider.trim().to_ascii_lowercase())
        .filter(|provider| !provider.is_empty())
}

/// What was used, as far as a span tells it.
fn told_use(fields: &Fields) -> Option<LlmReport> {
    let report = called(fields);
    let tells = report.input_tokens > 0 || report.output_tokens > 0 || report.cost_nanousd > Some(0);
    tells.then_some(report)
}

/// The model, its tokens and its cost.
fn called(fields: &Fields) -> LlmReport {
    let counts = TokenCounts {
        input: fields.count(Field::InputTokens),
        output: fields.count(Field::OutputTokens),
        total: fields.count(Field::TotalTokens),
        cache_read: fields.count(Field::CachedTokens).unwrap_or(0),
        reasoning: fields.count(Field::ReasoningTokens).unwrap_or(0),
        ..TokenCounts::default()
    };
    let parts = || {
        let cost = fields.nano_usd(Field::InputCost)?.saturating_add(fields.nano_usd(Field::OutputCost)?);
        (cost <= MAX_INTEGER).then_some(cost)
    };
    let report = LlmReport {
        provider: provider(fields),
        model: fields.owned(Field::Model).or_else(|| fields.owned(Field::ModelRequested)),
        model_requested: fields.owned(Field::ModelRequested),
        cost_nanousd: fields.nano_usd(Field::Cost).or_else(parts),
        request_id: fields.owned(Field::RequestId),
        ..LlmReport::default()
    };
    report.counted(&counts)
}

fn model_call(fields: &mut Fields, events: &[Event]) -> LlmReport {
    let mut report = called(fields);
    let said = messages::of(fields, events);
    let finished = fields.first_text(Field::FinishReason).map(str::to_owned);
    report.finish_reason = finished.or(said.finish_reason).map(finish_reason);
    report.prompt = said.prompt.or_else(|| fields.take(Field::Input));
    report.response = said.response.or_else(|| fields.take(Field::Output));
    report
}

/// One word where dialects differ by a letter.
fn finish_reason(word: String) -> String {
    if word == "tool_call" { "tool_calls".to_owned() } else { word }
}

/// What a model call asked for beside its prompt, by the names that OpenTelemetry gives them.
const REQUEST: [&str; 8] = [
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop_sequences",
];

fn request_parameters(fields: &Fields) -> Option<String> {
    let mut found = Map::new();
    for one in fields.all() {
        if let (Some(name), Some(value)) = (one.key.strip_prefix("gen_ai.request."), &one.value)
            && REQUEST.contains(&name)
            && let Ok(value) = serde_json::to_value(super::value::Json(value))
        {
            found.insert(name.to_owned(), value);
        }
    }
    let invoked = fields.text(Field::InvocationParameters).and_then(|text| serde_json::from_str(text).ok());
    if let Some(Value::Object(invoked)) = invoked {
        found.extend(invoked.into_iter().filter(|(name, _)| REQUEST.contains(&name.as_str())));
    }
    (!found.is_empty()).then(|| Value::Object(found).to_string())
}

fn http(fields: &Fields) -> String {
    let mut params = serde_json::to_value(Members(fields.all())).unwrap_or_default();
    if let Value::Object(members) = &mut params {
        members.extend(fields.owned(Field::Url).map(|url| ("url".to_owned(), url.into())));
        members.extend(fields.owned(Field::HttpMethod).map(|method| ("method".to_owned(), method.into())));
    }
    params.to_string()
}

/// A span that is nothing that we know: what it says of itself is its parameters.
fn everything(fields: &Fields) -> Option<String> {
    (!fields.all().is_empty()).then(|| serde_json::to_string(&Members(fields.all())).ok()).flatten()
}

/// JSON text of an object: the text itself where it is one.
fn object(text: String) -> String {
    if text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(&text).is_ok() {
        return text;
    }
    json!({ "input": text }).to_string()
}

/// JSON text: the text itself where it is JSON that has a structure.
fn any(text: String) -> String {
    if text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(&text).is_ok() {
        return text;
    }
    json!({ "output": text }).to_string()
}

/// Why a span failed.
struct Failure {
    code: String,
    message: Option<String>,
}

impl Failure {
    fn of(fields: &Fields, events: &[Event], message: Option<String>) -> Self {
        let thrown = events.iter().find(|event| event.name == "exception");
        let of_exception = |key: &str| {
            let attribute = thrown?.attributes.iter().find(|one| one.key == key)?;
            super::value::text(attribute.value.as_ref()?).map(str::to_owned)
        };
        let code = fields.owned(Field::ErrorType).or_else(|| of_exception("exception.type"));
        Self {
            code: code.unwrap_or_else(|| "ERROR".to_owned()),
            message: message.or_else(|| of_exception("exception.message")),
        }
    }
}
