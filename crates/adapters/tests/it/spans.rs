//! Spans made for a point: what is read of each dialect, what is no step, and what the answers are.

use adapters::inbound::Otlp;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use orchestrator::ports::{
    RejectedSpans, ReportedSpan, ReportedSpans, SpanAct, SpanCodec as _, SpanEncoding,
};
use prost::Message as _;
use serde_json::{Value, json};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

/// A span in JSON, with attributes given as plain values.
pub(crate) fn span(id: &str, attributes: &Value) -> Value {
    let attributes: Vec<Value> = attributes
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": any(value) }))
        .collect();
    json!({ "traceId": TRACE, "spanId": id, "name": "a span", "kind": 1, "startTimeUnixNano": "1795238603931000000",
        "endTimeUnixNano": "1795238604042237159", "attributes": attributes })
}

fn any(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "stringValue": text }),
        Value::Number(number) if number.is_i64() => json!({ "intValue": number.to_string() }),
        Value::Number(number) => json!({ "doubleValue": number }),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Array(values) => {
            json!({ "arrayValue": { "values": values.iter().map(any).collect::<Vec<_>>() } })
        }
        Value::Object(members) => {
            let values: Vec<Value> =
                members.iter().map(|(key, value)| json!({ "key": key, "value": any(value) })).collect();
            json!({ "kvlistValue": { "values": values } })
        }
        Value::Null => Value::Null,
    }
}

fn body(spans: &[Value]) -> Vec<u8> {
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] }).to_string().into_bytes()
}

pub(crate) fn read(spans: &[Value]) -> ReportedSpans {
    Otlp.decode(SpanEncoding::Json, &body(spans)).unwrap()
}

/// What a whole body says.
pub(crate) fn json(body: &Value) -> ReportedSpans {
    Otlp.decode(SpanEncoding::Json, body.to_string().as_bytes()).unwrap()
}

pub(crate) fn step(attributes: &Value) -> ReportedSpan {
    let mut read = read(&[span("eee19b7ec3c1b174", attributes)]);
    assert_eq!(read.rejected, RejectedSpans::default());
    read.spans.pop().unwrap()
}

/// A provider names the model that answered with its date; a rule may want either.
#[test]
fn a_call_has_the_model_that_was_asked_for_and_the_one_that_answered() {
    let base = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai" });
    let (asked, answered) = ("gpt-4o", "gpt-4o-2024-08-06");
    for (extra, model, requested) in [
        (json!({ "gen_ai.request.model": asked, "gen_ai.response.model": answered }), answered, Some(asked)),
        (json!({ "gen_ai.response.model": answered, "llm.request.model": asked }), answered, Some(asked)),
        (json!({ "gen_ai.request.model": asked }), asked, Some(asked)),
        (json!({ "gen_ai.request.model": asked, "gen_ai.response.model": "" }), asked, Some(asked)),
        (json!({ "gen_ai.response.model": answered }), answered, None),
        (json!({ "llm.model_name": answered }), answered, None),
    ] {
        let mut all = base.clone();
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let call = step(&all).llm.unwrap();
        assert_eq!(
            (call.model.as_deref(), call.model_requested.as_deref()),
            (Some(model), requested),
            "{extra}"
        );
    }
}

