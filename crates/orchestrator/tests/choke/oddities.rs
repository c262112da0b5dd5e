//! One conversation in each dialect as exporters really write them: counts in every spelling, nulls, odd attributes
//! beside what matters, arguments in wrappers and cut off, in groups of any size; and told of by others too, above and
//! below. It is the same run, and the same is used of limits.

use std::collections::BTreeMap;

use kit::Kit;
use models::{activity::RunFilter, page::PageRequest, policies::LimitFilter};
use orchestrator::{
    handlers::{activity, policies},
    ports::SpanEncoding,
};
use proof::words::{EnforcementMode, LimitType};
use serde_json::{Value, json};
use testkit::on_both;

use crate::{agent::Agent, spans::trace_id};

/// How many conversations are sent in each dialect.
const ROUNDS: u64 = 6;

/// What is drawn next: the same for each seed, so that what fails can be played again.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }

    fn shuffled(&mut self, list: &mut [Value]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "they are called that")]
enum Dialect {
    OpenTelemetry,
    OpenLlmetry,
    OpenInference,
}

const DIALECTS: [Dialect; 3] = [Dialect::OpenTelemetry, Dialect::OpenLlmetry, Dialect::OpenInference];

/// Attributes that say nothing, and must cost nobody anything.
fn odd() -> Vec<Value> {
    vec![
        json!(null),
        json!("an attribute"),
        json!({ "key": "score", "value": { "doubleValue": "NaN" } }),
        json!({ "key": "gen_ai.response.model", "value": { "stringValue": " " } }),
        json!({ "key": "gen_ai.usage.total_tokens", "value": { "stringValue": "" } }),
        json!({ "key": "a\0b", "value": { "stringValue": "\0" } }),
        json!({ "key": "odd", "value": { "arrayValue": { "values": [null, { "later": 1 }] } } }),
        json!({ "key": "odd", "value": 5 }),
        json!({ "key": null, "value": { "bytesValue": "!" } }),
        json!({ "key": "tool.name", "value": { "intValue": "7" } }),
    ]
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// A count in one of the ways in which exporters write one.
fn count(draw: &mut Draw, key: &str, count: u64) -> Value {
    let value = match draw.below(4) {
        0 => json!({ "intValue": count }),
        1 => json!({ "intValue": count.to_string() }),
        2 => json!({ "doubleValue": format!("{count}.0") }),
        _ => json!({ "stringValue": count.to_string() }),
    };
    json!({ "key": key, "value": value })
}

fn call(
    draw: &mut Draw,
    dialect: Dialect,
    (input, output, read, written): (u64, u64, u64, u64),
) -> Vec<Value> {
    let names = match dialect {
        Dialect::OpenTelemetry => [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "gen_ai.request.model"),
            ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
            ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        ],
        Dialect::OpenLlmetry => [
            ("llm.request.type", "chat"),
            ("gen_ai.system", "gen_ai.request.model"),
            ("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
            ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
        ],
        Dialect::OpenInference => [
            ("openinference.span.kind", "LLM"),
            ("llm.provider", "llm.model_name"),
            ("llm.token_count.prompt", "llm.token_count.completion"),
            ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_write"),
        ],
    };
    let [(kind, word), (provider, model), (of_input, of_output), (of_read, of_written)] = names;
    // What was read from a cache may be told among the details that the provider answered, as they came.
    let (details, cached) = match dialect {
        Dialect::OpenTelemetry => ("gen_ai.usage.input_tokens_details", "cached_tokens"),
        Dialect::OpenLlmetry => ("gen_ai.usage.prompt_tokens_details", "cached_tokens"),
        Dialect::OpenInference => ("llm.token_count.prompt_details", "cache_read"),
    };
    let told_read = match draw.below(3) {
        0 => text(details, &json!({ cached: read, "audio_tokens": 0 }).to_string()),
        1 => {
            let value = json!({ "kvlistValue": { "values": [count(draw, cached, read)] } });
            json!({ "key": details, "value": value })
        }
        _ => count(draw, of_read, read),
    };
    vec![
        text(kind, word),
        text(provider, "anthropic"),
        text(model, "claude-sonnet-4-5-20250929"),
        count(draw, of_input, input),
        count(draw, of_output, output),
        told_read,
        count(draw, of_written, written),
    ]
}

fn tool(draw: &mut Draw, dialect: Dialect) -> Vec<Value> {
    let arguments = json!({ "command": "rm -rf /srv", "timeout": 5 });
    let wrapped = match draw.below(6) {
        0 => arguments.to_string(),
        1 => json!(arguments.to_string()).to_string(),
        2 => json!({ "args": [], "kwargs": arguments }).to_string(),
        3 => json!({ "tool_name": "run_shell", "arguments": arguments.to_string() }).to_string(),
        4 => r#"{"command": "rm -rf /srv", "timeout": 1e400}"#.to_owned(),
        _ => r#"{"command": "rm -rf /srv", "timeout": 5, "more": "cut o"#.to_owned(),
    };
    match dialect {
        Dialect::OpenTelemetry => vec![
            text("gen_ai.operation.name", "execute_tool"),
            text("gen_ai.tool.name", "run_shell"),
            text("gen_ai.tool.call.arguments", &wrapped),
        ],
        Dialect::OpenLlmetry => vec![
            text("traceloop.span.kind", "tool"),
            text("traceloop.entity.name", "run_shell"),
            text("traceloop.entity.input", &wrapped),
        ],
        Dialect::OpenInference => vec![
            text("openinference.span.kind", "TOOL"),
            text("tool.name", "run_shell"),
            text("tool.parameters", r#"{"type": "object", "properties": {"command": {"type": "string"}}}"#),
            text("input.value", &wrapped),
        ],
    }
}

/// A span that is drawn: its parent's number, its kind and its attributes. Its own number is its place, from 1.
type Drawn = (usize, u64, Vec<Value>);

/// What the two calls of a conversation used.
const CALLS: [(u64, u64, u64, u64); 2] = [(1_200, 100, 1_000, 0), (12_307, 550, 0, 12_304)];

/// Spans of others that tell of the same: an agent that sums all of it up; a second instrumentation over a call, which
/// may know half of it, and one below it that knows half of it, its beginning or nothing; the server's side of the
/// tool, with requests over HTTP between or not.
fn told_again(draw: &mut Draw, spans: &mut Vec<Drawn>) {
    if draw.below(2) == 0 {
        let mut sum = vec![text("gen_ai.operation.name", "invoke_agent")];
        sum.push(count(draw, "gen_ai.usage.input_tokens", 13_507));
        sum.push(count(draw, "gen_ai.usage.output_tokens", 650));
        spans.push((1, 1, sum));
        let agent = spans.len();
        for part in &mut spans[1..4] {
            part.0 = agent;
        }
    }
    for (at, used) in [1, 3].into_iter().zip(CALLS) {
        let dialects = [0; 3].map(|_| DIALECTS[draw.below(3)]);
        if draw.below(2) == 0 {
            let mut outer = call(draw, dialects[0], used);
            // All of it, or one side alone.
            let untold = draw.below(3);
            if untold > 0 {
                outer.remove(2 + untold);
            }
            spans.push((spans[at].0, 1, outer));
            if draw.below(2) == 0 {
                spans.push((spans.len(), 1, vec![text("openinference.span.kind", "CHAIN")]));
            }
            spans[at].0 = spans.len();
        }
        // Without what came out; of a stream whose end nobody saw; of one without usage.
        let mut begun = call(draw, dialects[1], used);
        begun[4]["value"] = json!({ "intValue": "0" });
        let mut half = call(draw, dialects[1], used);
        half.remove(4);
        let mut silent = call(draw, dialects[2], used);
        silent.truncate(3);
        for inner in [half, begun, silent] {
            if draw.below(2) == 0 {
                spans.push((at + 1, 3, inner));
            }
        }
    }
    if draw.below(2) == 0 {
        let mut above = 3;
        for kind in [3, 2] {
            if draw.below(2) == 0 {
                let request = [("http.request.method", "POST"), ("url.full", "https://mcp.example/mcp")];
                spans.push((above, kind, request.map(|(key, value)| text(key, value)).to_vec()));
                above = spans.len();
            }
        }
        let dialect = DIALECTS[draw.below(3)];
        let server = tool(draw, dialect);
        spans.push((above, 2, server));
    }
}

/// An agent, two calls of which one read from the cache and one wrote to it, and a tool; and what others tell of them.
fn conversation(draw: &mut Draw, dialect: Dialect, trace: u64) -> Vec<Value> {
    let agent = match dialect {
        Dialect::OpenTelemetry => text("gen_ai.operation.name", "invoke_agent"),
        Dialect::OpenLlmetry => text("traceloop.span.kind", "agent"),
        Dialect::OpenInference => text("openinference.span.kind", "AGENT"),
    };
    let mut all = vec![
        (0, 1, vec![agent]),
        (1, 1, call(draw, dialect, CALLS[0])),
        (1, 1, tool(draw, dialect)),
        (1, 1, call(draw, dialect, CALLS[1])),
    ];
    told_again(draw, &mut all);
    let span = |(at, (parent, kind, mut attributes)): (usize, Drawn)| {
        let odd = odd();
        for _ in 0..draw.below(4) {
            let place = draw.below(attributes.len() + 1);
            attributes.insert(place, odd[draw.below(odd.len())].clone());
        }
        let mut span = json!({ "traceId": trace_id(trace), "spanId": format!("{:016x}", at + 1), "name": "a span", "kind": kind,
            "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042000000", "attributes": attributes });
        let nothing = ["events", "links", "status", "traceState"][draw.below(4)];
        span[nothing] = Value::Null;
        if parent > 0 {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    };
    all.into_iter().enumerate().map(span).collect()
}

/// Sends spans in groups of any size, in any order, each with a resource that has an odd neighbour.
async fn send(draw: &mut Draw, agent: &Agent<'_>, mut all: Vec<Value>) {
    draw.shuffled(&mut all);
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let (some, left) = rest.split_at(draw.below(rest.len()) + 1);
        rest = left;
        let odd = odd();
        let attributes = json!([odd[draw.below(odd.len())], text("service.name", "weather")]);
        let body = json!({ "resourceSpans": [{ "resource": { "attributes": attributes }, "scopeSpans": [{ "spans": some }] }] });
        let bytes = body.to_string().into_bytes();
        let taken = activity::ingest(&agent.kit.spine, &agent.ctx, SpanEncoding::Json, &bytes).await.unwrap();
        assert_eq!(taken.rejected.count, 0, "{:?}", taken.rejected);
    }
}

/// What is to be the same: the steps of the conversation by their spans, with what fired; and the run's totals.
#[derive(Debug, PartialEq)]
struct Told {
    steps: BTreeMap<String, String>,
    run: String,
    used: Vec<u64>,
}

async fn used(agent: &Agent<'_>) -> Vec<u64> {
    let page = PageRequest::new(Some(200), None, false).unwrap();
    let limits =
        policies::list_limits(&agent.kit.spine, &agent.admin, LimitFilter::default(), page).await.unwrap();
    limits.items.iter().map(|limit| limit.used.unwrap_or_default()).collect()
}

async fn told(agent: &Agent<'_>, trace: u64, before: &[u64]) -> Told {
    let page = || PageRequest::new(Some(200), None, false).unwrap();
    let spine = &agent.kit.spine;
    let runs = activity::list(spine, &agent.admin, RunFilter::default(), page()).await.unwrap().items;
    let run =
        runs.into_iter().find(|run| run.external_trace_id.as_deref() == Some(&trace_id(trace))).unwrap();
    let steps = activity::steps(spine, &agent.admin, run.id, page()).await.unwrap().items;
    let step = |view: activity::StepView| {
        let record = &view.step.record;
        let fired: Vec<_> = view.fired.iter().flatten().map(|one| one.policy_id.clone()).collect();
        let told = format!(
            "{} {} {} {} {}+{} ({} read, {} written) {} {} {fired:?}",
            record.kind,
            record.skill_name,
            record.provider.as_deref().unwrap_or("-"),
            record.model.as_deref().unwrap_or("-"),
            record.input_tokens,
            record.output_tokens,
            record.cache_read_tokens,
            record.cache_write_tokens,
            record.cost_nanousd,
            record.cost_known
        );
        (record.external_span_id.clone().unwrap_or_default(), told)
    };
    // What others tell of it comes behind these four.
    let is_own = |(span, _): &(String, String)| span.as_str() <= "0000000000000004";
    Told {
        steps: steps.into_iter().map(step).filter(is_own).collect(),
        run: format!(
            "{} {} calls, {} tools, {}+{}, {} {}",
            run.agent_id,
            run.llm_call_count,
            run.tool_call_count,
            run.input_tokens,
            run.output_tokens,
            run.cost_nanousd,
            run.cost_known
        ),
        used: used(agent).await.iter().zip(before).map(|(now, before)| now - before).collect(),
    }
}

on_both! {
    async fn what_exporters_write_oddly_is_the_same_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, "context.step.command like \"*rm -rf*\"").await;
        agent.rule(EnforcementMode::Warn, "context.step.cache_write_tokens > 0").await;
        agent.limit(LimitType::TokensTotal, 1_000_000_000).await;
        agent.limit(LimitType::CostUsd, 1_000_000_000).await;
        agent.limit(LimitType::ToolCalls, 1_000_000).await;
        let mut first: Option<Told> = None;
        for seed in 0..ROUNDS {
            for (at, dialect) in DIALECTS.into_iter().enumerate() {
                let trace = seed * 3 + at as u64;
                let mut draw = Draw(trace.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
                let before = used(&agent).await;
                let spans = conversation(&mut draw, dialect, trace);
                send(&mut draw, &agent, spans).await;
                let told = told(&agent, trace, &before).await;
                if first.is_none() {
                    // 200 at the full price, 1,000 read and 100 out; 3 at the full price, 12,304 written and 550 out.
                    let cost = (200 * 3_000 + 1_000 * 300 + 100 * 15_000) + (3 * 3_000 + 12_304 * 3_750 + 550 * 15_000);
                    assert_eq!(told.run, format!("weather 2 calls, 1 tools, 13507+650, {cost} true"));
                    assert_eq!(told.steps.values().filter(|step| !step.ends_with("[]")).count(), 2, "{told:?}");
                }
                let expected = first.get_or_insert_with(|| Told { steps: told.steps.clone(), run: told.run.clone(), used: told.used.clone() });
                assert_eq!(&told, expected, "{dialect:?}, round {seed}");
            }
        }
    }
}
