//! What nobody sees of a name makes no other name of it: whoever calls is told so, and what an exporter of spans says
//! is known by what is seen of it.

use std::collections::BTreeSet;

use kit::{Kit, limit};
use models::{page::PageRequest, policies::LimitDraft};
use orchestrator::{
    Error,
    choke::call::{LlmReport, StartRun, StepReport},
    handlers::{activity, policies},
};
use proof::words::{ActorType, EnforcementMode, LimitType, Scope};
use serde_json::{Value, json};
use testkit::on_both;

use crate::{
    agent::{Agent, ask, refused, tool},
    spans::{call, only_run, send},
};

/// What can stand around a name and shows in no log and on no page.
const UNSEEN: [&str; 10] =
    ["\u{200b}", " ", "\t", "\u{a0}", "\u{ad}", "\u{2060}", "\u{feff}", "\u{202c}", "\u{fe0f}", "\u{e0041}"];

/// What is forbidden, one thing by each name that a rule reads.
const FORBIDDEN: [&str; 6] = [
    r#"context.step.skill == "drop table""#,
    r#"context.step.provider == "elsewhere""#,
    r#"context.step.model == "o1""#,
    r#"context.step.model_requested == "o1""#,
    r#"context.step.labels.contains("pii")"#,
    r#"principal.labels.contains("trial")"#,
];

/// Where a request was refused.
fn place<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Invalid(fields)) => {
            assert!(fields[0].message.contains("look like another's"), "{}", fields[0].message);
            fields[0].pointer.clone()
        }
        other => panic!("it was to be refused at the door: {other:?}"),
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// A model call of that provider and model.
fn of_model(id: u64, provider: &str, model: &str) -> Value {
    let mut span = call(1, id);
    let attributes = span["attributes"].as_array_mut().unwrap();
    attributes.retain(|one| one["key"] != "gen_ai.provider.name" && one["key"] != "gen_ai.request.model");
    attributes.extend([text("gen_ai.provider.name", provider), text("gen_ai.request.model", model)]);
    span
}

