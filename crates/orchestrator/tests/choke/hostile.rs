//! No text of a caller is too much for a store, or costs its neighbours: it is refused at the door with its place, and
//! what an exporter of spans says is cut, marked and kept.

use chrono::Duration;
use kit::Kit;
use models::{activity::RunState, bounds, ids::RunId};
use orchestrator::{
    Error,
    background::sweeper,
    choke::call::{EndRun, LlmReport, StartRun, StepReport},
    handlers::{activity, incidents, policies},
};
use proof::words::{EnforcementMode, RunStatus, TerminationReason};
use serde_json::{Value, json};
use testkit::on_both;

use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    spans::{call, only_run, root, send_from, trace_id},
};

/// Letters without a pattern: what is long stays long in a store that compresses.
pub(crate) fn letters(count: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(state >> 33).unwrap() % 52;
        char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[place])
    };
    (0..count).map(|_| next()).collect()
}

/// Where a request was refused.
fn place<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Invalid(fields)) => fields[0].pointer.clone(),
        other => panic!("it was to be refused at the door: {other:?}"),
    }
}

async fn start(agent: &Agent<'_>, metadata: &str) -> Result<RunId, Error> {
    let request =
        StartRun { agent_id: "a".to_owned(), metadata: Some(metadata.to_owned()), ..StartRun::default() };
    activity::start(&agent.kit.spine, &agent.ctx, request).await.map(|started| started.run.id)
}

