//! One conversation in the three dialects, in any order and grouping, among odd neighbours and below wrappers: the same
//! steps, tokens, cost, facts and use of limits.

use models::page::PageRequest;
use orchestrator::handlers::activity;
use proof::words::LimitType;
use serde_json::{Value, json};
use testkit::{Kit, on_both};

use crate::{
    agent::Agent,
    spans::{runs, send, trace_id},
};

/// What a call is told to have been, in the words of each dialect.
#[derive(Clone, Copy)]
enum Dialect {
    OpenTelemetry,
    OpenLlmetry,
    OpenInference,
}

use Dialect::{OpenInference, OpenLlmetry, OpenTelemetry};

const ALL: [Dialect; 3] = [OpenTelemetry, OpenLlmetry, OpenInference];

type Attributes = Vec<(&'static str, Value)>;

impl Dialect {
    fn call(self, (input, cached, output): (u64, u64, u64)) -> Attributes {
        match self {
            OpenTelemetry => vec![
                ("gen_ai.operation.name", json!("chat")),
                ("gen_ai.provider.name", json!("openai")),
                ("gen_ai.request.model", json!("gpt-4o")),
                ("gen_ai.usage.input_tokens", json!(input)),
                ("gen_ai.usage.cache_read.input_tokens", json!(cached)),
                ("gen_ai.usage.output_tokens", json!(output)),
            ],
            OpenLlmetry => vec![
                ("llm.request.type", json!("chat")),
                ("gen_ai.system", json!("OpenAI")),
                ("gen_ai.request.model", json!("gpt-4o")),
                ("gen_ai.response.model", json!("gpt-4o")),
                ("gen_ai.usage.prompt_tokens", json!(input)),
                ("gen_ai.usage.cache_read_input_tokens", json!(cached)),
                ("gen_ai.usage.completion_tokens", json!(output)),
                ("llm.usage.total_tokens", json!(input + output)),
            ],
            OpenInference => vec![
                ("openinference.span.kind", json!("LLM")),
                ("llm.system", json!("openai")),
                ("llm.model_name", json!("gpt-4o")),
                ("llm.token_count.prompt", json!(input)),
                ("llm.token_count.prompt_details.cache_read", json!(cached)),
                ("llm.token_count.completion", json!(output)),
                ("llm.token_count.total", json!(input + output)),
            ],
        }
    }

    fn tool(self) -> Attributes {
        let arguments = json!(r#"{"command":"ls /srv"}"#);
        match self {
            OpenTelemetry => vec![
                ("gen_ai.operation.name", json!("execute_tool")),
                ("gen_ai.tool.name", json!("shell")),
                ("gen_ai.tool.call.arguments", arguments),
            ],
            OpenLlmetry => vec![
                ("traceloop.span.kind", json!("tool")),
                ("traceloop.entity.name", json!("shell")),
                ("traceloop.entity.input", arguments),
            ],
            OpenInference => vec![
                ("openinference.span.kind", json!("TOOL")),
                ("tool.name", json!("shell")),
                ("input.value", arguments),
            ],
        }
    }

    /// An agent that sums up.
    fn agent(self, input: u64, output: u64) -> Attributes {
        match self {
            OpenTelemetry => vec![
                ("gen_ai.operation.name", json!("invoke_agent")),
                ("gen_ai.agent.name", json!("helper")),
                ("gen_ai.usage.input_tokens", json!(input)),
                ("gen_ai.usage.output_tokens", json!(output)),
            ],
            OpenLlmetry => vec![
                ("traceloop.span.kind", json!("agent")),
                ("traceloop.entity.name", json!("helper")),
                ("gen_ai.usage.prompt_tokens", json!(input)),
                ("gen_ai.usage.completion_tokens", json!(output)),
            ],
            OpenInference => vec![
                ("openinference.span.kind", json!("AGENT")),
                ("agent.name", json!("helper")),
                ("llm.token_count.prompt", json!(input)),
                ("llm.token_count.completion", json!(output)),
            ],
        }
    }

    /// Two calls with a tool between them, below an agent; the first call is told of by two.
    fn conversation(self) -> Vec<Value> {
        vec![
            span((1, 0), self.agent(3_000, 170)),
            span((2, 1), self.call((1_000, 400, 50))),
            span((3, 2), self.call((1_000, 400, 50))),
            span((4, 1), self.tool()),
            span((5, 1), self.call((2_000, 1_500, 120))),
            // Odd neighbours.
            span((6, 1), vec![("http.request.method", json!("GET")), ("some.thing", json!(true))]),
            span((7, 99), vec![("input.value", json!("a\u{0}b"))]),
            span((8, 1), Vec::new()),
        ]
    }
}

fn span((id, parent): (u64, u64), attributes: Attributes) -> Value {
    let attributes: Vec<Value> = attributes
        .into_iter()
        .map(|(key, value)| {
            let value = match value {
                Value::String(text) => json!({ "stringValue": text }),
                Value::Bool(flag) => json!({ "boolValue": flag }),
                number => json!({ "intValue": number.to_string() }),
            };
            json!({ "key": key, "value": value })
        })
        .collect();
    let mut span = json!({ "spanId": format!("{id:016x}"), "name": "something", "attributes": attributes,
        "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042000000" });
    if parent > 0 {
        span["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    span
}

/// A shuffle, and how many go together, by a seed.
fn dealt(mut spans: Vec<Value>, seed: u64) -> Vec<Vec<Value>> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("a number") % below
    };
    for at in (1..spans.len()).rev() {
        let other = next(at + 1);
        spans.swap(at, other);
    }
    let mut groups = Vec::new();
    while !spans.is_empty() {
        let many = 1 + next(spans.len());
        groups.push(spans.drain(..many).collect());
    }
    groups
}

/// What a step is, whoever told of it.
type Step = (String, String, Option<String>, Option<String>, [u64; 4], bool, bool);

on_both! {
    async fn one_conversation_is_the_same_in_every_dialect(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        let commands = agent.rule(proof::words::EnforcementMode::Warn, "context.step.command like \"ls *\"").await;
        let mut first: Option<Vec<Step>> = None;
        let mut traces = 0;
        for seed in 0..6 {
            for dialect in ALL {
                traces += 1;
                for group in dealt(dialect.conversation(), seed) {
                    let group: Vec<Value> = group.into_iter().map(|mut span| {
                        span["traceId"] = json!(trace_id(traces));
                        span
                    }).collect();
                    assert_eq!(send(&agent, &group).await.count, 0);
                }
                let run = runs(&agent).await.remove(0);
                assert_eq!((run.input_tokens, run.output_tokens, run.llm_call_count, run.tool_call_count), (3_000, 170, 2, 1));
                assert_eq!(run.cost_nanousd, 1_100 * 2_500 + 1_900 * 1_250 + 170 * 10_000, "cached tokens for half");
                assert!(run.cost_known);
                let page = PageRequest::new(Some(200), None, false).unwrap();
                let steps = activity::steps(&kit.spine, &agent.admin, run.id, page).await.unwrap().items;
                assert_eq!(steps.len(), 8);
                let mut steps: Vec<Step> = steps.into_iter().filter(|step| matches!(step.step.record.kind.as_str(), "LLM_CALL" | "TOOL_CALL")).map(|view| {
                    let step = view.step.record;
                    (step.kind.to_string(), step.skill_name, step.model, step.params,
                        [step.input_tokens, step.output_tokens, step.cache_read_tokens, step.cost_nanousd], step.cost_known, view.counts)
                }).collect();
                steps.sort();
                // Which of the two that tell of one call came first is not the same.
                assert_eq!(steps.iter().filter(|step| step.6).count(), 3);
                match &first {
                    None => first = Some(steps),
                    Some(first) => assert_eq!(&steps, first, "{seed}"),
                }
            }
        }
        let limit: models::ids::LimitId = tokens.parse().unwrap();
        let read = kit.db.read().await.unwrap();
        let usage = read.policies().usage_of(agent.ctx.tenant.id, &[limit]).await.unwrap();
        assert_eq!(usage.iter().map(|window| window.used).sum::<u64>(), 3_170 * traces);
        let rule = orchestrator::handlers::policies::get_rule(&kit.spine, &agent.admin, commands.parse().unwrap()).await.unwrap();
        assert_eq!(rule.trigger_count_30d, traces, "the rule saw the command in each");
    }
}
