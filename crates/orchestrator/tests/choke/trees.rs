//! Each call of a trace counts once: in its run, in limits, in costs and in its bundle, however its spans come.

use chrono::Duration;
use kit::{Kit, limit};
use models::{activity::Run, ids::LimitId, policies::LimitDraft};
use orchestrator::{background::sweeper, handlers::overview};
use proof::words::{EnforcementMode, LimitType, ResetPeriod};
use serde_json::{Value, json};
use testkit::on_both;
use verify::Word;

use crate::{
    agent::Agent,
    spans::{runs, send, trace_id},
};

/// A span of a conversation: its number, its parent's, its attributes.
pub(crate) fn span(trace: u64, (id, parent): (u64, u64), attributes: &[(&str, Value)]) -> Value {
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::String(text) => json!({ "stringValue": text }),
                Value::Number(number) if number.is_u64() => json!({ "intValue": number.to_string() }),
                other => json!({ "doubleValue": other }),
            };
            json!({ "key": key, "value": value })
        })
        .collect();
    let mut span = json!({ "traceId": trace_id(trace), "spanId": format!("{id:016x}"), "name": "a span",
        "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042000000", "attributes": attributes });
    if parent > 0 {
        span["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    span
}

pub(crate) fn usage(operation: &str, input: u64, output: u64) -> Vec<(&'static str, Value)> {
    vec![
        ("gen_ai.operation.name", json!(operation)),
        ("gen_ai.provider.name", json!("openai")),
        ("gen_ai.request.model", json!("gpt-4o")),
        ("gen_ai.usage.input_tokens", json!(input)),
        ("gen_ai.usage.output_tokens", json!(output)),
    ]
}

pub(crate) fn tool(name: &str) -> Vec<(&'static str, Value)> {
    vec![("gen_ai.operation.name", json!("execute_tool")), ("gen_ai.tool.name", json!(name))]
}

/// One side of a tool's call, of a client or of a server, that tells what the call costs.
fn side(trace: u64, at: (u64, u64), kind: u64) -> Value {
    let mut told = tool("search");
    told.push(("llm.cost.total", json!(0.001)));
    let mut span = span(trace, at, &told);
    span["kind"] = json!(kind);
    span
}

/// An agent that sums up; a call that two instrumentations tell of, with a chain between; a tool of which both its
/// sides tell a cost, and a call that it makes. Two calls of 100 and 200 tokens in, 10 and 20 out, and one tool call.
fn conversation(trace: u64) -> Vec<Value> {
    vec![
        span(trace, (1, 0), &usage("invoke_agent", 300, 30)),
        span(trace, (2, 1), &usage("chat", 100, 10)),
        span(trace, (3, 2), &[("openinference.span.kind", json!("CHAIN"))]),
        span(trace, (4, 3), &usage("chat", 100, 10)),
        side(trace, (5, 1), 3),
        side(trace, (6, 5), 2),
        span(trace, (7, 6), &usage("chat", 200, 20)),
    ]
}

/// What 300 tokens in and 30 out of gpt-4o cost, and the tool, in nano-USD.
const COST: u64 = 300 * 2_500 + 30 * 10_000 + 1_000_000;

/// Every order that turns a list by some places, and each of them backwards.
fn orders(spans: &[Value]) -> Vec<Vec<Value>> {
    let turned = (0..spans.len()).map(|by| [&spans[by..], &spans[..by]].concat());
    turned.flat_map(|order| [order.clone(), order.into_iter().rev().collect()]).collect()
}

fn counted(run: &Run) -> (u64, u64, u64, u64, u64, bool) {
    let Run { input_tokens, output_tokens, cost_nanousd, llm_call_count, tool_call_count, .. } = run;
    (*input_tokens, *output_tokens, *cost_nanousd, *llm_call_count, *tool_call_count, run.cost_known)
}

const ONCE: (u64, u64, u64, u64, u64, bool) = (300, 30, COST, 2, 1, true);

/// What is used of a limit, over all windows.
pub(crate) async fn used(agent: &Agent<'_>, limit: &str) -> u64 {
    let limit: LimitId = limit.parse().unwrap();
    let read = agent.kit.db.read().await.unwrap();
    let usage = read.policies().usage_of(agent.ctx.tenant.id, &[limit]).await.unwrap();
    usage.iter().map(|window| window.used).sum()
}

on_both! {
    async fn each_call_counts_once_in_any_order_and_grouping(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        let cost = agent.limit(LimitType::CostUsd, 10_000_000).await;
        let calls = agent.limit(LimitType::ToolCalls, 10_000_000).await;
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let mut traces = 0;
        for (n, order) in orders(&conversation(0)).into_iter().enumerate() {
            // All at once; one by one; one by one at two replicas.
            for way in 0..3_usize {
                if way > 0 && n % 4 != 0 {
                    continue;
                }
                traces += 1;
                let spans: Vec<Value> = order.iter().cloned().map(|mut span| {
                    span["traceId"] = json!(trace_id(traces));
                    span
                }).collect();
                if way == 0 {
                    send(&agent, &spans).await;
                } else {
                    for (at, span) in spans.iter().enumerate() {
                        send(if way == 2 && at % 2 == 1 { &other } else { &agent }, std::slice::from_ref(span)).await;
                    }
                }
                let run = &runs(&agent).await[0];
                assert_eq!(counted(run), ONCE, "{way}: {:?}", order.iter().map(|span| &span["spanId"]).collect::<Vec<_>>());
                // What was sent in a body is known when it comes again by itself.
                let server = spans.iter().find(|span| span["kind"] == 2).unwrap();
                assert_eq!(send(&agent, std::slice::from_ref(server)).await.count, 0, "{way}");
                assert_eq!(counted(&runs(&agent).await[0]), ONCE);
            }
        }
        assert_eq!(used(&agent, &tokens).await, 330 * traces);
        assert_eq!(used(&agent, &cost).await, COST * traces);
        assert_eq!(used(&agent, &calls).await, traces);
        let costs = overview::costs(&kit.spine, &agent.admin, None, None).await.unwrap();
        assert_eq!((costs.spent.cost_nanousd, costs.spent.input_tokens), (COST * traces, 300 * traces));
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        for run in runs(&agent).await.iter().take(12) {
            assert_eq!(counted(run), ONCE);
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// The inner one of two spans of a call may know less: a stream that tells no input.
    async fn the_side_of_a_call_that_tells_all_of_it_counts(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        let cost = agent.limit(LimitType::CostUsd, 10_000_000).await;
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let mut half = usage("chat", 0, 10);
        half.retain(|(name, _)| *name != "gen_ai.usage.input_tokens");
        let chain = [("openinference.span.kind", json!("CHAIN"))];
        let call = [span(0, (1, 0), &usage("chat", 100, 10)), span(0, (2, 1), &chain), span(0, (3, 2), &half)];
        let of_one = 100 * 2_500 + 10 * 10_000;
        let mut traces = 0;
        for order in orders(&call) {
            for at_once in [true, false] {
                traces += 1;
                let spans: Vec<Value> = order.iter().cloned().map(|mut span| {
                    span["traceId"] = json!(trace_id(traces));
                    span
                }).collect();
                if at_once {
                    send(&agent, &spans).await;
                } else {
                    for (at, span) in spans.iter().enumerate() {
                        send(if at % 2 == 1 { &other } else { &agent }, std::slice::from_ref(span)).await;
                    }
                }
                let run = &runs(&agent).await[0];
                assert_eq!(counted(run), (100, 10, of_one, 1, 0, true), "{at_once} {order:?}");
            }
        }
        assert_eq!(used(&agent, &tokens).await, 110 * traces);
        assert_eq!(used(&agent, &cost).await, of_one * traces);
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        for run in runs(&agent).await {
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// A cache, a guard, a reranker within a call are calls of their own, and so they are below an agent.
    async fn another_call_within_a_call_takes_nothing_away(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let of = |operation, model: &str, input, output| {
            let mut told = usage(operation, input, output);
            told[2].1 = json!(model);
            told
        };
        let embedding = of("embeddings", "text-embedding-3-small", 10, 0);
        let guard = of("chat", "gpt-4o-mini-2024-07-18", 50, 1);
        let judge = usage("chat", 50, 5);
        let reranker = vec![("openinference.span.kind", json!("RERANKER")), ("llm.cost.total", json!(0.002))];
        let mut priced = tool("search");
        priced.push(("llm.cost.total", json!(0.002)));
        // What 1,000 tokens in and 100 out cost of gpt-4o, and what is below.
        let own = 1_000 * 2_500 + 100 * 10_000;
        let cases = [
            (usage("chat", 1_000, 100), &embedding, (1_010, 100, own + 200, 2, 0, true)),
            (usage("chat", 1_000, 100), &guard, (1_050, 101, own + 8_100, 2, 0, true)),
            (usage("chat", 1_000, 100), &judge, (1_050, 105, own + 175_000, 2, 0, true)),
            (usage("invoke_agent", 1_000, 100), &guard, (1_050, 101, own + 8_100, 1, 0, true)),
            (usage("chat", 1_000, 100), &reranker, (1_000, 100, own + 2_000_000, 1, 0, true)),
            (usage("invoke_agent", 1_000, 100), &embedding, (1_010, 100, own + 200, 1, 0, true)),
            (usage("invoke_agent", 1_000, 100), &priced, (1_000, 100, own + 2_000_000, 0, 1, true)),
            // Ten tokens are no part of a thousand that one of two spans of a call would tell.
            (usage("embeddings", 1_000, 0), &embedding, (1_010, 0, 20_200, 2, 0, true)),
        ];
        let (mut traces, mut due) = (0, 0);
        for (above, below, right) in &cases {
            for order in [[0, 1], [1, 0]] {
                for at_once in [true, false] {
                    traces += 1;
                    let mut above = above.clone();
                    if above[0].1 == "embeddings" {
                        above[2].1 = json!("text-embedding-3-small");
                    }
                    let both = [span(traces, (1, 0), &above), span(traces, (2, 1), below)];
                    let sent = order.map(|at: usize| both[at].clone());
                    if at_once {
                        send(&agent, &sent).await;
                    } else {
                        send(&agent, &sent[..1]).await;
                        send(&other, &sent[1..]).await;
                    }
                    let run = &runs(&agent).await[0];
                    assert_eq!(counted(run), *right, "{at_once} {order:?} {below:?}");
                    due += right.0 + right.1;
                }
            }
        }
        assert_eq!(used(&agent, &tokens).await, due);
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        for run in runs(&agent).await {
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// A stream without usage, told by two instrumentations.
    async fn a_call_of_which_nobody_tells_a_use_is_one(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let call = |trace, at| span(trace, at, &usage("chat", 0, 0)[..3]);
        for (trace, order) in [(1, [0, 1]), (2, [1, 0])] {
            let both = [call(trace, (1, 9)), call(trace, (2, 1))];
            for at in order {
                send(&agent, &both[at..=at]).await;
            }
            let run = &runs(&agent).await[0];
            assert_eq!((run.llm_call_count, run.cost_known), (1, false), "{order:?}");
        }
    }

    async fn an_agent_that_nobody_else_tells_of_counts(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut told = usage("invoke_agent", 5_000, 700);
        told.push(("llm.cost.total", json!(0.1234)));
        send(&agent, &[span(1, (1, 0), &told), span(1, (2, 1), &tool("search"))]).await;
        let run = &runs(&agent).await[0];
        assert_eq!(counted(run), (5_000, 700, 123_400_000, 0, 1, true));
        let costs = overview::costs(&kit.spine, &agent.admin, None, None).await.unwrap();
        assert_eq!(costs.spent.cost_nanousd, 123_400_000, "it stands for its calls");
        // Its call is told of later.
        send(&agent, &[span(1, (3, 1), &usage("chat", 100, 10))]).await;
        let run = &runs(&agent).await[0];
        let told = (run.input_tokens, run.output_tokens, run.llm_call_count);
        assert_eq!(told, (5_100, 710, 1), "a call so small is none that it sums up");
        let costs = overview::costs(&kit.spine, &agent.admin, None, None).await.unwrap();
        assert_eq!(costs.spent.cost_nanousd, run.cost_nanousd);
        send(&agent, &[span(1, (4, 1), &usage("chat", 4_000, 600))]).await;
        let run = &runs(&agent).await[0];
        assert_eq!((run.input_tokens, run.output_tokens, run.llm_call_count), (4_100, 610, 2));
        let costs = overview::costs(&kit.spine, &agent.admin, None, None).await.unwrap();
        assert_eq!(costs.spent.cost_nanousd, run.cost_nanousd);
    }

    async fn a_sum_breaks_no_budget_and_fires_no_rule_on_cost(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::TokensTotal, 400).await;
        agent.rule(EnforcementMode::Block, "context.step.input_tokens > 250").await;
        send(&agent, &conversation(1)).await;
        let run = &runs(&agent).await[0];
        assert_eq!((counted(run), run.incident_count, run.policy_violation), (ONCE, 0, false));
    }

    async fn what_comes_late_counts_where_it_takes_nothing_away(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let all = conversation(1);
        send(&agent, &all[..2]).await;
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        let sealed = runs(&agent).await.remove(0);
        assert_eq!((sealed.input_tokens, sealed.llm_call_count), (100, 1));
        send(&agent, &all[2..]).await;
        let run = runs(&agent).await.remove(0);
        assert_eq!(run.totals().input_tokens, 300, "the call below the tool came on top, the one that was told did not");
        let (report, _) = agent.verified(run.id).await;
        assert_eq!(report.word, Word::Complete, "{report}");
    }

    async fn a_tool_that_two_spans_tell_of_meets_a_limit_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let limit = agent.limit(LimitType::ToolCalls, 2).await;
        for (trace, order) in [(1, [0, 1]), (2, [1, 0])] {
            let sides = [span(trace, (1, 0), &tool("search")), span(trace, (2, 1), &tool("search"))];
            for side in order {
                send(&agent, &sides[side..=side]).await;
            }
            let run = &runs(&agent).await[0];
            assert_eq!((run.tool_call_count, run.incident_count), (1, 0), "{order:?}");
            assert_eq!(used(&agent, &limit).await, trace);
        }
    }

    async fn each_side_of_a_tool_is_a_call_and_one_of_them_counts(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let called = |trace, at| {
            let mut span = span(trace, at, &tool("search"));
            span["kind"] = json!(2);
            span
        };
        let http = span(1, (2, 1), &[("http.request.method", json!("POST")), ("url.full", json!("https://mcp.example/mcp"))]);
        let mut http = http;
        http["kind"] = json!(3);
        let mut served = span(1, (4, 2), &[("http.request.method", json!("POST")), ("http.route", json!("/mcp"))]);
        served["kind"] = json!(2);
        send(&agent, &[called(1, (3, 4)), served, http, span(1, (1, 0), &tool("search"))]).await;
        send(&agent, &[called(2, (3, 9))]).await;
        for (run, kinds) in runs(&agent).await.iter().rev().zip([&["OTHER", "OTHER", "HTTP_CALL", "TOOL_CALL"][..], &["TOOL_CALL"]]) {
            assert_eq!(run.tool_call_count, 1);
            let mut told: Vec<&str> = crate::contributions::steps_as(&kit, &agent.admin, run.id).await.unwrap().iter().map(|step| step.kind.as_str()).collect();
            told.sort_unstable();
            let mut kinds = kinds.to_vec();
            kinds.sort_unstable();
            assert_eq!(told, kinds);
        }
    }

    /// Each side of a tool's call says in its own words what was run. Whatever of it comes in one body, rules see both,
    /// and as much was called.
    async fn a_rule_sees_what_ran_however_the_sides_come(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let calls = agent.limit(LimitType::ToolCalls, 1_000_000).await;
        agent.rule(EnforcementMode::Warn, "context.step.kind == \"TOOL_CALL\" && context.step.command like \"*rm -rf*\"").await;
        let side = |at, kind: u64, arguments: Option<&str>| {
            let mut told = tool("shell");
            told.extend(arguments.map(|arguments| ("gen_ai.tool.call.arguments", json!(arguments))));
            let mut span = span(0, at, &told);
            span["kind"] = json!(kind);
            span
        };
        let http = |at, kind: u64| {
            let mut span = span(0, at, &[("http.request.method", json!("POST")), ("url.full", json!("https://mcp.example/mcp"))]);
            span["kind"] = json!(kind);
            span
        };
        let real = Some("{\"command\":\"rm -rf /\"}");
        // The spans, how many calls they are, and on how many of their steps the rule fires.
        let mut cases: Vec<(Vec<Value>, u64, usize)> = [None, Some("{}"), Some("[]"), Some("<elided>"), Some("{\"command\":\"ls\"}")]
            .map(|hollow| (vec![side((1, 0), 1, hollow), side((2, 1), 2, real)], 1, 1))
            .into();
        cases.push((vec![side((1, 0), 1, real), side((2, 1), 2, None)], 1, 1));
        let in_a_row = [side((1, 0), 1, real), side((2, 1), 3, None), http((3, 2), 3), http((4, 3), 2), side((5, 4), 2, real)];
        cases.push((in_a_row.into(), 1, 2));
        cases.push((vec![side((1, 0), 3, real), side((2, 1), 2, real), side((3, 1), 2, real)], 2, 3));
        let (mut traces, mut due) = (0, 0);
        for (spans, called, fired) in &cases {
            // Of a call that ran twice a body may hold one run alone, which is then its other side.
            let sizes: &[usize] = if *called == 2 { &[1, 8] } else { &[1, 2, 8] };
            for (order, size) in orders(spans).into_iter().flat_map(|order| sizes.iter().map(move |size| (order.clone(), *size))) {
                traces += 1;
                due += called;
                let sent: Vec<Value> = order.into_iter().map(|mut span| {
                    span["traceId"] = json!(trace_id(traces));
                    span
                }).collect();
                for some in sent.chunks(size) {
                    send(&agent, some).await;
                }
                let run = &runs(&agent).await[0];
                assert_eq!(run.tool_call_count, *called, "{size} {sent:?}");
                let page = models::page::PageRequest::default();
                let steps = orchestrator::handlers::activity::steps(&kit.spine, &agent.admin, run.id, page).await.unwrap().items;
                assert_eq!(steps.iter().filter(|step| step.would_have.is_some()).count(), *fired, "{size} {sent:?}");
            }
        }
        assert_eq!(used(&agent, &calls).await, due);
    }

    /// The sides of a tool's call may tell different costs of it: in one body as many are counted as in two.
    async fn what_a_side_tells_of_a_cost_counts_the_same_in_any_grouping(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let limit = agent.limit(LimitType::CostUsd, 10_000_000).await;
        let side = |at, kind: u64, cost: Option<f64>| {
            let mut told = tool("search");
            told.extend(cost.map(|cost| ("llm.cost.total", json!(cost))));
            let mut span = span(0, at, &told);
            span["kind"] = json!(kind);
            span
        };
        // What the client tells and what the server, how many calls that is, what they cost, and how many steps are
        // TOOL_CALL where one body has both.
        let cases = [
            (None::<f64>, None::<f64>, 1_u64, 0_u64, 1_usize),
            (Some(0.001), Some(0.001), 1, 1_000_000, 1),
            (Some(0.001), Some(0.05), 1, 50_000_000, 2),
            (Some(0.05), Some(0.001), 1, 1_000_000, 2),
            (None, Some(0.001), 1, 1_000_000, 2),
            // A cost is worth more than a call that is told once.
            (Some(0.001), None, 2, 1_000_000, 2),
        ];
        let (mut traces, mut due) = (0, 0);
        for (asked, ran, called, cost, told) in cases {
            for order in [[0, 1], [1, 0]] {
                for size in [1, 2] {
                    traces += 1;
                    due += cost;
                    let both = [side((1, 0), 3, asked), side((2, 1), 2, ran)];
                    let sent = order.map(|at: usize| {
                        let mut span = both[at].clone();
                        span["traceId"] = json!(trace_id(traces));
                        span
                    });
                    for some in sent.chunks(size) {
                        send(&agent, some).await;
                    }
                    let run = &runs(&agent).await[0];
                    let met = (run.tool_call_count, run.cost_nanousd);
                    assert_eq!(met, (called, cost), "{asked:?} {ran:?} {order:?} {size}");
                    let steps = crate::contributions::steps_as(&kit, &agent.admin, run.id).await.unwrap();
                    let tools = steps.iter().filter(|step| step.kind.as_str() == "TOOL_CALL").count();
                    assert_eq!(tools, if size == 2 { told } else { 2 }, "{asked:?} {ran:?} {order:?}");
                }
            }
        }
        assert_eq!(used(&agent, &limit).await, due);
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        for run in runs(&agent).await {
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// Google's ADK tells of tools that a model called at once, and then of all of them together.
    async fn what_gathers_several_tools_is_no_call_of_one(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let called = |id, name: &str, arguments: &str| {
            let mut told = tool(name);
            told.push(("gcp.vertex.agent.tool_call_args", json!(arguments)));
            span(1, (id, 9), &told)
        };
        let spans = [called(1, "search", "{\"q\":\"a\"}"), called(2, "search", "{\"q\":\"b\"}"), called(3, "(merged tools)", "N/A")];
        send(&agent, &spans).await;
        assert_eq!(runs(&agent).await[0].tool_call_count, 2);
        send(&agent, &[called(4, "(merged tools)", "{\"command\":\"ls\"}")]).await;
        assert_eq!(runs(&agent).await[0].tool_call_count, 3, "one that was called with something is a tool");
    }

    /// A gateway that tells of no cost, below a span that has the price of the model.
    async fn a_zero_below_hides_no_price(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let cost = agent.limit(LimitType::CostUsd, 10_000_000).await;
        let mut free = usage("chat", 100, 10);
        free.push(("gen_ai.usage.cost", json!(0.0)));
        let of_one = 100 * 2_500 + 10 * 10_000;
        let mut traces = 0;
        for (above, below) in [(usage("chat", 100, 10), free.clone()), (free, usage("chat", 100, 10))] {
            for order in [[0, 1], [1, 0]] {
                for size in [1, 2] {
                    traces += 1;
                    let both = [span(traces, (1, 0), &above), span(traces, (2, 1), &below)];
                    for some in order.map(|at: usize| both[at].clone()).chunks(size) {
                        send(&agent, some).await;
                    }
                    assert_eq!(counted(&runs(&agent).await[0]), (100, 10, of_one, 1, 0, true), "{order:?} {size}");
                }
            }
        }
        assert_eq!(used(&agent, &cost).await, of_one * traces);
    }

    async fn a_rule_on_what_the_run_has_cost_looks_at_what_was_before(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.run.cost_microusd > 2000000").await;
        let mut unpriced = usage("chat", 100, 10);
        unpriced[2].1 = json!("a-model-of-our-own");
        send(&agent, &[span(1, (1, 0), &unpriced)]).await;
        let run = &runs(&agent).await[0];
        assert_eq!((run.cost_known, run.incident_count), (false, 0), "before it the run had cost a known nothing");
        send(&agent, &[span(1, (2, 0), &usage("chat", 100, 10))]).await;
        assert_eq!(runs(&agent).await[0].incident_count, 1, "and now nobody knows what");
    }

    async fn sums_that_no_record_holds_are_proven_all_the_same(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let all = 1_u64 << 53;
        for (trace, order) in [(1, [0, 1, 2]), (2, [1, 0, 2]), (3, [2, 1, 0])] {
            let spans = [
                span(trace, (1, 0), &usage("chat", all, all)),
                span(trace, (2, 1), &usage("chat", all, 5)),
                span(trace, (3, 9), &usage("chat", 7, 5)),
            ];
            for at in order {
                send(&agent, &spans[at..=at]).await;
            }
        }
        kit.clock.advance(Duration::seconds(3_601));
        sweeper::tick(&kit.spine).await.unwrap();
        for run in runs(&agent).await {
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// One absurd count, which another span then tells otherwise, hides nothing of what the run used.
    async fn a_sum_that_was_cut_is_not_taken_from(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, "context.run.tokens > 1000000").await;
        let all = 1_u64 << 53;
        send(&agent, &[span(1, (1, 0), &usage("chat", 800, 100))]).await;
        send(&agent, &[span(1, (2, 9), &usage("chat", all, 40))]).await;
        send(&agent, &[span(1, (3, 2), &usage("chat", 1, 40))]).await;
        let run = &runs(&agent).await[0];
        assert_eq!((run.input_tokens, run.output_tokens), (all, 140), "the second gave back what was no sum");
        let run = run.id;
        send(&agent, &[span(1, (4, 9), &usage("chat", 1, 1))]).await;
        let page = models::page::PageRequest::default();
        let steps = orchestrator::handlers::activity::steps(&kit.spine, &agent.admin, run, page).await.unwrap().items;
        let warned: Vec<bool> = steps.iter().map(|step| step.would_have.is_some()).collect();
        assert_eq!(warned, [false, false, true, true], "and rules go on to see it");
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        let (report, _) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
    }

    async fn a_sum_that_no_record_holds_is_not_known(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let call = |id, parent, cost: f64| {
            let mut told = usage("chat", 100, 10);
            told.push(("llm.cost.total", json!(cost)));
            span(1, (id, parent), &told)
        };
        let told = async |by: &Agent<'_>, span: Value| {
            send(by, &[span]).await;
            let run = &runs(by).await[0];
            (run.cost_nanousd, run.cost_known)
        };
        assert_eq!(told(&agent, call(1, 9, 9_007_199.0)).await, (9_007_199_000_000_000, true));
        assert_eq!(told(&agent, call(2, 9, 9_007_199.0)).await, (1 << 53, false));
        assert_eq!(told(&other, call(3, 9, 0.5)).await, (1 << 53, false), "nor by a replica that reads it anew");
        // The second of them was another's sum, so less is left: of what was cut, nobody knows how much.
        assert!(!told(&agent, call(4, 2, 0.5)).await.1);
    }

    async fn what_is_given_back_leaves_the_window_that_counted_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let daily = LimitDraft { reset_period: Some(ResetPeriod::Daily), ..limit(LimitType::TokensTotal, 1_000_000) };
        let tokens = agent.limit_as(daily).await;
        // A replica whose clock is two seconds ahead, on the next day.
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let midnight = Duration::hours(15);
        kit.clock.advance(midnight - Duration::seconds(1));
        replica.clock.advance(midnight + Duration::seconds(1));
        send(&other, &[span(1, (1, 9), &usage("chat", 40, 10))]).await;
        send(&agent, &[span(1, (2, 9), &usage("chat", 100, 10))]).await;
        assert_eq!(used(&agent, &tokens).await, 160);
        // It knows the second by what is stored of it.
        send(&other, &[span(1, (3, 2), &usage("chat", 100, 10))]).await;
        assert_eq!(counted(&runs(&agent).await[0]).0, 140);
        assert_eq!(used(&agent, &tokens).await, 160, "over all windows");
    }

    async fn a_bent_parent_hides_no_use(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000).await;
        let circle = [span(1, (1, 2), &usage("invoke_agent", 100, 10)), span(1, (2, 1), &usage("chat", 100, 10))];
        send(&agent, &circle).await;
        let run = &runs(&agent).await[0];
        assert_eq!((run.input_tokens, run.output_tokens), (200, 20), "no call is told of by an agent below it");
        assert_eq!(used(&agent, &tokens).await, 220);
    }
}
