//! What a span tells of a model's call: which model, what it used and cost, and what was asked and said.

use orchestrator::{
    choke::call::{LlmReport, TokenCounts},
    ports::{CallClass, holds_nothing, json_of},
};
use serde_json::{Map, Value};

use super::{
    anthropic::Answered,
    field::Field,
    fields::Fields,
    http::host,
    literal,
    messages::{self, without_files},
    operation::{EMBEDDINGS, is_paid_as_text},
    served, tier, usage,
    value::{Json, MAX_INTEGER, is_hollow_text},
    wire::Event,
};

/// What was used, as far as a span tells it; a use that is told and cannot be read is one that is not known, and so is
/// one of which only a part is told, as what was read from a cache.
pub(super) fn told_use(call: &str, fields: &Fields<'_>) -> Option<LlmReport> {
    let report = called(call, fields);
    let tells = report.input_tokens > 0 || report.output_tokens > 0 || report.cost_nanousd > Some(0);
    let unreadable = COUNTS.into_iter().chain([Field::Cost]).any(|field| fields.is_unreadable(field));
    let parts = [report.cache_read_tokens, report.cache_write_tokens, report.reasoning_tokens];
    let tells_a_part = parts.into_iter().any(|count| count > 0) || fields.has(Field::OtherTokens);
    (tells || (unreadable || tells_a_part) && report.cost_nanousd.is_none()).then_some(report)
}

/// What nobody tells of a call that names its model: that was asked, and what it used is not known.
pub(super) fn untold_use(call: &str, fields: &Fields<'_>) -> Option<LlmReport> {
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

/// Where OpenInference's counts stand.
const OPEN_INFERENCE: &str = "llm.token_count.";

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
        // OpenInference always tells all that went in.
        cache_in_doubt: fields.key(Field::InputTokens).is_none_or(|key| !key.starts_with(OPEN_INFERENCE)),
        reasoning_in_doubt: true,
        ..counts(fields)
    };
    let [answer, parameters] = [Field::Output, Field::InvocationParameters].map(|field| fields.text(field));
    let paid = tier::WAYS.into_iter().fold(counts, |counts, way| {
        counts.at_tier(way.told(fields.text(way.field), answer, parameters).as_deref())
    });
    report.counted(&paid)
}

