//! Captured requests of real SDKs: the same conversation gives the same steps in every dialect.

use std::{collections::BTreeSet, fs, path::Path};

use adapters::inbound::Otlp;
use orchestrator::ports::{ReportedSpan, SpanAct, SpanCodec as _, SpanEncoding};

/// The spans of a folder of captures, in the order in which they were sent.
fn spans(dialect: &str) -> Vec<ReportedSpan> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/otlp").join(dialect);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let is_json = path.extension().is_some_and(|ext| ext == "json");
        let encoding = if is_json { SpanEncoding::Json } else { SpanEncoding::Protobuf };
        let read = Otlp.decode(encoding, &fs::read(path).unwrap()).unwrap();
        assert_eq!(read.rejected.count, 0, "{}", path.display());
        assert!(!read.sources[0].agent_id.is_empty());
        read.spans
    };
    files.iter().flat_map(read).collect()
}

fn line(report: &ReportedSpan) -> String {
    let kind = format!("{:?}", report.act);
    let Some(llm) = &report.llm else {
        let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let (input, output) = (size(&report.params), size(&report.outcome_data));
        return format!("{} {} {input} -> {output}", kind, report.skill_name);
    };
    format!(
        "{} {} {} {} {}+{} ({} cached, {} reasoning) {:?}",
        kind,
        report.skill_name,
        llm.provider.as_deref().unwrap_or("-"),
        llm.model.as_deref().unwrap_or("-"),
        llm.input_tokens,
        llm.output_tokens,
        llm.cache_read_tokens,
        llm.reasoning_tokens,
        llm.finish_reason.as_deref().unwrap_or("-"),
    )
}

fn lines(dialect: &str) -> String {
    spans(dialect).iter().map(|report| line(report) + "\n").collect()
}

#[test]
fn each_folder_is_one_run_with_the_tokens_that_were_used() {
    for (dialect, calls, tools, input, output) in [
        ("otel", 5, 0, 87, 36),
        ("openllmetry", 5, 0, 87, 36),
        ("openinference", 5, 0, 87, 36),
        ("langchain-openinference", 2, 1, 42, 18),
        ("js-openinference", 1, 0, 21, 9),
    ] {
        let spans = spans(dialect);
        let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace_id.as_str()).collect();
        assert_eq!(traces.len(), 1, "{dialect}");
        let of_kind = |kind| spans.iter().filter(|span| span.act == kind).count();
        assert_eq!((of_kind(SpanAct::ModelCall), of_kind(SpanAct::ToolCall)), (calls, tools), "{dialect}");
        let counted = spans.iter().filter_map(|span| span.llm.as_ref());
        let sums = counted.fold((0, 0), |sum, llm| (sum.0 + llm.input_tokens, sum.1 + llm.output_tokens));
        assert_eq!(sums, (input, output), "{dialect}");
        assert!(spans.iter().all(|span| (span.act == SpanAct::ModelCall) == span.llm.is_some()));
    }
}

#[test]
fn roots_and_parents_are_those_of_the_spans() {
    for dialect in ["otel", "openllmetry", "openinference", "langchain-openinference"] {
        let reports = spans(dialect);
        let roots: Vec<_> = reports.iter().filter(|report| report.parent_span_id.is_none()).collect();
        assert_eq!(roots.len(), 1, "{dialect}");
        let ids: BTreeSet<_> = reports.iter().map(|report| report.span_id.clone()).collect();
        assert_eq!(ids.len(), reports.len());
        assert!(
            reports.iter().all(|report| report.parent_span_id.as_ref().is_none_or(|id| ids.contains(id)))
        );
        assert!(reports.iter().all(|report| report.started_at.is_some()));
    }
}

#[test]
fn dialects_that_tell_as_much_give_the_same_steps() {
    // Every other stream leaves the reasoning out, and OpenTelemetry's own instrumentation the details of the tokens.
    insta::assert_snapshot!(lines("openinference"), @r###"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "tool_calls"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "stop"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "stop"
ModelCall openai.embeddings openai text-embedding-3-small 3+0 (0 cached, 0 reasoning) "-"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "stop"
Other agent run 0 -> 0
"###);
    insta::assert_snapshot!(lines("openllmetry"), @r###"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "tool_calls"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "stop"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 0 reasoning) "stop"
ModelCall openai.embeddings openai text-embedding-3-small 3+0 (0 cached, 0 reasoning) "-"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "stop"
Other agent run 0 -> 0
"###);
    insta::assert_snapshot!(lines("otel"), @r###"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (0 cached, 0 reasoning) "tool_calls"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (0 cached, 0 reasoning) "stop"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (0 cached, 0 reasoning) "-"
ModelCall openai.embeddings openai text-embedding-3-small 3+0 (0 cached, 0 reasoning) "-"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (0 cached, 0 reasoning) "stop"
Other agent run 0 -> 0
"###);
    insta::assert_snapshot!(lines("langchain-openinference"), @r###"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "tool_calls"
Other model 201 -> 1144
ToolCall get_weather 16 -> 209
Other tools 118 -> 259
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "stop"
Other model 1519 -> 1069
Other weather-agent 63 -> 2517
"###);
    insta::assert_snapshot!(lines("js-openinference"), @r###"
ModelCall openai.chat openai gpt-4o-2024-08-06 21+9 (4 cached, 2 reasoning) "tool_calls"
"###);
}

#[test]
fn what_was_said_reads_the_same_in_each_dialect() {
    let said = |dialect: &str| -> Vec<_> {
        let calls = spans(dialect).into_iter().filter_map(|report| report.llm);
        calls.map(|llm| (llm.prompt, llm.response)).collect()
    };
    let (one, other) = (said("openllmetry"), said("openinference"));
    assert_eq!(one[..3], other[..3]);
    assert_eq!(one[4], other[4]);
    // Only OpenInference keeps what an embedding answered.
    assert_eq!(one[3].0, other[3].0);
    insta::assert_snapshot!(one[1].0.as_deref().unwrap(), @r###"[{"role":"user","content":"Weather in Oslo?"},{"role":"assistant","tool_calls":[{"id":"call_1","name":"get_weather","arguments":{"city":"Oslo"}}]},{"role":"tool","content":"4C","tool_call_id":"call_1"}]"###);
    insta::assert_snapshot!(one[0].1.as_deref().unwrap(), @r###"[{"role":"assistant","tool_calls":[{"id":"call_1","name":"get_weather","arguments":{"city":"Oslo"}}]}]"###);
}