/// JSON that readers of it do not agree on.
fn odd_json() -> [(String, &'static str); 5] {
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    [
        (r#"{"a":1e309}"#.to_owned(), "/a"),
        (format!(r#"{{"a":{}}}"#, "9".repeat(400)), "/a"),
        (format!(r#"{{"a":{deep}}}"#), "/a/0/0"),
        (r#"{"a":1,"a":2}"#.to_owned(), "/a"),
        (r#"{"a":["\u0000"]}"#.to_owned(), "/a/0"),
    ]
}

on_both! {
    async fn what_is_too_long_is_refused_with_its_place(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let some = |count| Some(letters(count, 7));
        let begin = || StartRun { agent_id: "a".to_owned(), ..StartRun::default() };
        let starts = [
            ("/agent_id", StartRun { agent_id: letters(4_000, 1), ..begin() }),
            ("/project_id", StartRun { project_id: some(257), ..begin() }),
            ("/provider_type", StartRun { provider_type: some(9_000), ..begin() }),
            ("/synthetic_scenario_id", StartRun { synthetic_scenario_id: some(9_000), ..begin() }),
            ("/idempotency_key", StartRun { idempotency_key: some(9_000), ..begin() }),
            ("/goal", StartRun { goal: some(bounds::TEXT + 1), ..begin() }),
            ("/metadata", StartRun { metadata: Some(json!([letters(bounds::DOCUMENT, 3)]).to_string()), ..begin() }),
            ("/environment", StartRun { environment: Some(json!({"a": letters(bounds::DOCUMENT, 3)}).to_string()), ..begin() }),
        ];
        for (pointer, request) in starts {
            assert_eq!(place(activity::start(&kit.spine, &agent.ctx, request).await), pointer);
        }
        let called = |llm: LlmReport| StepReport { llm: Some(llm), ..tool("a") };
        let steps = [
            ("/skill_name", tool(&letters(257, 2))),
            ("/outcome/code", StepReport { outcome_code: some(9_000), ..tool("a") }),
            ("/idempotency_key", keyed(&letters(9_000, 3), tool("a"))),
            ("/labels/0", StepReport { labels: vec![letters(257, 4)], ..tool("a") }),
            ("/labels", StepReport { labels: vec!["a".to_owned(); bounds::LABELS + 1], ..tool("a") }),
            ("/llm/model", called(LlmReport { model: some(9_000), ..LlmReport::default() })),
            ("/llm/request_id", called(LlmReport { request_id: some(9_000), ..LlmReport::default() })),
        ];
        for (pointer, report) in steps {
            assert_eq!(place(agent.record(run, report).await), pointer);
        }
        let mut asked = ask("a");
        asked.idempotency_key = some(9_000);
        assert_eq!(place(agent.permit(run, asked).await), "/idempotency_key");
        let frozen = policies::freeze(&kit.spine, &agent.admin, some(4_000), "because".to_owned()).await;
        assert_eq!(place(frozen), "/agent_id");
        let reason = Some(letters(bounds::REASON + 1, 5));
        assert_eq!(place(activity::kill(&kit.spine, &agent.admin, run, reason).await), "/reason");
        // The longest of all at once is stored, whatever its characters: that is what the bounds are for.
        let wide = |letter| char::from_u32(0x1f300 + u32::from(letter)).unwrap();
        let name = |seed| letters(bounds::NAME, seed).chars().map(wide).collect::<String>();
        let longest = StartRun {
            agent_id: name(11), project_id: Some(name(12)), provider_type: Some(name(13)),
            synthetic_scenario_id: Some(name(14)), idempotency_key: Some(name(15)), ..StartRun::default()
        };
        let run = activity::start(&kit.spine, &agent.ctx, longest).await.unwrap().run.id;
        let step = StepReport { outcome_code: Some(name(16)), ..keyed(&name(17), tool(&name(18))) };
        agent.record(run, step).await.unwrap();
        let model = LlmReport { provider: Some(name(19)), model: Some(name(20)), ..llm(1).llm.unwrap() };
        agent.record(run, StepReport { llm: Some(model), ..llm(1) }).await.unwrap();
        agent.complete(run).await.unwrap();
    }

    async fn json_that_readers_do_not_agree_on_is_refused_with_its_place(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        for (text, at) in odd_json() {
            let json = || Some(text.clone());
            let told = place(agent.record(run, StepReport { params: json(), ..tool("a") }).await);
            assert!(told.starts_with(&format!("/params{at}")), "{told}");
            let told = place(agent.record(run, StepReport { outcome_data: json(), ..tool("a") }).await);
            assert!(told.starts_with(&format!("/outcome/data{at}")), "{told}");
            let mut asked = ask("a");
            asked.params = json();
            let told = place(agent.permit(run, asked).await);
            assert!(told.starts_with(&format!("/params{at}")), "{told}");
            let told = place(start(&agent, &text).await);
            assert!(told.starts_with(&format!("/metadata{at}")), "{told}");
        }
        agent.record(run, tool("a")).await.unwrap();
    }

    async fn a_run_hides_no_labels_from_the_rules(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no personal data", EnforcementMode::Block, "principal.labels.contains(\"pii\")").await;
        for metadata in [r#"{"labels":["pii"]}"#, r#"{"\u006cabels":["pii"]}"#, r#"{"n":1e308,"labels":["a","pii"]}"#] {
            let run = start(&agent, metadata).await.unwrap();
            refused(agent.record(run, tool("a")).await);
        }
        let deep = format!(r#"{{"labels":["pii"],"n":{}{}}}"#, "[".repeat(127), "]".repeat(127));
        for unreadable in [
            r#"{"labels":["pii"],"n":1e400}"#, r#"{"labels":["pii"],"labels":[]}"#, r#"{"labels":"pii"}"#,
            r#"{"labels":["pii",1]}"#, &deep,
        ] {
            assert!(place(start(&agent, unreadable).await).starts_with("/metadata"), "{unreadable}");
        }
        let none = start(&agent, r#"{"label":["pii"]}"#).await.unwrap();
        agent.record(none, tool("a")).await.unwrap();
        assert_eq!(agent.run(none).await.labels, Vec::<String>::new());
    }

    async fn the_tools_that_a_run_is_known_by_are_bounded_and_rules_see_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no mail after many", EnforcementMode::Block,
            "context.step.skill == \"mail\" && (context.run.tools.contains(\"read\") || context.run.tools_cut)").await;
        let run = agent.start().await;
        for n in 0..bounds::TOOLS {
            agent.record(run, tool(&format!("tool-{n:03}"))).await.unwrap();
        }
        agent.record(run, tool("tool-000")).await.unwrap();
        agent.record(run, tool("mail")).await.unwrap();
        // That was one more than are kept, and `read` cannot hide behind it.
        agent.record(run, tool("read")).await.unwrap();
        refused(agent.record(run, tool("mail")).await);
        let traces = &db.contents().await["aos_traces"];
        assert!(traces.contains("tool-063") && !traces.contains("read"), "{traces}");
    }

    async fn a_traceback_is_kept_and_the_run_fails_with_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let fail = async |error: String| {
            let run = agent.start().await;
            let how = EndRun::Failed { error: Some(error) };
            (run, activity::complete(&kit.spine, &agent.ctx, run, how).await)
        };
        let mut keys = Vec::new();
        for error in [
            format!("Traceback\n  File \"/srv/a.py\", line 1\n{}", letters(8_192, 1)),
            format!("Traceback\n  File \"/opt/b/c.py\", line 22\n{}", letters(8_192, 1)),
            letters(bounds::TEXT, 2),
        ] {
            let (run, ended) = fail(error.clone()).await;
            let ended = ended.unwrap();
            assert_eq!((ended.status, ended.state, ended.incident_count), (RunStatus::Failed, RunState::Completed, 1));
            assert_eq!(ended.error_message.as_deref(), Some(error.as_str()));
            let found = incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap();
            assert!(found[0].incident.description.len() < 5_000);
            keys.push(found[0].incident.cause_key.clone());
        }
        assert_eq!(keys[0], keys[1], "the same error elsewhere is the same cause");
        assert_ne!(keys[0], keys[2]);
        let (run, ended) = fail(letters(bounds::TEXT + 1, 3)).await;
        assert_eq!(place(ended), "/error");
        assert_eq!(agent.run(run).await.status, RunStatus::Running);
    }

    async fn an_exporter_may_say_anything_and_loses_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Warn, "context.content.truncated").await;
        let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let tool_call = |id: u64, name: &str, arguments: &str| json!({
            "traceId": trace_id(1), "spanId": format!("{:016x}", id + 100), "parentSpanId": "ffffffffffffffff",
            "name": "execute_tool", "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042000000",
            "attributes": [text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", name),
                text("gen_ai.tool.call.arguments", arguments)],
        });
        let mut odd: Vec<Value> = (1_u64..).zip(odd_json()).map(|(id, (json, _))| tool_call(id, "search", &json)).collect();
        odd.push(tool_call(50, &letters(9_000, 1), "{}"));
        let mut model = call(1, 1);
        for attribute in model["attributes"].as_array_mut().unwrap() {
            if let Some(Value::String(value)) = attribute["value"].get_mut("stringValue")
                && value != "chat"
            {
                *value = letters(9_000, 2);
            }
        }
        odd.push(model);
        // Attributes of one name, twice: what no JSON object can say.
        let twice = json!({ "traceId": trace_id(1), "spanId": "00000000000000ee", "parentSpanId": "ffffffffffffffff",
            "name": letters(9_000, 3), "attributes": [text("a", "1"), text("a", "2")] });
        odd.push(twice);
        let count = odd.len() as u64;
        let mut failed = root(1, true);
        failed["attributes"] = json!([text("error.type", &letters(9_000, 4))]);
        odd.push(failed);
        odd.push(call(1, 9));
        let service = letters(9_000, 5);
        let rejected = send_from(&agent, &service, &odd).await;
        assert_eq!((rejected.count, rejected.message()), (0, String::new()));
        let run = only_run(&agent).await;
        assert_eq!(run.step_count, count + 2);
        assert!(run.agent_id.starts_with(&service[..200]) && run.agent_id.contains("<CUT:9000:"), "{}", run.agent_id);
        let page = models::page::PageRequest::new(Some(200), None, false).unwrap();
        let warned = policies::rule_enforcements(&kit.spine, &agent.admin, rule.parse().unwrap(), page).await.unwrap();
        assert_eq!(warned.items.len() as u64, count + 1, "a rule sees all that was cut, and the whole one as whole");
        let steps = activity::steps(&kit.spine, &agent.admin, run.id, page).await.unwrap().items;
        assert!(steps.iter().any(|step| matches!(&step.texts.params, Some(models::logs::KeptText::Text(text)) if text.contains("1e309"))));
        // Sent again, it is known: what was cut is still told apart.
        assert_eq!(send_from(&agent, &service, &odd).await.count, 0);
        assert_eq!(only_run(&agent).await.step_count, count + 2);
        kit.clock.advance(Duration::seconds(30));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "and the run is sealed");
        let run = only_run(&agent).await;
        assert_eq!((run.status, run.incident_count), (RunStatus::Failed, 1));
        assert!(run.error_message.is_some_and(|error| error.contains("<CUT:9000:")));
    }

    async fn a_run_that_cannot_be_sealed_waits_alone(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (broken, sound) = (agent.start().await, agent.start().await);
        let id = broken.to_string();
        let of_run = |what: &str| {
            let digits = id.rsplit('_').next().unwrap();
            let key = match db.store() {
                testkit::Store::Sqlite => format!("x'{digits}'"),
                testkit::Store::Postgres => format!("'{digits}'"),
            };
            format!("UPDATE aos_traces SET tally = '{what}' WHERE run_id = {key}")
        };
        db.tamper(&of_run("nonsense")).await.unwrap();
        kit.clock.advance(Duration::hours(2));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "the sound one is sealed");
        assert_eq!(agent.run(sound).await.termination_reason, Some(TerminationReason::Abandoned));
        db.tamper(&of_run("{}")).await.unwrap();
        kit.clock.advance(Duration::seconds(59));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "the other waits");
        kit.clock.advance(Duration::hours(2));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "and is tried again");
        let run = agent.run(broken).await;
        assert_eq!((run.state, run.termination_reason), (RunState::Completed, Some(TerminationReason::Abandoned)));
    }
}