/// The call that a span is of: what it used, and what was asked and said; and whether its messages have an answer. Some
/// of it may be cut.
pub(super) fn model_call(
    call: &str,
    fields: &mut Fields<'_>,
    events: &[Event<'_>],
    cut: &mut bool,
) -> (LlmReport, bool) {
    let mut report = called(call, fields);
    let said = messages::of(fields, events);
    let is_answered = said.is_answered || said.response.is_none() && has_text(fields);
    if is_answered && CallClass::of(call) == CallClass::Text {
        report = report.answered();
    }
    if said.is_served || fields.text(Field::Output).is_some_and(served::is_told) {
        report = report.in_doubt();
    }
    *cut |= said.cut;
    let finished = fields.first_name(Field::FinishReason).map(str::to_owned);
    report.finish_reason = finished.or(said.finish_reason).map(finish_reason);
    report.prompt = said.prompt.or_else(|| fields.take(Field::Input)).map(without_files);
    report.response = said.response.or_else(|| fields.take(Field::Output)).map(without_files);
    (report, said.is_answered)
}

/// Whether an answer is told of a call that went wrong: in its messages, or by whatever else came out, but by no word
/// for nothing and no object in which a provider says why there is none.
fn has_answer(in_messages: bool, report: &LlmReport) -> bool {
    let is_error = |text: &str| {
        let told = text.trim_start().starts_with('{').then(|| literal::object(text)).flatten();
        told.is_some_and(|told| told.get("error").is_some_and(|why| !holds_nothing(why)))
    };
    in_messages || report.response.as_deref().is_some_and(|text| !is_hollow_text(text) && !is_error(text))
}

/// A call that its provider refused: unless something is told that it used or answered, it costs nothing.
pub(super) fn free_if_unanswered(report: LlmReport, in_messages: bool, fields: &Fields<'_>) -> LlmReport {
    let LlmReport { input_tokens, output_tokens, .. } = report;
    let parts = [report.cache_read_tokens, report.cache_write_tokens, report.reasoning_tokens];
    let costs = [Field::Cost, Field::InputCost, Field::OutputCost];
    let is_unreadable = COUNTS.into_iter().chain(costs).any(|field| fields.is_unreadable(field));
    let is_used = input_tokens + output_tokens > 0 || parts.into_iter().any(|count| count > 0);
    let is_answered = has_answer(in_messages, &report) || report.request_id.is_some();
    if is_used || is_unreadable || is_answered || fields.has(Field::OtherTokens) {
        return report;
    }
    LlmReport { cost_nanousd: report.cost_nanousd.or(Some(0)), ..report }
}

/// So many tokens came out as a stream tells when it begins.
const BEGUN: u64 = 1;

/// A call of text that threw something: whether it broke, and what is known of it then. An answer that came to its end
/// says why it ended, or at least how long it was, and what was thrown before is a try that the call made again. Where
/// the length alone is told, or an answer, nobody knows which of the two it was, nor what all of it cost.
pub(super) fn having_thrown(report: LlmReport, in_messages: bool) -> (bool, LlmReport) {
    if report.finish_reason.is_some() {
        return (false, report);
    }
    let has_begun = report.output_tokens <= BEGUN;
    let is_answered = has_answer(in_messages, &report);
    let tells_use = (report.input_tokens, report.output_tokens) != (0, 0) || report.cost_nanousd > Some(0);
    let broke = has_begun && (tells_use || !is_answered);
    (broke, if has_begun && !is_answered { report } else { report.in_doubt() })
}

/// Whether what came out is a text, and no object in which a provider tells of it.
fn has_text(fields: &Fields<'_>) -> bool {
    fields
        .text(Field::Output)
        .is_some_and(|text| !is_hollow_text(text) && !text.trim_start().starts_with(['{', '[']))
}

/// Who sells the model, by the name that prices and rules know.
pub(super) fn provider(fields: &Fields<'_>) -> Option<String> {
    fields
        .text(Field::Provider)
        .map(|provider| provider.trim().to_ascii_lowercase())
        .filter(|provider| !provider.is_empty())
}

/// The tokens, as the span tells them.
fn counts(fields: &Fields<'_>) -> TokenCounts {
    let count = |field| fields.count(field).unwrap_or(0);
    // What no attribute tells of a cache, Anthropic's own answer may.
    let answered = fields.text(Field::Output).map(Answered::of).unwrap_or_default();
    let or_answered = |field, answered: u64| Some(count(field)).filter(|told| *told > 0).unwrap_or(answered);
    let for_an_hour = or_answered(Field::WrittenHourTokens, answered.for_an_hour);
    let sum = or_answered(Field::WrittenTokens, answered.written);
    // Some tell what was written by how long it is kept, and no sum.
    let written = for_an_hour.saturating_add(count(Field::WrittenMinutesTokens));
    TokenCounts {
        input: fields.count(Field::InputTokens),
        output: fields.count(Field::OutputTokens),
        total: fields.count(Field::TotalTokens).or(answered.total),
        cache_read: or_answered(Field::CachedTokens, answered.read),
        // Less than its part it contradicts that.
        cache_write: Some(sum).filter(|sum| (1..for_an_hour).contains(sum)).unwrap_or(sum.max(written)),
        cache_write_hour: for_an_hour,
        reasoning: count(Field::ReasoningTokens),
        beside_input: count(Field::ToolUseTokens),
        unreadable: COUNTS.into_iter().any(|field| fields.is_unreadable(field)),
        ..TokenCounts::default()
    }
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

/// JSON text of that.
pub(super) fn request_parameters(fields: &Fields<'_>) -> Option<String> {
    let mut found = Map::new();
    for one in fields.all() {
        if let (Some(name), Some(value)) = (one.key.strip_prefix("gen_ai.request."), &one.value)
            && REQUEST.contains(&name)
            && let Ok(value) = serde_json::to_value(Json(value))
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