#[test]
fn a_call_costs_what_its_span_says() {
    let base = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m" });
    let with = |extra: Value| {
        let mut all = base.clone();
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        step(&all).llm.unwrap()
    };
    assert_eq!(with(json!({})).cost_nanousd, None, "a price book may know");
    assert_eq!(with(json!({ "gen_ai.usage.cost": 0.000_000_000_5 })).cost_nanousd, Some(1), "half up");
    assert_eq!(with(json!({ "llm.cost.total": 0.25 })).cost_nanousd, Some(250_000_000));
    assert_eq!(
        with(json!({ "llm.cost.prompt": 0.1, "llm.cost.completion": 0.2 })).cost_nanousd,
        Some(300_000_000)
    );
    assert_eq!(with(json!({ "llm.cost.total": -1.0 })).cost_nanousd, None);
    let old = with(json!({ "gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.completion_tokens": "4" }));
    assert_eq!((old.input_tokens, old.output_tokens), (3, 4));
    let both = with(json!({ "gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 3 }));
    assert_eq!(both.input_tokens, 3, "the newer name is believed");
    assert_eq!(with(json!({ "llm.usage.total_tokens": 9, "gen_ai.usage.output_tokens": 4 })).input_tokens, 5);
    assert_eq!(with(json!({ "gen_ai.usage.input_tokens": -3 })).input_tokens, 0);
    assert_eq!(with(json!({ "gen_ai.usage.input_tokens": 9_007_199_254_740_993_i64 })).input_tokens, 0);
}

#[test]
fn the_kind_alone_decides_what_counts() {
    let usage = json!({ "gen_ai.usage.input_tokens": 21, "gen_ai.usage.output_tokens": 9, "gen_ai.request.model": "m",
        "gen_ai.system": "OpenAI", "llm.token_count.prompt": 21 });
    let with = |name: &str, word: &str| {
        let mut all = usage.clone();
        all[name] = word.into();
        step(&all)
    };
    for (name, word, kind) in [
        ("openinference.span.kind", "LLM", SpanAct::ModelCall),
        ("openinference.span.kind", "EMBEDDING", SpanAct::ModelCall),
        ("openinference.span.kind", "AGENT", SpanAct::Other),
        ("openinference.span.kind", "CHAIN", SpanAct::Other),
        ("openinference.span.kind", "TOOL", SpanAct::ToolCall),
        ("openinference.span.kind", "RETRIEVER", SpanAct::Retrieval),
        ("openinference.span.kind", "GUARDRAIL", SpanAct::Other),
        ("gen_ai.operation.name", "chat", SpanAct::ModelCall),
        ("gen_ai.operation.name", "text_completion", SpanAct::ModelCall),
        ("gen_ai.operation.name", "embeddings", SpanAct::ModelCall),
        ("gen_ai.operation.name", "execute_tool", SpanAct::ToolCall),
        ("gen_ai.operation.name", "invoke_agent", SpanAct::Other),
        ("gen_ai.operation.name", "create_agent", SpanAct::Other),
        ("gen_ai.operation.name", "of_a_later_version", SpanAct::ModelCall),
        ("gen_ai.operation.name", "chat.completions", SpanAct::ModelCall),
        ("gen_ai.operation.name", "_OTHER", SpanAct::ModelCall),
        ("gen_ai.operation.name", "InvokeModel", SpanAct::ModelCall),
        ("gen_ai.operation.name", "executeTool", SpanAct::ToolCall),
        ("gen_ai.operation.name", "invokeAgent", SpanAct::Other),
        ("langfuse.observation.type", "generation", SpanAct::ModelCall),
        ("langfuse.observation.type", "tool", SpanAct::ToolCall),
        ("langsmith.span.kind", "chain", SpanAct::Other),
        ("gen_ai.span.kind", "RETRIEVER", SpanAct::Retrieval),
        ("llm.request.type", "chat", SpanAct::ModelCall),
        ("llm.request.type", "embedding", SpanAct::ModelCall),
        ("llm.request.type", "rerank", SpanAct::Retrieval),
        ("traceloop.span.kind", "workflow", SpanAct::Other),
        ("traceloop.span.kind", "task", SpanAct::Other),
        ("traceloop.span.kind", "agent", SpanAct::Other),
        ("traceloop.span.kind", "tool", SpanAct::ToolCall),
        ("gen_ai.agent.name", "weather", SpanAct::ModelCall),
        ("gen_ai.operation.name", "count_tokens", SpanAct::Other),
        ("gen_ai.operation.name", "image_generation", SpanAct::ModelCall),
        ("gen_ai.operation.name", "speech", SpanAct::ModelCall),
        ("gen_ai.operation.name", "audio.transcription", SpanAct::ModelCall),
        ("gen_ai.operation.name", "generate_video", SpanAct::ModelCall),
        ("gen_ai.tool.name", "get_weather", SpanAct::ToolCall),
    ] {
        let report = with(name, word);
        assert_eq!(report.act, kind, "{name} = {word}");
        // What else tells a use is told too: the tree decides whether it counts.
        let tells = kind != SpanAct::ToolCall && word != "count_tokens";
        assert_eq!(report.llm.is_some(), tells, "{name} = {word}");
    }
    let unnamed = step(&usage);
    assert_eq!((unnamed.act, unnamed.skill_name.as_str()), (SpanAct::ModelCall, "openai.chat"));
}

/// A chain may be anything that is wrapped. The conventions' own word beside it says what.
#[test]
fn a_chain_that_is_a_call_is_one() {
    for (said, act, skill_name) in [
        (json!({ "gen_ai.operation.name": "chat" }), SpanAct::ModelCall, "openai.chat"),
        (json!({ "gen_ai.operation.name": "Embeddings" }), SpanAct::ModelCall, "openai.embeddings"),
        (json!({ "llm.request.type": "completion" }), SpanAct::ModelCall, "openai.text_completion"),
        (
            json!({ "gen_ai.operation.name": "own", "llm.request.type": "chat" }),
            SpanAct::ModelCall,
            "openai.chat",
        ),
        (json!({ "gen_ai.operation.name": "invoke_agent" }), SpanAct::Other, "a span"),
        (
            json!({ "gen_ai.operation.name": "invoke_agent", "llm.request.type": "chat" }),
            SpanAct::Other,
            "a span",
        ),
        (
            json!({ "gen_ai.operation.name": "chat", "gen_ai.agent.name": "planner" }),
            SpanAct::Other,
            "planner",
        ),
        (
            json!({ "openinference.span.kind": "AGENT", "gen_ai.operation.name": "chat" }),
            SpanAct::Other,
            "a span",
        ),
        (json!({}), SpanAct::Other, "a span"),
    ] {
        let mut all = json!({ "openinference.span.kind": "CHAIN", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 21, "gen_ai.usage.output_tokens": 9 });
        all.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let step = step(&all);
        assert_eq!((step.act, step.skill_name.as_str()), (act, skill_name), "{said}");
    }
}

/// LangSmith's exporter calls a template a chat and a search an embedding, by the conventions' words that are next to
/// its own.
#[test]
fn langsmiths_own_word_says_more_than_the_one_that_it_is_made_to() {
    for (kind, operation, act) in [
        ("prompt", "chat", SpanAct::Transform),
        ("parser", "chat", SpanAct::Transform),
        ("retriever", "embeddings", SpanAct::Retrieval),
        ("tool", "execute_tool", SpanAct::ToolCall),
        ("chain", "chain", SpanAct::Other),
        ("llm", "chat", SpanAct::ModelCall),
        ("embedding", "embeddings", SpanAct::ModelCall),
        ("of_a_later_version", "chat", SpanAct::ModelCall),
    ] {
        let step = step(&json!({ "langsmith.span.kind": kind, "gen_ai.operation.name": operation,
            "gen_ai.system": "langchain", "gen_ai.prompt": r#"{"input":"hi"}"# }));
        assert_eq!((step.act, step.llm.is_some()), (act, act == SpanAct::ModelCall), "{kind}");
        assert!(act == SpanAct::ModelCall || step.params.is_some(), "{kind}");
    }
    let call = step(
        &json!({ "langsmith.span.kind": "llm", "gen_ai.operation.name": "chat", "langsmith.metadata.thread_id": "t1",
        "langsmith.metadata.session_id": "s1", "gen_ai.response.finish_reasons": "stop, tool_calls" }),
    );
    assert_eq!(call.llm.unwrap().finish_reason.as_deref(), Some("stop"));
    assert_eq!(call.part_of.conversation_id.as_deref(), Some("t1"));
    assert_eq!(call.part_of.session_id.as_deref(), Some("s1"));
}

/// Who tells of a call in words of their own is not read in full; but a call is no step that cost a known nothing.
#[test]
fn what_has_words_of_its_own_is_what_they_say() {
    for (attributes, act) in [
        (json!({ "mlflow.spanType": "\"CHAT_MODEL\"" }), SpanAct::ModelCall),
        (json!({ "mlflow.spanType": "\"LLM\"" }), SpanAct::ModelCall),
        (json!({ "mlflow.spanType": "TOOL" }), SpanAct::ToolCall),
        (json!({ "mlflow.spanType": "\"RETRIEVER\"" }), SpanAct::Retrieval),
        (json!({ "mlflow.spanType": "\"UNKNOWN\"" }), SpanAct::Other),
        (json!({ "lmnr.span.type": "LLM" }), SpanAct::ModelCall),
        (json!({ "lmnr.span.type": "DEFAULT" }), SpanAct::Other),
        (json!({ "lk.function_tool.name": "sh" }), SpanAct::ToolCall),
        (json!({ "haystack.tool.name": "sh" }), SpanAct::ToolCall),
    ] {
        let step = step(&attributes);
        let is_known = step.llm.as_ref().is_none_or(|call| call.cost_note.is_none());
        assert_eq!((step.act, is_known), (act, act != SpanAct::ModelCall), "{attributes}");
    }
    let told = json!({ "mlflow.spanType": "\"CHAT_MODEL\"",
        "mlflow.chat.tokenUsage": r#"{"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}"# });
    let call = step(&told).llm.unwrap();
    assert_eq!((call.input_tokens, call.output_tokens, call.model), (100, 10, None));
    let kernel = json!({ "gen_ai.operation.name": "chat.completions", "gen_ai.response.prompt_tokens": 100,
        "gen_ai.response.completion_tokens": 10 });
    let call = step(&kernel).llm.unwrap();
    assert_eq!((call.input_tokens, call.output_tokens, call.cost_note), (100, 10, None));
}

/// A word that is known is a call, also of a stream that tells no use and in a span of no kind.
#[test]
fn a_call_that_tells_no_use_is_one_by_its_word() {
    for (word, skill_name) in [
        ("chatCompletion", "openai.chat"),
        ("InvokeModelWithResponseStream", "openai.chat"),
        ("chat_stream", "openai.chat"),
        ("text-generation", "openai.text_completion"),
        ("generate_content_stream", "openai.generate_content"),
        ("inference", "openai.chat"),
    ] {
        let step = step(&json!({ "gen_ai.operation.name": word, "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o" }));
        assert_eq!((step.act, step.skill_name.as_str()), (SpanAct::ModelCall, skill_name), "{word}");
        assert!(step.llm.expect(word).cost_note.is_some(), "{word}");
    }
}

/// What speaks, hears, draws or films is a call whether or not anything is told of its use, and text's prices are not
/// its own.
#[test]
fn a_call_for_sounds_or_pictures_has_no_known_cost() {
    for word in ["speech", "audio", "transcription", "image_generation", "images", "video_generation"] {
        for usage in [json!({}), json!({ "gen_ai.usage.input_tokens": 21, "gen_ai.usage.output_tokens": 9 })]
        {
            let mut all = json!({ "gen_ai.operation.name": word, "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o" });
            all.as_object_mut().unwrap().extend(usage.as_object().unwrap().clone());
            let told = step(&all);
            let call = told.llm.expect(word);
            assert_eq!(
                (told.act, call.cost_nanousd, call.cost_note.is_some()),
                (SpanAct::ModelCall, None, true),
                "{word} {usage}"
            );
            all["gen_ai.usage.cost"] = json!(0.5);
            assert_eq!(
                step(&all).llm.expect(word).cost_nanousd,
                Some(500_000_000),
                "{word}: what is told is taken"
            );
        }
    }
}

#[test]
fn a_tool_call_has_its_name_arguments_and_result() {
    let otel = step(&json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": "{\"city\":\"Oslo\"}", "gen_ai.tool.call.result": "4C" }));
    let openinference = step(&json!({ "openinference.span.kind": "TOOL", "tool.name": "get_weather",
        "tool.parameters": "{\"city\":\"Oslo\"}", "output.value": "4C" }));
    let openllmetry = step(&json!({ "traceloop.span.kind": "tool", "traceloop.entity.name": "get_weather",
        "traceloop.entity.input": "{\"city\":\"Oslo\"}", "traceloop.entity.output": "4C" }));
    assert_eq!(otel, openinference);
    assert_eq!(otel, openllmetry);
    assert_eq!(
        (otel.skill_name.as_str(), otel.params.as_deref()),
        ("get_weather", Some("{\"city\":\"Oslo\"}"))
    );
    assert_eq!(otel.outcome_data.as_deref(), Some("{\"output\":\"4C\"}"));
}

#[test]
fn the_same_words_are_the_same_prompt_in_every_form() {
    let prompt = |attributes: Value| {
        let mut all = json!({ "gen_ai.operation.name": "chat" });
        all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        let llm = step(&all).llm.unwrap();
        (llm.prompt, llm.response)
    };
    let said = (Some("Weather in Oslo?".to_owned()), Some("4C".to_owned()));
    assert_eq!(
        prompt(
            json!({ "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"Weather in Oslo?"}]}]"#,
            "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"4C"}],"finish_reason":"stop"}]"# })
        ),
        said
    );
    assert_eq!(
        prompt(json!({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Weather in Oslo?",
            "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "4C" })),
        said
    );
    assert_eq!(
        prompt(json!({ "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "Weather in Oslo?",
            "llm.output_messages.0.message.content": "4C" })),
        said
    );
    assert_eq!(prompt(json!({ "gen_ai.prompt": "Weather in Oslo?", "gen_ai.completion": "4C" })), said);
    assert_eq!(prompt(json!({ "input.value": "Weather in Oslo?", "output.value": "4C" })), said);
    let system = prompt(json!({ "gen_ai.system_instructions": r#"[{"type":"text","content":"Be brief."}]"#,
        "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"# }));
    assert_eq!(
        system.0.as_deref(),
        Some(r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]"#)
    );
}

#[test]
fn one_bad_span_loses_nobody_else() {
    let good = |id: &str| span(id, &json!({}));
    let with = |member: &str, value: Value| {
        let mut bad = good("eee19b7ec3c1b174");
        bad[member] = value;
        bad
    };
    let ids = [
        with("traceId", "5b8efff7".into()),
        with("traceId", "0".repeat(32).into()),
        with("traceId", "xyz".into()),
        with("traceId", 7.into()),
        with("spanId", "eee1".into()),
        with("spanId", "0".repeat(16).into()),
        with("spanId", Value::Null),
        json!("a span"),
    ];
    for bad in ids {
        let read = read(&[good("0000000000000001"), bad.clone(), good("0000000000000002")]);
        assert_eq!((read.spans.len(), read.rejected.count), (2, 1), "{bad}");
        assert!(!read.rejected.message().is_empty(), "{bad}");
    }
    let many: Vec<Value> = (0..100).map(|_| with("spanId", "eee1".into())).collect();
    let rejected = read(&many).rejected;
    assert_eq!(rejected.count, 100);
    assert!(rejected.message().ends_with("; and 95 more"), "{}", rejected.message());
}

#[test]
fn what_is_no_request_is_refused_whole() {
    for body in [
        &b"{"[..],
        b"[]",
        b"",
        b"nonsense",
        br#"{"resourceSpans": 5}"#,
        br#"{"data": []}"#,
        br#"{"resourceMetrics": []}"#,
    ] {
        assert!(Otlp.decode(SpanEncoding::Json, body).is_err(), "{body:?}");
    }
    assert!(Otlp.decode(SpanEncoding::Protobuf, b"nonsense").is_err());
    assert!(Otlp.decode(SpanEncoding::Protobuf, &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
    for body in [&b"{}"[..], br#"{"resourceSpans": []}"#, br#"{"resourceSpans": null, "unknown": 1}"#] {
        assert_eq!(Otlp.decode(SpanEncoding::Json, body).unwrap(), ReportedSpans::default());
    }
    assert_eq!(Otlp.decode(SpanEncoding::Protobuf, b"").unwrap(), ReportedSpans::default());
}

#[test]
fn both_encodings_are_the_same_spans() {
    let attributes = json!({ "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cost": 0.5,
        "gen_ai.response.finish_reasons": ["stop"], "gen_ai.request.temperature": 0.5 });
    let json = span("eee19b7ec3c1b174", &attributes);
    let decoded: Span = serde_json::from_value(json.clone()).unwrap();
    let scope_spans = vec![ScopeSpans { spans: vec![decoded], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let request = ExportTraceServiceRequest { resource_spans };
    let protobuf = Otlp.decode(SpanEncoding::Protobuf, &request.encode_to_vec()).unwrap();
    assert_eq!(protobuf, read(&[json]));
    assert_eq!(protobuf.spans[0].params.as_deref(), Some(r#"{"temperature":0.5}"#));
    assert_eq!(protobuf.spans[0].duration_ms, 111);
}

#[test]
fn a_failed_span_says_why() {
    let mut failed =
        span("eee19b7ec3c1b174", &json!({ "gen_ai.operation.name": "chat", "error.type": "timeout" }));
    failed["status"] = json!({ "code": 2, "message": "no answer" });
    let report = read(&[failed.clone()]).spans.pop().unwrap();
    assert_eq!(report.failure.as_deref(), Some("timeout"));
    assert_eq!(report.outcome_data.as_deref(), Some(r#"{"error":"no answer"}"#));
    failed["status"] = json!({ "code": 2 });
    failed["attributes"] = json!([]);
    failed["events"] = json!([{ "name": "exception", "attributes": [
        { "key": "exception.type", "value": { "stringValue": "ValueError" } },
        { "key": "exception.message", "value": { "stringValue": "odd" } }] }]);
    let report = read(&[failed]).spans.pop().unwrap();
    assert_eq!(report.failure.as_deref(), Some("ValueError"));
    assert_eq!(report.outcome_data.as_deref(), Some(r#"{"error":"odd"}"#));
}

#[test]
fn answers_are_in_the_encoding_of_the_request() {
    let rejected = RejectedSpans { count: 2, reasons: vec!["span 1: odd".to_owned()] };
    assert_eq!(Otlp.answer(SpanEncoding::Json, &RejectedSpans::default()), b"{}");
    assert_eq!(Otlp.answer(SpanEncoding::Protobuf, &RejectedSpans::default()), b"");
    let told: Value = serde_json::from_slice(&Otlp.answer(SpanEncoding::Json, &rejected)).unwrap();
    assert_eq!(told["partialSuccess"]["rejectedSpans"], "2");
    let told = ExportTraceServiceResponse::decode(&*Otlp.answer(SpanEncoding::Protobuf, &rejected)).unwrap();
    let told = told.partial_success.unwrap();
    assert_eq!((told.rejected_spans, told.error_message.as_str()), (2, "span 1: odd; and 1 more"));
    assert_eq!(Otlp.refusal(SpanEncoding::Json, "odd"), br#"{"code":3,"message":"odd"}"#);
    assert_eq!(Otlp.refusal(SpanEncoding::Protobuf, "odd"), [0x08, 3, 0x12, 3, b'o', b'd', b'd']);
}
