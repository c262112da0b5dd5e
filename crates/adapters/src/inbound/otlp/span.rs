//! One span as one step.

use std::borrow::Cow;

use orchestrator::{
    choke::call::{OtherSide, PartOf},
    ports::{CallClass, ReportedSpan, SpanAct},
};
use serde_json::json;

use super::{
    arguments,
    failure::{Failure, outcome},
    field::Field,
    fields::Fields,
    http,
    messages::{self, without_files},
    model::{
        free_if_unanswered, having_thrown, model_call, provider, request_parameters, told_use, untold_use,
    },
    nothing::is_no_name,
    operation::{EMBEDDINGS, Operation, operation},
    reader::raw,
    usage,
    value::{Members, first_full, hex, whole_of},
    wire::{Attribute, Event, Id, Odd, SERVER, Span},
};

/// Flags of a span that tell where its parent is: that they do, and that it is in another process.
const TELLS_OF_PARENT: u64 = 0x100;
const PARENT_IS_REMOTE: u64 = 0x200;

/// So much is kept of what should be a parent's id, in characters.
const ODD_PARENT: usize = 32;

/// The step that a span is, or why it can be none.
pub(super) fn step(span: Span<'_>, source: usize) -> Result<ReportedSpan, String> {
    let (trace_id, span_id) = ids(&span)?;
    let parent_span_id = match &span.parent_span_id {
        Id::None => None,
        Id::Is(id) => Some(hex(id)),
        // It has a parent, whichever that is: it is no root.
        Id::Odd(Odd::Bytes(bytes)) => Some(hex(&bytes[..bytes.len().min(ODD_PARENT / 2)])),
        Id::Odd(Odd::Text(text)) => Some(text.chars().take(ODD_PARENT).collect()),
    };
    let Span {
        name,
        kind,
        start_unix_nano: start,
        end_unix_nano: end,
        flags,
        mut attributes,
        mut events,
        status_code,
        status_message,
        mut cut,
        ..
    } = span;
    attributes.extend(told_by_details(&mut events));
    let mut fields = Fields::of(attributes);
    let operation = operation(&fields, kind);
    let skill_name = request(operation, kind, &fields, skill(operation, &fields, name));
    let Content { params, result, untold } = content(operation, &mut fields, &events);
    let (called, in_messages) = match operation {
        Operation::Model(call) => {
            let (report, in_messages) = model_call(call, &mut fields, &events, &mut cut);
            (Some(report), in_messages)
        }
        _ => (None, false),
    };
    let ended = called.as_ref().and_then(|report| report.finish_reason.as_deref());
    let mut failure = Failure::of(&fields, &events, (status_code, status_message), ended);
    let is_refused = failure.as_ref().is_some_and(|failure| failure.is_refusal(&fields));
    let is_text = matches!(operation, Operation::Model(call) if CallClass::of(call) == CallClass::Text);
    let llm = match operation {
        Operation::Model(_) if is_refused => {
            called.map(|report| free_if_unanswered(report, in_messages, &fields))
        }
        Operation::Model(_) if is_text && failure.is_none() => called.map(|report| {
            let Some(thrown) = Failure::thrown(&fields, &events, status_code) else { return report };
            let (broke, report) = having_thrown(report, in_messages);
            failure = Some(thrown).filter(|_| broke);
            report
        }),
        Operation::Model(_) => called,
        // Nobody knows what of a tool's tokens the calls below it tell; a cost is taken as it is.
        Operation::Tool => told_use("", &fields)
            .filter(|report| report.cost_nanousd > Some(0) || fields.is_unreadable(Field::Cost)),
        Operation::Retrieval => told_use(EMBEDDINGS, &fields).or_else(|| untold_use(EMBEDDINGS, &fields)),
        Operation::Counting => None,
        // What an agent, a chain or a guardrail used counts where nothing below it tells of it.
        Operation::Parent | Operation::Transform | Operation::Http | Operation::Other => {
            told_use("", &fields)
        }
    };
    let (code, message) = failure.map_or((None, None), |failure| (Some(failure.code), failure.message));
    let part_of = part_of(&fields);
    let remote = TELLS_OF_PARENT | PARENT_IS_REMOTE;
    let times_are_told = start > 0 && end >= start;
    Ok(ReportedSpan {
        trace_id,
        span_id,
        parent_is_remote: parent_span_id.is_some() && flags & remote == remote,
        parent_span_id,
        source,
        act: if kind == SERVER && operation == Operation::Tool {
            SpanAct::ToolServer
        } else {
            operation.act()
        },
        skill_name,
        params,
        outcome_data: outcome(result, message),
        failure: code,
        llm,
        duration_ms: if times_are_told { (end - start) / 1_000_000 } else { 0 },
        started_at: time(start),
        ended_at: time(end).filter(|_| times_are_told),
        cut,
        arguments_untold: untold,
        part_of,
        other_side: OtherSide::NotTold,
    })
}