/// A call of that tool.
fn of_tool(id: u64, tool: &str) -> Value {
    let mut span = call(1, id);
    span["attributes"] =
        json!([text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", tool)]);
    span
}

on_both! {
    async fn no_caller_has_a_name_that_only_looks_like_the_one_a_rule_is_about(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        for condition in FORBIDDEN {
            agent.rule_pre(condition, EnforcementMode::Block, condition).await;
        }
        let run = agent.start().await;
        // A blank within stays: the name is as it is seen.
        refused(agent.permit(run, ask("drop table")).await);
        let called = |llm: LlmReport| StepReport { llm: Some(llm), ..tool("a") };
        for unseen in UNSEEN {
            let odd = |name: &str| format!("{name}{unseen}");
            let some = |name: &str| Some(odd(name));
            let mut asked = [ask(&odd("drop table")), ask("a"), ask("a"), ask("a")];
            asked[1].provider = some("elsewhere");
            asked[2].model = some("o1");
            asked[3].labels = vec!["plain".to_owned(), odd("pii")];
            for (asked, at) in asked.into_iter().zip(["/skill_name", "/provider", "/model", "/labels/1"]) {
                assert_eq!(place(agent.permit(run, asked).await), at, "{unseen:?}");
            }
            for (report, at) in [
                (tool(&odd("drop table")), "/skill_name"),
                (called(LlmReport { provider: some("elsewhere"), ..LlmReport::default() }), "/llm/provider"),
                (called(LlmReport { model: some("o1"), ..LlmReport::default() }), "/llm/model"),
                (called(LlmReport { model_requested: some("o1"), ..LlmReport::default() }), "/llm/model_requested"),
                (StepReport { labels: vec![odd("pii")], ..tool("a") }, "/labels/0"),
            ] {
                assert_eq!(place(agent.record(run, report).await), at, "{unseen:?}");
            }
            let begin = || StartRun { agent_id: "a".to_owned(), ..StartRun::default() };
            for (request, at) in [
                (StartRun { agent_id: odd("a"), ..begin() }, "/agent_id"),
                (StartRun { project_id: some("p"), ..begin() }, "/project_id"),
                (StartRun { provider_type: some("elsewhere"), ..begin() }, "/provider_type"),
                (StartRun { actor: Some((ActorType::Human, some("ana"))), ..begin() }, "/actor/id"),
                (StartRun { metadata: Some(json!({ "labels": [odd("trial")] }).to_string()), ..begin() }, "/metadata/labels/0"),
            ] {
                assert_eq!(place(activity::start(&kit.spine, &agent.ctx, request).await), at, "{unseen:?}");
            }
        }
    }

    async fn a_span_is_known_by_what_is_seen_of_its_names(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut rules = Vec::new();
        for condition in [
            r#"context.step.skill == "drop table""#,
            r#"context.step.skill == "openai.chat""#,
            r#"context.step.provider == "openai""#,
            r#"context.step.model == "gpt-4o""#,
        ] {
            rules.push(agent.rule(EnforcementMode::Warn, condition).await);
        }
        let cut = agent.rule(EnforcementMode::Warn, "context.content.truncated").await;
        let budget = LimitDraft {
            scope: Some(Scope::Provider),
            scope_id: Some("openai".to_owned()),
            ..limit(LimitType::TokensTotal, 10)
        };
        let budget = agent.limit_as(budget).await;
        let mut spans = Vec::new();
        for (at, unseen) in UNSEEN.into_iter().enumerate() {
            let id = 2 * at as u64 + 1;
            spans.push(of_model(id, &format!("openai{unseen}"), &format!("gpt-4o{unseen}")));
            spans.push(of_tool(id + 1, &format!("drop table{unseen}")));
        }
        assert_eq!(send(&agent, &spans).await.count, 0);
        let run = only_run(&agent).await;
        let page = PageRequest::new(Some(200), None, false).unwrap();
        let fired = async |rule: &str| {
            let rule = rule.parse().unwrap();
            policies::rule_enforcements(&kit.spine, &agent.admin, rule, page).await.unwrap().items.len()
        };
        for rule in &rules {
            assert_eq!(fired(rule).await, UNSEEN.len(), "{rule}");
        }
        assert!(fired(&cut).await > 0, "what is not as it was said is marked");
        let breaches = policies::limit_breaches(&kit.spine, &agent.admin, budget.parse().unwrap(), page).await.unwrap();
        assert!(!breaches.items.is_empty(), "its provider's limit is charged");
        let steps = activity::steps(&kit.spine, &agent.admin, run.id, page).await.unwrap().items;
        assert_eq!(steps.len(), spans.len());
        let names: BTreeSet<&str> =
            steps.iter().map(|step| step.step.record.skill_name.as_str()).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["drop table", "openai.chat"]);
    }

    /// By a name that nobody knows too; and that nothing is known of it is seen.
    async fn a_rule_sees_what_a_tool_was_called_with_by_whatever_name(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut rules = Vec::new();
        for condition in [r#"context.step.command like "*rm -rf*""#, "context.step.facts_cut"] {
            rules.push(agent.rule(EnforcementMode::Warn, condition).await);
        }
        let called = r#"{"command":"rm -rf /"}"#;
        let mut spans = Vec::new();
        for (id, name) in (1_u64..).zip(["gen_ai.tool.call.arguments", "of.ours"]) {
            let mut span = of_tool(id, "sh");
            span["attributes"].as_array_mut().unwrap().push(text(name, called));
            spans.push(span);
        }
        spans.push(of_tool(3, "sh"));
        assert_eq!(send(&agent, &spans).await.count, 0);
        let page = PageRequest::new(Some(200), None, false).unwrap();
        for rule in rules {
            let rule = rule.parse().unwrap();
            let fired = policies::rule_enforcements(&kit.spine, &agent.admin, rule, page).await.unwrap();
            assert_eq!(fired.items.len(), 2, "the command of two, and two whose arguments nobody tells");
        }
    }
}
