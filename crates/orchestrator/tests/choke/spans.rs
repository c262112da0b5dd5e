//! Traces as runs: recorded in groups, judged on arrival, ended by their root.

use chrono::Duration;
use kit::{Kit, limit};
use models::{
    activity::{Run, RunFilter},
    page::PageRequest,
    policies::LimitDraft,
};
use orchestrator::{
    Error,
    background::sweeper,
    choke::call::StartRun,
    handlers::{activity, incidents, policies},
    ports::{RejectedSpans, SpanEncoding},
};
use proof::words::{
    Action, EnforcementMode, IntegrityStatus, LimitType, RunStatus, Scope, TerminationReason,
};
use serde_json::{Value, json};
use testkit::{Store, TestDatabase, on_both};

use crate::agent::Agent;

/// What a group of spans may send, all kinds of rows included, with the group that opens their traces.
const BOUND: u64 = 110;

pub(crate) fn trace_id(trace: u64) -> String {
    format!("{:032x}", u128::from(trace) + 1)
}

/// A model call of a trace, below its root.
pub(crate) fn call(trace: u64, id: u64) -> Value {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let count = |key: &str, value: u64| json!({ "key": key, "value": { "intValue": value.to_string() } });
    let cost = json!({ "key": "gen_ai.usage.cost", "value": { "doubleValue": 0.6 } });
    json!({ "traceId": trace_id(trace), "spanId": format!("{:016x}", id + 1), "parentSpanId": "ffffffffffffffff",
        "name": "chat", "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042000000",
        "attributes": [text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-4o"), text("gen_ai.prompt.0.content", "Weather in Oslo?"),
            count("gen_ai.usage.input_tokens", 21), count("gen_ai.usage.output_tokens", 9), cost] })
}

/// The root of a trace, which took five seconds.
pub(crate) fn root(trace: u64, failed: bool) -> Value {
    let status = if failed { json!({ "code": 2, "message": "it broke" }) } else { json!({}) };
    json!({ "traceId": trace_id(trace), "spanId": "ffffffffffffffff", "name": "agent run", "status": status,
        "startTimeUnixNano": "1795238600000000000", "endTimeUnixNano": "1795238605000000000" })
}

pub(crate) async fn send(agent: &Agent<'_>, spans: &[Value]) -> RejectedSpans {
    send_from(agent, "researcher", spans).await
}

/// The same by a service of that name.
pub(crate) async fn send_from(agent: &Agent<'_>, service: &str, spans: &[Value]) -> RejectedSpans {
    ingest_from(agent, service, spans).await.unwrap().rejected
}

/// The same, and what becomes of all of them.
pub(crate) async fn ingest_from(
    agent: &Agent<'_>,
    service: &str,
    spans: &[Value],
) -> Result<activity::Ingested, Error> {
    let service = json!([{ "key": "service.name", "value": { "stringValue": service } }]);
    let body = json!({ "resourceSpans": [{ "resource": { "attributes": service }, "scopeSpans": [{ "spans": spans }] }] });
    activity::ingest(&agent.kit.spine, &agent.ctx, SpanEncoding::Json, body.to_string().as_bytes()).await
}

pub(crate) async fn runs(agent: &Agent<'_>) -> Vec<Run> {
    let page = PageRequest::new(Some(200), None, false).unwrap();
    activity::list(&agent.kit.spine, &agent.admin, RunFilter::default(), page).await.unwrap().items
}

pub(crate) async fn only_run(agent: &Agent<'_>) -> Run {
    let mut runs = runs(agent).await;
    assert_eq!(runs.len(), 1);
    runs.pop().unwrap()
}

