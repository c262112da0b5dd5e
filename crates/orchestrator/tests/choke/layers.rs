//! One call that several layers tell of, each another part of it: it is in its run's totals, in limits and in its
//! bundle once.

use chrono::Duration;
use kit::Kit;
use models::activity::Run;
use orchestrator::{
    background::sweeper,
    coordinators::{check_counters, run_proof},
    handlers::overview,
};
use proof::words::LimitType;
use serde_json::{Value, json};
use testkit::on_both;
use verify::Word;

use crate::{
    agent::Agent,
    spans::{runs, send, trace_id},
    trees::{span, tool, usage, used},
};

type Told = Vec<(&'static str, Value)>;

/// A call of which the framework that makes it tells this alone.
fn part(told: &[(&'static str, Value)]) -> Told {
    [&usage("chat", 0, 0)[..3], told].concat()
}

fn of_model(model: &str, mut told: Told) -> Told {
    told[2].1 = json!(model);
    told
}

/// Tokens in and out, nano-USD, calls of models and of tools, and whether the cost is known.
type Counted = (u64, u64, u64, u64, u64, bool);

fn counted(run: &Run) -> Counted {
    let Run { input_tokens, output_tokens, cost_nanousd, llm_call_count, tool_call_count, .. } = run;
    (*input_tokens, *output_tokens, *cost_nanousd, *llm_call_count, *tool_call_count, run.cost_known)
}

/// What 1,000 tokens in and 100 out of gpt-4o cost.
const COST: u64 = 1_000 * 2_500 + 100 * 10_000;

/// What is told from the outermost layer on, each below the one before; and what is to be counted.
fn cases() -> Vec<(Vec<Told>, Counted)> {
    let (input, output) = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens");
    let agent = || usage("invoke_agent", 1_000, 100);
    let whole = || usage("chat", 1_000, 100);
    let once = (1_000, 100, COST, 1, 0, true);
    let mut cases = Vec::new();
    for half in [
        part(&[(input, json!(1_000))]),
        part(&[(output, json!(100))]),
        part(&[(input, json!("1,000")), (output, json!(100))]),
        part(&[("gen_ai.usage.cost", json!(0.0035))]),
        part(&[("gen_ai.usage.total_tokens", json!(1_100))]),
        part(&[(input, json!(1_000)), (output, json!(0))]),
    ] {
        cases.push((vec![half.clone(), whole()], once));
        cases.push((vec![agent(), half.clone(), whole()], once));
        cases.push((vec![agent(), agent(), half, whole()], once));
    }
    for begun in [0, 1] {
        cases.push((vec![whole(), usage("chat", 1_000, begun)], once));
        cases.push((vec![agent(), whole(), usage("chat", 1_000, begun)], once));
    }
    let helper = || of_model("gpt-4o-mini", usage("chat", 400, 40));
    cases.push((vec![agent(), helper()], (1_400, 140, COST + 84_000, 1, 0, true)));
    cases.push((vec![agent(), tool("t"), helper()], (1_400, 140, COST + 84_000, 1, 1, true)));
    let refused = part(&[("error.type", json!("RateLimitError")), ("http.response.status_code", json!(429))]);
    cases.push((vec![refused.clone()], (0, 0, 0, 1, 0, true)));
    cases.push((vec![whole(), refused], once));
    cases.push((vec![tool("mcp__gh__t"), tool("t")], (0, 0, 0, 0, 1, true)));
    // What the inner layer leaves out is in no sum, and nobody knows whether it was used.
    for more in [usage("chat", 1_000, 500), usage("chat", 21_000, 100)] {
        cases.push((vec![more.clone(), whole()], (1_000, 100, COST, 1, 0, false)));
        cases.push((vec![agent(), more, whole()], (1_000, 100, COST, 1, 0, false)));
    }
    cases.push((vec![usage("chat", 1_000, 50), whole()], once));
    // Half of a use that is more than what the outer layer tells of one is in the sum beside it.
    let less = || usage("chat", 100, 50);
    let half = || part(&[(input, json!(20_000))]);
    let chain = || vec![("openinference.span.kind", json!("CHAIN"))];
    cases.push((vec![less(), half()], (20_100, 50, 750_000, 2, 0, false)));
    cases.push((vec![less(), chain(), half()], (20_100, 50, 750_000, 2, 0, false)));
    // A judge whose model nobody names is a call of its own, whose cost is not known.
    let judge = part(&[(input, json!(50)), (output, json!(5))]);
    let of_no_model = |mut told: Told| {
        told.retain(|(key, _)| *key != "gen_ai.request.model");
        told
    };
    cases.push((vec![whole(), whole(), of_no_model(judge)], (1_050, 105, COST, 2, 0, false)));
    cases.push((vec![whole(), of_no_model(whole())], once));
    // A cost alone is one of the same call: which of two is right nobody knows.
    let cost = part(&[("gen_ai.usage.cost", json!(0.0036))]);
    cases.push((vec![whole(), cost.clone()], (1_000, 100, COST, 1, 0, false)));
    cases.push((vec![agent(), whole(), cost], (1_000, 100, COST, 1, 0, false)));
    // A tool's tokens may be told below it: none is taken, and its two sides are one call.
    let counts = [(input, json!(1_000)), (output, json!(100))];
    let asking = || [tool("ask"), counts.to_vec()].concat();
    cases.push((vec![asking(), whole()], (1_000, 100, COST, 1, 1, true)));
    cases.push((vec![asking(), tool("ask"), whole()], (1_000, 100, COST, 1, 1, true)));
    // An agent that reports much more than its calls cost has used something of which they do not tell. It names no
    // model, so the cost is none of the price book's.
    for (cost, is_known) in [(0.005, true), (0.01, false)] {
        let mut sum = of_no_model(agent());
        sum.push(("gen_ai.usage.cost", json!(cost)));
        cases.push((vec![sum, whole()], (1_000, 100, COST, 1, 0, is_known)));
    }
    // What the price book makes of an agent's life, or without what was read from a cache, is no report.
    cases.push((vec![usage("invoke_agent", 3_000, 300), whole()], once));
    let of_claude = |operation| {
        let mut told = of_model("claude-sonnet-4-5", usage(operation, 10_000, 100));
        told[1].1 = json!("anthropic");
        told
    };
    let mut cached = of_claude("chat");
    cached.push(("gen_ai.usage.cache_read.input_tokens", json!(9_000)));
    let cost = 1_000 * 3_000 + 9_000 * 300 + 100 * 15_000;
    cases.push((vec![of_claude("invoke_agent"), cached], (10_000, 100, cost, 1, 0, true)));
    // Nobody knows whether the cached tokens lie within what went in, and the outer layer tells none.
    let mut cached = usage("chat", 20_100, 100);
    cached[1].1 = json!("aws.bedrock");
    cached.push(("gen_ai.usage.cache_read.input_tokens", json!(20_000)));
    let cost = 20_100 * 2_500 + 100 * 10_000;
    cases.push((vec![usage("chat", 20_100, 100), cached], (20_100, 100, cost, 1, 0, false)));
    cases
}

/// A framework's span over two tries of its client, of which the first broke when it had begun; and what is to be
/// counted.
fn tries(trace: u64) -> ([Value; 3], Counted) {
    let mut broken = span(trace, (2, 1), &usage("chat", 1_000, 1));
    broken["status"] = json!({ "code": 2, "message": "the stream broke" });
    let [all, next] = [(1, 0), (3, 1)].map(|at| span(trace, at, &usage("chat", 1_000, 100)));
    ([all, broken, next], (2_000, 101, COST + 1_000 * 2_500 + 10_000, 2, 0, true))
}

/// How many costs Overview says are not known: in all, by day, by model and by agent. Counters say what is there.
async fn unknown_costs(kit: &Kit, agent: &Agent<'_>) -> [u64; 4] {
    let (spine, admin) = (&kit.spine, &agent.admin);
    let miscounts = check_counters::miscounts(spine, agent.ctx.tenant.id).await.unwrap();
    assert_eq!(miscounts, []);
    let [from, until] = [-Duration::days(2), Duration::seconds(1)].map(|by| Some(spine.now() + by));
    let spent = overview::costs(spine, admin, from, until).await.unwrap().spent;
    let trend = overview::costs_trend(spine, admin, from, until).await.unwrap();
    [
        spent.unknown,
        trend.by_day.iter().map(|day| day.spent.unknown).sum(),
        trend.by_model.iter().map(|model| model.spent.unknown).sum(),
        trend.by_agent.iter().map(|agent| agent.spent.unknown).sum(),
    ]
}

on_both! {
    /// Whether the server goes on with its tree of them or reads it anew, as another replica does.
    async fn a_try_that_broke_is_billed_beside_the_next(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let (mut traces, mut due) = (0, 0);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for by in [&agent, &other] {
                traces += 1;
                let (spans, right) = tries(traces);
                for (n, at) in order.into_iter().enumerate() {
                    send(if n % 2 == 0 { &agent } else { by }, &spans[at..=at]).await;
                }
                assert_eq!(counted(&runs(&agent).await[0]), right, "{order:?}");
                due += right.0 + right.1;
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

    async fn a_call_counts_once_whatever_its_layers_tell(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        let calls = agent.limit(LimitType::ToolCalls, 10_000_000).await;
        let (mut traces, mut due, mut called) = (0, 0, 0);
        for (layers, right) in cases() {
            let spans: Vec<Value> =
                (1..).zip(&layers).map(|(at, told)| span(0, (at, at - 1), told)).collect();
            let mut turned = spans.clone();
            turned.reverse();
            for order in [spans, turned] {
                for size in [1, order.len()] {
                    traces += 1;
                    let sent: Vec<Value> = order.iter().cloned().map(|mut span| {
                        span["traceId"] = json!(trace_id(traces));
                        span
                    }).collect();
                    for some in sent.chunks(size) {
                        send(&agent, some).await;
                    }
                    assert_eq!(counted(&runs(&agent).await[0]), right, "{size} {sent:?}");
                    due += right.0 + right.1;
                    called += right.4;
                }
            }
        }
        assert_eq!((used(&agent, &tokens).await, used(&agent, &calls).await), (due, called));
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        for run in runs(&agent).await {
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// Which of the two layers is right nobody knows, until another try below the outer one tells as much as it.
    async fn tokens_that_the_inner_layer_leaves_out_leave_a_cost_that_is_not_known(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let replica = Kit::replica(db, 2).await;
        let other = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let (more, less) = (usage("chat", 1_000, 500), usage("chat", 1_000, 100));
        let mut traces = 0;
        for order in [[0, 1], [1, 0]] {
            for size in [1, 2] {
                traces += 1;
                let both = [span(traces, (1, 0), &more), span(traces, (2, 1), &less)];
                let sent = order.map(|at: usize| both[at].clone());
                for (some, by) in sent.chunks(size).zip([&agent, &other]) {
                    send(by, some).await;
                }
                assert_eq!(counted(&runs(&agent).await[0]), (1_000, 100, COST, 1, 0, false), "{order:?} {size}");
                assert_eq!(unknown_costs(&kit, &agent).await, [traces; 4], "{order:?} {size}");
            }
        }
        // All of what the outer one tells is there.
        send(&agent, &[span(traces, (3, 1), &more)]).await;
        let with_next = COST + 1_000 * 2_500 + 500 * 10_000;
        assert_eq!(counted(&runs(&agent).await[0]), (2_000, 600, with_next, 2, 0, true));
        kit.clock.advance(Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        let all = runs(&agent).await;
        for run in &all {
            let proven = run_proof::proof(&kit.spine, &agent.admin, run.id, false).await.unwrap().integrity;
            assert_eq!(proven.failure_reason, None);
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
        // A doubt that somebody wiped is missed.
        db.disarm("uncounted_steps").await;
        db.tamper("UPDATE uncounted_steps SET in_doubt = (1 = 0)").await.unwrap();
        for run in &all {
            let proven = run_proof::proof(&kit.spine, &agent.admin, run.id, false).await.unwrap().integrity;
            let why = proven.failure_reason.unwrap_or_default();
            assert!(why.contains("is said to be one that leaves no cost in doubt"), "{why}");
        }
    }

    /// The totals that were sealed stay; that they are not what was used is said where it is so.
    async fn what_gives_way_late_leaves_a_cost_that_is_not_known(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let root = vec![("gen_ai.operation.name", json!("invoke_agent"))];
        let (whole, large) = (usage("chat", 1_000, 100), usage("chat", 3_000, 300));
        let more = usage("chat", 1_000, 500);
        let (begun, mut sum) = (usage("chat", 1_000, 1), usage("invoke_agent", 1_000, 100));
        sum.push(("llm.cost.total", json!(0.0035)));
        // The root's span, another sealed one, the late one, what is counted of tokens in, and whether all is known.
        let cases = [
            (&root, ((2, 1), &whole), ((3, 2), &whole), 1_000, true),
            (&root, ((2, 1), &whole), ((3, 2), &begun), 1_000, true),
            (&root, ((2, 1), &whole), ((3, 1), &large), 4_000, true),
            (&root, ((3, 2), &begun), ((2, 1), &whole), 1_000, false),
            (&root, ((3, 2), &whole), ((2, 1), &more), 1_000, false),
            (&sum, ((2, 1), &root), ((3, 1), &large), 1_000, false),
            (&root, ((3, 2), &whole), ((2, 1), &root), 1_000, true),
            (&sum, ((3, 2), &large), ((2, 1), &root), 4_000, false),
        ];
        let mut unknown = 0;
        for (trace, (first, (at, sealed), late, input, is_known)) in (1..).zip(cases) {
            send(&agent, &[span(trace, (1, 0), first), span(trace, at, sealed)]).await;
            kit.clock.advance(Duration::seconds(31));
            sweeper::tick(&kit.spine).await.unwrap();
            send(&agent, &[span(trace, late.0, late.1)]).await;
            let run = runs(&agent).await.remove(0);
            let (totals, of_late) = (run.totals(), run.late.clone().unwrap());
            let told = (totals.input_tokens, totals.cost_known, of_late.cost_unknown, run.cost_known);
            assert_eq!(told, (input, is_known, !is_known, true), "{at:?} {late:?}");
            unknown += u64::from(!is_known);
            assert_eq!(unknown_costs(&kit, &agent).await, [unknown; 4], "{at:?} {late:?}");
            let (report, _) = agent.verified(run.id).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
        db.disarm("uncounted_steps").await;
        db.tamper("UPDATE uncounted_steps SET in_doubt = NOT in_doubt").await.unwrap();
        let last = runs(&agent).await.remove(0);
        let integrity = run_proof::proof(&kit.spine, &agent.admin, last.id, false).await.unwrap().integrity;
        let why = "step 2 is said to be one that leaves no cost in doubt, and the run's steps say otherwise";
        assert_eq!(integrity.failure_reason.as_deref(), Some(why));
    }
}