/// What the event with a call's details says of its use, taken out of it: some say it there alone.
fn told_by_details<'b>(events: &mut [Event<'b>]) -> Vec<Attribute<'b>> {
    let details = events.iter_mut().filter(|event| event.name == messages::DETAILS);
    let told = |one: &mut Attribute<'_>| usage::count(&one.key).or_else(|| usage::cost(&one.key)).is_some();
    details.flat_map(|event| event.attributes.extract_if(.., told).collect::<Vec<_>>()).collect()
}

/// What these attributes say of whose conversation it is.
pub(super) fn part_of(fields: &Fields<'_>) -> PartOf {
    PartOf {
        conversation_id: fields.name(Field::Conversation),
        session_id: fields.name(Field::Session),
        user_id: fields.name(Field::User),
    }
}

fn time(unix_nano: u64) -> Option<chrono::DateTime<chrono::Utc>> {
    let at = i64::try_from(unix_nano / 1_000).ok().filter(|at| *at > 0)?;
    chrono::DateTime::from_timestamp_micros(at)
}

/// The JSON that went in, and what came out.
struct Content {
    params: Option<String>,
    result: Option<String>,
    /// A tool was called, and no name that is known says with what.
    untold: bool,
}

fn content(operation: Operation, fields: &mut Fields<'_>, events: &[Event<'_>]) -> Content {
    let mut untold = false;
    let (params, result) = match operation {
        Operation::Model(_) => (request_parameters(fields), None),
        Operation::Tool => {
            let said = messages::of_tool(fields, events);
            let arguments = arguments::of_tool(fields, said.arguments);
            let (result, output) = (fields.take(Field::ToolResult), fields.take(Field::Output));
            let alone = whole_of(fields.all(), &["output"]).map(Cow::into_owned);
            let result = first_full([result, output, alone, said.result]);
            untold = arguments.is_none();
            let params = arguments.map(object).or_else(|| arguments::by_other_names(fields));
            (params, result.map(without_files))
        }
        Operation::Http => {
            let status =
                fields.count(Field::HttpStatus).map(|code| json!({ "status_code": code }).to_string());
            (Some(http::request(fields)), status)
        }
        Operation::Other | Operation::Counting if !fields.has(Field::Input) => (everything(fields), None),
        // Documents have names of their own, each.
        Operation::Retrieval if has_documents(fields) => (everything(fields), fields.take(Field::Output)),
        Operation::Parent
        | Operation::Retrieval
        | Operation::Transform
        | Operation::Counting
        | Operation::Other => {
            let (input, output) = (fields.take(Field::Input), fields.take(Field::Output));
            let said = messages::of(fields, events);
            let params = first_full([input, said.prompt]).map(without_files).map(object);
            let keeps_all = matches!(operation, Operation::Retrieval | Operation::Transform);
            let params = params.or_else(|| everything(fields).filter(|_| keeps_all));
            (params, first_full([output, said.response]).map(without_files))
        }
    };
    Content { params, result, untold }
}

