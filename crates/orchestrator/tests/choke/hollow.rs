//! Evidence that holds nothing is none.

use kit::Kit;
use orchestrator::{
    CallContext,
    choke::call::{LlmReport, StartRun, StepReport},
    handlers::{account::SystemCaller, activity},
    ports::SpanEncoding,
};
use proof::words::{IntegrityGrade, StepKind};
use serde_json::json;
use testkit::on_both;
use verify::Word;

use crate::{
    agent::{Agent, llm, tool},
    spans::{call, runs},
};

/// A request with one span of a trace of its own, as protobuf has it.
fn protobuf_span() -> Vec<u8> {
    let field =
        |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let span = [field(1, &[7; 16]), field(2, &[7; 8]), field(5, b"look")].concat();
    // resource_spans, within it scope_spans, within those spans.
    field(1, &field(2, &field(2, &span)))
}

on_both! {
    async fn a_call_that_says_nothing_of_what_went_in_or_out_is_a_failed_capture(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let nothing = StepReport { params: None, ..tool("look") };
        let answered = StepReport { outcome_data: Some("\"yes\"".to_owned()), ..nothing.clone() };
        let http = StepReport { kind: StepKind::HttpCall, ..nothing.clone() };
        // Nothing of class B is looked for in a step of another kind.
        let other = StepReport { kind: StepKind::Transform, ..nothing.clone() };
        for (report, failed) in [(nothing, true), (http, true), (tool("look"), false), (answered, false), (other, false)] {
            let kind = report.kind;
            let run = agent.start().await;
            agent.record(run, report.clone()).await.unwrap();
            agent.complete(run).await.unwrap();
            let (seen, bundle) = agent.verified(run).await;
            let grade = if failed { IntegrityGrade::Warn } else { IntegrityGrade::Pass };
            assert_eq!((seen.word, seen.grade), (Word::Complete, Some(grade)), "{report:?}: {seen}");
            let sealed = &bundle["records"]["sealed"];
            let captured = usize::from(!failed && kind == StepKind::ToolCall);
            assert_eq!(sealed["activity_evidence"].as_array().map(Vec::len), Some(captured), "{sealed}");
            assert_eq!(sealed["steps"][0]["activity_hash"].is_null(), captured == 0);
            let failures = sealed["capture_failures"].as_array().unwrap();
            let classes: Vec<_> = failures.iter().map(|failure| failure["evidence_class"].as_str().unwrap()).collect();
            assert_eq!(classes, if failed { vec!["B"] } else { vec![] });
        }
    }

    /// Class H is never empty: what the server saw itself is in it.
    async fn how_a_run_came_in_is_in_its_record(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let long = format!("agent/1 {}", "x".repeat(9_000));
        for (named, kept) in [
            (Some("curl/8.5.0"), Some("curl/8.5.0")),
            (Some("bot/2 (mailto: jane@acme.example)"), Some("bot/2 (mailto: <REDACTED:EMAIL>)")),
            (Some(long.as_str()), Some("...<CUT:9008:")),
            (None, None),
        ] {
            let ctx = CallContext { user_agent: named.map(str::to_owned), ..agent.ctx.clone() };
            let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
            let run = activity::start(&kit.spine, &ctx, request).await.unwrap().run.id;
            agent.complete(run).await.unwrap();
            let (seen, bundle) = agent.verified(run).await;
            assert_eq!((seen.word, seen.grade), (Word::Complete, Some(IntegrityGrade::Pass)), "{seen}");
            let held = &bundle["records"]["sealed"]["environment_evidence"][0];
            assert_eq!((&held["way_in"], &held["hoc_version"]), (&json!("REST"), &json!("0.0.0-test")));
            match kept {
                None => assert!(held["user_agent"].is_null(), "{held}"),
                Some(kept) => assert!(held["user_agent"].as_str().unwrap().contains(kept), "{held}"),
            }
        }
    }

    async fn a_trace_says_in_which_encoding_it_came_or_that_it_was_in_a_file(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let ctx = CallContext { user_agent: Some("OTel-Exporter/1.2".to_owned()), ..agent.ctx.clone() };
        let json = |trace| json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [call(trace, 1)] }] }] }).to_string();
        activity::ingest(&kit.spine, &ctx, SpanEncoding::Json, json(1).as_bytes()).await.unwrap();
        let protobuf = protobuf_span();
        activity::ingest(&kit.spine, &ctx, SpanEncoding::Protobuf, &protobuf).await.unwrap();
        let by = SystemCaller { name: "ana".to_owned() };
        activity::ingest_as(&kit.spine, &by, "acme", SpanEncoding::Json, json(2).as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        for run in runs(&agent).await {
            let (_, bundle) = agent.verified(run.id).await;
            let held = bundle["records"]["sealed"]["environment_evidence"][0].clone();
            seen.push((held["way_in"].clone(), held["user_agent"].clone()));
        }
        seen.sort_by_key(|(way_in, _)| way_in.to_string());
        let exporter = json!("OTel-Exporter/1.2");
        let expected = [("FILE", json!(null)), ("OTLP_JSON", exporter.clone()), ("OTLP_PROTOBUF", exporter)];
        assert_eq!(seen, expected.map(|(way_in, named)| (json!(way_in), named)));
    }

    async fn a_model_call_that_says_nothing_of_its_answer_is_a_failed_capture(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let known = LlmReport { model: Some("gpt-4o".to_owned()), ..LlmReport::default() };
        for (says, grade) in [
            (None, IntegrityGrade::Warn),
            (Some(LlmReport::default()), IntegrityGrade::Warn),
            (Some(LlmReport { finish_reason: Some("stop".to_owned()), ..LlmReport::default() }), IntegrityGrade::Warn),
            (Some(known), IntegrityGrade::Pass),
            (Some(LlmReport { output_tokens: 1, ..LlmReport::default() }), IntegrityGrade::Warn),
            (Some(LlmReport { output_tokens: 1, response: Some("yes".to_owned()), ..LlmReport::default() }), IntegrityGrade::Pass),
        ] {
            let run = agent.start().await;
            let report = StepReport { llm: says.clone(), ..llm(1) };
            assert_eq!(report.kind, StepKind::LlmCall);
            agent.record(run, report).await.unwrap();
            agent.complete(run).await.unwrap();
            let (report, _) = agent.verified(run).await;
            assert_eq!((report.word, report.grade), (Word::Complete, Some(grade)), "{says:?}: {report}");
        }
    }
}