on_both! {
    async fn the_root_ends_the_run_after_a_quiet_time(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[call(1, 1), root(1, false)]).await;
        kit.clock.advance(Duration::seconds(29));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0);
        send(&agent, &[call(1, 2)]).await;
        kit.clock.advance(Duration::seconds(29));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "it was not quiet");
        kit.clock.advance(Duration::seconds(1));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        let run = only_run(&agent).await;
        assert_eq!((run.status, run.termination_reason), (RunStatus::Succeeded, Some(TerminationReason::Completed)));
        assert_eq!((run.duration_ms, run.step_count, run.input_tokens), (Some(5_000), 3, 42));
        assert_eq!(run.integrity_status, IntegrityStatus::Verified);
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "once");
    }

    async fn a_failed_root_fails_the_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[root(1, true)]).await;
        kit.clock.advance(Duration::seconds(30));
        // Two replicas sweep at once: it is sealed once.
        let (one, other) = tokio::join!(sweeper::tick(&kit.spine), sweeper::tick(&kit.spine));
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        let run = only_run(&agent).await;
        assert_eq!((run.status, run.error_message.as_deref()), (RunStatus::Failed, Some("ERROR")));
        assert_eq!(run.incident_count, 1);
    }

    async fn a_trace_without_a_root_is_given_up(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[call(1, 1)]).await;
        kit.clock.advance(Duration::minutes(59));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0);
        kit.clock.advance(Duration::minutes(1));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        let run = only_run(&agent).await;
        assert_eq!((run.status, run.termination_reason), (RunStatus::Aborted, Some(TerminationReason::Abandoned)));
    }

    async fn what_fires_is_audited_and_stops_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
        let limit = agent.limit(LimitType::CostUsd, 1_000_000).await;
        assert_eq!(send(&agent, &[call(1, 1), call(1, 2), call(1, 3)]).await.count, 0);
        let run = only_run(&agent).await;
        assert_eq!((run.status, run.step_count, run.refused_count), (RunStatus::Running, 3, 0));
        assert_eq!((run.cost_nanousd, run.policy_violation, run.incident_count), (1_800_000_000, true, 1));
        let steps = activity::steps(&kit.spine, &agent.admin, run.id, PageRequest::default()).await.unwrap().items;
        assert!(steps.iter().all(|step| step.action == Some(Action::Allow)));
        let page = PageRequest::default();
        let fired = policies::rule_enforcements(&kit.spine, &agent.admin, rule.parse().unwrap(), page).await.unwrap().items;
        assert_eq!(fired.len(), 3);
        assert!(fired.iter().all(|row| row.action_taken.as_str() == "AUDITED" && row.details.contains(r#""would_have":"KILL""#)));
        let breaches = policies::limit_breaches(&kit.spine, &agent.admin, limit.parse().unwrap(), page).await.unwrap().items;
        assert_eq!(breaches.len(), 1, "once for a limit, window and run");
        let incidents = incidents::by_run(&kit.spine, &agent.admin, run.id).await.unwrap();
        assert_eq!(incidents.len(), 1);
        assert!(incidents[0].incident.title.contains("would have refused"), "{}", incidents[0].incident.title);
        // And the next run that asks is held to what was spent.
        let asked = agent.start().await;
        crate::agent::refused(agent.record(asked, crate::agent::llm(1)).await);
    }

    async fn a_rule_reads_the_model_that_was_asked_for_beside_the_one_that_answered(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let allowed = agent.rule(EnforcementMode::Block, "context.step.model_requested != \"gpt-4o\"").await;
        let by_name = agent.rule(EnforcementMode::Warn, "context.step.model != \"gpt-4o\"").await;
        let named = |id: u64, asked: &str, answered: &str| {
            let mut span = call(1, id);
            let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
            let attributes = span["attributes"].as_array_mut().unwrap();
            attributes.retain(|one| one["key"] != "gen_ai.request.model");
            attributes.extend([text("gen_ai.request.model", asked), text("gen_ai.response.model", answered)]);
            span
        };
        let sent = [named(1, "gpt-4o", "gpt-4o-2024-08-06"), named(2, "o1", "o1-preview"), call(1, 3), root(1, false)];
        assert_eq!(send(&agent, &sent).await.count, 0);
        let run = only_run(&agent).await;
        let page = PageRequest::default();
        let steps = activity::steps(&kit.spine, &agent.admin, run.id, page).await.unwrap().items;
        let models = |step: &activity::StepView| {
            let record = &step.step.record;
            (record.model.clone().unwrap_or_default(), record.model_requested.clone())
        };
        let kept = |model: &str, requested: Option<&str>| (model.to_owned(), requested.map(str::to_owned));
        assert_eq!(
            steps.iter().take(3).map(models).collect::<Vec<_>>(),
            [kept("gpt-4o-2024-08-06", Some("gpt-4o")), kept("o1-preview", Some("o1")), kept("gpt-4o", None)],
        );
        let fired = |step: &activity::StepView| -> Vec<String> {
            step.fired.iter().flatten().map(|one| format!("{} {}", one.policy_id, one.on().unwrap_or_default())).collect()
        };
        assert_eq!(fired(&steps[0]), [format!("{by_name} step.model is `gpt-4o-2024-08-06`")]);
        assert_eq!(
            fired(&steps[1]),
            [format!("{allowed} step.model_requested is `o1`"), format!("{by_name} step.model is `o1-preview`")],
        );
        assert_eq!(fired(&steps[2]), Vec::<String>::new());
        // What is stored is hashed, and decided again as it was.
        kit.clock.advance(Duration::seconds(30));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        assert_eq!(only_run(&agent).await.integrity_status, IntegrityStatus::Verified);
    }

    async fn the_same_bound_for_few_and_for_many(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, "context.step.cost_microusd > 0").await;
        agent.limit(LimitType::CostUsd, 1_000_000_000).await;
        let mut counts = Vec::new();
        for (at, (traces, spans)) in [(1, 20), (1, 500), (100, 500)].into_iter().enumerate() {
            let base = at as u64 * 1_000;
            let body: Vec<Value> = (0..spans).map(|span| call(base + span % traces, span)).collect();
            // And again, as an exporter does that was not answered in time.
            for _ in 0..2 {
                let before = kit.db.statements();
                assert_eq!(send(&agent, &body).await.count, 0);
                counts.push(kit.db.statements() - before);
            }
        }
        assert!(counts.iter().all(|count| *count <= BOUND), "{counts:?}");
        assert_eq!(runs(&agent).await.len(), 102);
    }

    async fn requests_that_open_the_same_trace_share_its_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (one, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        let bodies = [[call(1, 1), call(2, 1)], [call(2, 2), call(1, 2)], [call(1, 3), call(2, 1)]];
        let (a, b, c) = tokio::join!(send(&one, &bodies[0]), send(&other, &bodies[1]), send(&one, &bodies[2]));
        assert_eq!((a.count, b.count, c.count), (0, 0, 0));
        let runs = runs(&one).await;
        let mut counts: Vec<u64> = runs.iter().map(|run| run.step_count).collect();
        counts.sort_unstable();
        assert_eq!(counts, [2, 3]);
    }

    async fn what_is_set_for_a_name_holds_however_the_name_is_spelt(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (name, spelt) = ("caf\u{e9}-bot".to_owned(), "cafe\u{301}-bot".to_owned());
        let freeze = |name: &String| {
            policies::freeze(&kit.spine, &agent.admin, Some(name.clone()), "under review".to_owned())
        };
        freeze(&name).await.unwrap();
        // By spans it is one agent; who calls is told how to spell it.
        assert_eq!(send_from(&agent, &spelt, &[call(1, 1)]).await.count, 0);
        let run = only_run(&agent).await;
        assert_eq!(run.agent_id, name);
        assert_eq!(activity::interventions(&kit.spine, &agent.admin, run.id).await.unwrap().len(), 1);
        let start = StartRun { agent_id: spelt.clone(), ..StartRun::default() };
        let of_agent = LimitDraft { scope: Some(Scope::Agent), scope_id: Some(spelt.clone()), ..limit(LimitType::CostUsd, 1) };
        let refused = [
            activity::start(&kit.spine, &agent.ctx, start).await.unwrap_err(),
            policies::create_limit(&kit.spine, &agent.admin, of_agent).await.unwrap_err(),
            freeze(&spelt).await.unwrap_err(),
        ];
        for err in refused {
            assert!(matches!(&err, Error::Invalid(faults) if faults[0].message.contains("(NFC)")), "{err}");
        }
    }
}

#[tokio::test]
async fn a_long_trace_is_one_run() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let mut spans: Vec<Value> = (0..9_999).map(|id| call(1, id)).collect();
    spans.push(root(1, false));
    assert_eq!(send(&agent, &spans).await.count, 0);
    kit.clock.advance(Duration::seconds(30));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
    let run = only_run(&agent).await;
    assert_eq!((run.step_count, run.input_tokens), (10_000, 9_999 * 21));
    assert_eq!(run.integrity_status, IntegrityStatus::Verified);
}