/// Whether documents are told, that were searched or ranked.
fn has_documents(fields: &Fields<'_>) -> bool {
    const NAMES: [&str; 4] = [
        "retrieval.documents",
        "reranker.input_documents",
        "reranker.output_documents",
        "gen_ai.retrieval.documents",
    ];
    fields.all().iter().any(|one| NAMES.iter().any(|name| one.key.starts_with(name)))
}

fn ids(span: &Span<'_>) -> Result<(String, String), String> {
    fn id<const N: usize>(name: &str, what: &str, id: &Id<'_, N>) -> Result<String, String> {
        let (given, unit, needed) = match id {
            Id::Is(id) => return Ok(hex(id)),
            Id::None => {
                return Err(format!("a span `{}`: it has no {what} id, or one of zeros", short(name)));
            }
            Id::Odd(Odd::Bytes(bytes)) => (bytes.len(), "bytes", N),
            Id::Odd(Odd::Text(text)) => (text.chars().count(), "characters", 2 * N),
        };
        let odd = if given == needed { "not hex".to_owned() } else { format!("not {needed}") };
        Err(format!("a span `{}`: the {what} id has {given} {unit}, {odd}", short(name)))
    }
    Ok((id(&span.name, "trace", &span.trace_id)?, id(&span.name, "span", &span.id)?))
}

/// Enough of a name to find the span by.
fn short(name: &str) -> &str {
    let end = name.char_indices().nth(60).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

/// The name by which rules know what was done: the same for the same act, whoever instrumented it.
fn skill(operation: Operation, fields: &Fields<'_>, name: Cow<'_, str>) -> String {
    let named = match operation {
        Operation::Model(call) => {
            return provider(fields).map_or_else(|| call.to_owned(), |provider| format!("{provider}.{call}"));
        }
        Operation::Tool => {
            let tool = fields.owned(Field::ToolName).or_else(|| fields.owned(Field::EntityName));
            let of_name = ["execute_tool ", "tools/call "].iter().find_map(|word| name.strip_prefix(word));
            tool.or_else(|| of_name.filter(|name| !is_no_name(name)).map(str::to_owned))
        }
        Operation::Parent => fields.owned(Field::AgentName).or_else(|| fields.owned(Field::EntityName)),
        Operation::Retrieval
        | Operation::Transform
        | Operation::Http
        | Operation::Counting
        | Operation::Other => None,
    };
    named
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| if name.trim().is_empty() { "span".to_owned() } else { name.into_owned() })
}

/// What a server's span of a request over HTTP is named: its method first, so that the tree knows it between the two
/// sides of a tool. It is no call of whoever traces it.
fn request(operation: Operation, kind: u64, fields: &Fields<'_>, name: String) -> String {
    let is_request = operation == Operation::Other && kind == SERVER;
    let method =
        fields.text(Field::HttpMethod).filter(|_| is_request).map(|text| text.trim().to_ascii_uppercase());
    match method {
        Some(method) if !method.is_empty() && !is_named_by(&name, &method) => {
            format!("{method} {name}")
        }
        _ => name,
    }
}

/// Some write `HTTP POST`.
fn is_named_by(name: &str, method: &str) -> bool {
    name.strip_prefix("HTTP ").unwrap_or(name).split(' ').next() == Some(method)
}

/// A span that is nothing that we know: what it says of itself is its parameters.
fn everything(fields: &Fields<'_>) -> Option<String> {
    (!fields.all().is_empty()).then(|| serde_json::to_string(&Members(fields.all())).ok()).flatten()
}

/// JSON text of an object: the text itself where it is one.
fn object(text: String) -> String {
    if text.trim_start().starts_with('{') && raw(&text).is_some() {
        return text;
    }
    json!({ "input": text }).to_string()
}
