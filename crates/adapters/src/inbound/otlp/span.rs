//! One span as one step.

use std::{borrow::Cow, net::Ipv6Addr};

use orchestrator::{
    choke::call::{LlmReport, OtherSide, PartOf, TokenCounts},
    ports::{ReportedSpan, SpanAct, json_of},
};
use serde_json::{Map, Value, json};

use super::{
    arguments,
    failure::{Failure, outcome},
    field::Field,
    fields::Fields,
    messages,
    nothing::is_no_name,
    operation::{EMBEDDINGS, Operation, is_paid_as_text, operation},
    reader::raw,
    tier, usage,
    value::{MAX_INTEGER, Members, first_full, hex, object_of, whole_of},
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
    let failure = Failure::of(&fields, &events, status_code, status_message);
    let skill_name = request(operation, kind, &fields, skill(operation, &fields, name));
    let Content { params, result, untold } = content(operation, &mut fields, &events);
    let llm = match operation {
        Operation::Model(call) => Some(model_call(call, &mut fields, &events, &mut cut)),
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
            (Some(http(fields)), status)
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

/// What a server's span of a request over HTTP is named: its method first, so that the tree knows it between the two sides of
/// a tool. It is no call of whoever traces it.
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

fn provider(fields: &Fields<'_>) -> Option<String> {
    fields
        .text(Field::Provider)
        .map(|provider| provider.trim().to_ascii_lowercase())
        .filter(|provider| !provider.is_empty())
}

/// What was used, as far as a span tells it; a use that is told and cannot be read is one that is not known, and so is one
/// of which only a part is told, as what was read from a cache.
fn told_use(call: &str, fields: &Fields<'_>) -> Option<LlmReport> {
    let report = called(call, fields);
    let tells = report.input_tokens > 0 || report.output_tokens > 0 || report.cost_nanousd > Some(0);
    let unreadable = COUNTS.into_iter().chain([Field::Cost]).any(|field| fields.is_unreadable(field));
    let parts = [report.cache_read_tokens, report.cache_write_tokens, report.reasoning_tokens];
    let tells_a_part = parts.into_iter().any(|count| count > 0) || fields.has(Field::OtherTokens);
    (tells || (unreadable || tells_a_part) && report.cost_nanousd.is_none()).then_some(report)
}

/// What nobody tells of a call that names its model: that was asked, and what it used is not known.
fn untold_use(call: &str, fields: &Fields<'_>) -> Option<LlmReport> {
    let names_a_model = fields.has(Field::Model) || fields.has(Field::ModelRequested);
    let is_told = COUNTS.into_iter().chain([Field::Cost]).any(|field| fields.has(field));
    (names_a_model && !is_told).then(|| called(call, fields))
}

/// The counts that tell of a use.
const COUNTS: [Field; 9] = [
    Field::InputTokens,
    Field::OutputTokens,
    Field::TotalTokens,
    Field::CachedTokens,
    Field::WrittenTokens,
    Field::WrittenHourTokens,
    Field::WrittenMinutesTokens,
    Field::ReasoningTokens,
    Field::ToolUseTokens,
];

/// The model, its tokens and its cost, of a call of that name.
fn called(call: &str, fields: &Fields<'_>) -> LlmReport {
    let parts = || {
        let cost = fields.nano_usd(Field::InputCost)?.saturating_add(fields.nano_usd(Field::OutputCost)?);
        (cost <= MAX_INTEGER).then_some(cost)
    };
    let cost = fields.nano_usd(Field::Cost);
    let report = LlmReport {
        provider: provider(fields),
        model: fields.owned(Field::Model).or_else(|| fields.owned(Field::ModelRequested)),
        model_requested: fields.owned(Field::ModelRequested),
        cost_nanousd: cost.filter(|cost| *cost > 0).or_else(parts).or(cost),
        server_address: fields.text(Field::ServerAddress).and_then(host),
        request_id: fields.owned(Field::RequestId),
        ..LlmReport::default()
    };
    // Who tells a cost that nobody can read does not mean the book's.
    let costs = [Field::Cost, Field::InputCost, Field::OutputCost];
    let is_odd = report.cost_nanousd.is_none() && costs.into_iter().any(|cost| fields.is_unreadable(cost));
    let model = report.model.as_deref().unwrap_or_default().to_ascii_lowercase();
    let of_provider = report.provider.as_deref().is_some_and(|name| name.contains("gemini"));
    let counts = TokenCounts {
        gives_none: call == EMBEDDINGS,
        thoughts_beside: of_provider || model.contains("gemini"),
        thoughts_as_billed: fields.key(Field::ReasoningTokens).is_some_and(usage::is_beside_the_answer),
        paid_otherwise: is_odd
            || !is_paid_as_text(call)
            || fields.has(Field::OtherTokens)
            || fields.is_unreadable(Field::OtherTokens),
        // By OpenTelemetry's word for it; OpenInference has another, and always tells all that went in.
        cache_in_doubt: report.provider.as_deref() == Some("aws.bedrock"),
        ..counts(fields)
    };
    let [answer, parameters] = [Field::Output, Field::InvocationParameters].map(|field| fields.text(field));
    let paid = tier::WAYS.into_iter().fold(counts, |counts, way| {
        counts.at_tier(way.told(fields.text(way.field), answer, parameters).as_deref())
    });
    report.counted(&paid)
}

fn model_call(call: &str, fields: &mut Fields<'_>, events: &[Event<'_>], cut: &mut bool) -> LlmReport {
    let mut report = called(call, fields);
    let said = messages::of(fields, events);
    *cut |= said.cut;
    let finished = fields.first_name(Field::FinishReason).map(str::to_owned);
    report.finish_reason = finished.or(said.finish_reason).map(finish_reason);
    report.prompt = said.prompt.or_else(|| fields.take(Field::Input)).map(without_files);
    report.response = said.response.or_else(|| fields.take(Field::Output)).map(without_files);
    report
}

/// A text with marks for the files in it.
fn without_files(text: String) -> String {
    let marked = match messages::marked(&text) {
        Cow::Owned(marked) => Some(marked),
        Cow::Borrowed(_) => None,
    };
    marked.unwrap_or(text)
}

/// The tokens, as the span tells them.
fn counts(fields: &Fields<'_>) -> TokenCounts {
    let count = |field| fields.count(field).unwrap_or(0);
    let for_an_hour = count(Field::WrittenHourTokens);
    // Some tell what was written by how long it is kept, and no sum.
    let written = for_an_hour.saturating_add(count(Field::WrittenMinutesTokens));
    TokenCounts {
        input: fields.count(Field::InputTokens),
        output: fields.count(Field::OutputTokens),
        total: fields.count(Field::TotalTokens),
        cache_read: count(Field::CachedTokens),
        cache_write: count(Field::WrittenTokens).max(written),
        cache_write_hour: for_an_hour,
        reasoning: count(Field::ReasoningTokens),
        beside_input: count(Field::ToolUseTokens),
        unreadable: COUNTS.into_iter().any(|field| fields.is_unreadable(field)),
        ..TokenCounts::default()
    }
}

/// The host of an address, which may be a URL.
fn host(address: &str) -> Option<String> {
    let address = address.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // An address of IPv6 stands in brackets where a port may follow.
    let six = host.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(host, |(six, _)| six);
    if six.parse::<Ipv6Addr>().is_ok() {
        return Some(six.to_ascii_lowercase());
    }
    let host = host.split(':').next().unwrap_or_default();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (!host.is_empty() && host.len() <= 253 && host.bytes().all(is_name)).then(|| host.to_ascii_lowercase())
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

fn request_parameters(fields: &Fields<'_>) -> Option<String> {
    let mut found = Map::new();
    for one in fields.all() {
        if let (Some(name), Some(value)) = (one.key.strip_prefix("gen_ai.request."), &one.value)
            && REQUEST.contains(&name)
            && let Ok(value) = serde_json::to_value(super::value::Json(value))
        {
            found.insert(name.to_owned(), value);
        }
    }
    let invoked = fields.text(Field::InvocationParameters).and_then(json_of);
    if let Some(Value::Object(invoked)) = invoked {
        found.extend(invoked.into_iter().filter(|(name, _)| REQUEST.contains(&name.as_str())));
    }
    (!found.is_empty()).then(|| Value::Object(found).to_string())
}

fn http(fields: &Fields<'_>) -> String {
    let mut members = match object_of(fields.all()) {
        Value::Object(members) => members,
        told => Map::from_iter([("attributes".to_owned(), told)]),
    };
    let url = fields.owned(Field::Url).or_else(|| url_of_parts(fields));
    members.extend(url.map(|url| ("url".to_owned(), url.into())));
    members.extend(fields.owned(Field::HttpMethod).map(|method| ("method".to_owned(), method.into())));
    Value::Object(members).to_string()
}

/// Where a request went, which some tell in parts: a rule on hosts is to see it.
fn url_of_parts(fields: &Fields<'_>) -> Option<String> {
    let part = |keys: &[&str]| whole_of(fields.all(), keys);
    let host = fields.text(Field::ServerAddress).and_then(host)?;
    let scheme = part(&["url.scheme", "http.scheme"]).unwrap_or(Cow::Borrowed("https"));
    let path = part(&["url.path", "http.target"]).unwrap_or_default();
    let path = path.trim_start_matches('/');
    // An address of IPv6 has brackets in a URL.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("{scheme}://{host}/{path}"))
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
