//! Requests that are odd in one place: what is odd there costs its neighbours nothing, and itself as little as can be.

use adapters::inbound::Otlp;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event},
};
use orchestrator::ports::{ReportedSpan, ReportedSpans, SpanAct, SpanCodec as _, SpanEncoding};
use prost::Message as _;
use serde_json::{Value, json};

use crate::spans::{read, span};

const ID: &str = "eee19b7ec3c1b174";

fn json(body: &[u8]) -> ReportedSpans {
    Otlp.decode(SpanEncoding::Json, body).unwrap()
}

fn protobuf(body: &[u8]) -> ReportedSpans {
    Otlp.decode(SpanEncoding::Protobuf, body).unwrap()
}

/// The one step of a span with that member.
fn with(member: &str, value: Value) -> ReportedSpan {
    let mut one = span(ID, &json!({ "gen_ai.operation.name": "chat" }));
    one[member] = value;
    let mut read = read(&[one.clone()]);
    assert_eq!(read.rejected.count, 0, "{one}: {:?}", read.rejected);
    read.spans.pop().unwrap()
}

/// What a tool was called with, by a span with that value for its arguments.
fn called_with(value: &Value) -> Option<String> {
    let attributes = json!([{ "key": "gen_ai.tool.name", "value": { "stringValue": "t" } },
        { "key": "gen_ai.tool.call.arguments", "value": value }]);
    let step = with("attributes", attributes);
    assert_eq!((step.act, step.skill_name.as_str()), (SpanAct::ToolCall, "t"));
    step.params
}

#[test]
fn null_is_what_is_not_there() {
    let plain = with("events", json!([]));
    for member in
        ["events", "links", "traceState", "parentSpanId", "status", "flags", "droppedAttributesCount"]
    {
        assert_eq!(with(member, Value::Null), plain, "{member}");
    }
    assert_eq!(with("status", json!({ "code": null, "message": null })), plain);
    assert_eq!(with("events", json!([null])), plain);
    assert_eq!(with("attributes", Value::Null).act, SpanAct::Other);
    let attributes = json!([null, { "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } },
        { "key": "a", "value": null }, { "key": null, "value": { "stringValue": null } }]);
    assert_eq!(with("attributes", attributes).act, SpanAct::ModelCall);
    assert_eq!(
        called_with(
            &json!({ "arrayValue": { "values": [null, { "intValue": null }, { "intValue": "1" }] } })
        )
        .as_deref(),
        Some(r#"{"input":"[1]"}"#)
    );
    let all = json!({ "resourceSpans": [null, { "resource": null, "scopeSpans": null },
        { "scopeSpans": [null, { "scope": null, "spans": null }, { "spans": [null, span(ID, &json!({}))] }] }] });
    let all = json(all.to_string().as_bytes());
    assert_eq!((all.spans.len(), all.rejected.count, all.sources.len()), (1, 0, 1));
}

#[test]
fn numbers_and_words_may_be_quoted_or_not() {
    let plain = with("kind", 3.into());
    for kind in [json!("3"), json!("SPAN_KIND_CLIENT"), json!(3.0), json!("odd"), json!([3])] {
        assert_eq!(with("kind", kind), plain);
    }
    for start in
        [json!(1_795_238_603_931_000_000_u64), json!("1795238603931000000"), json!("1.795238603931e18")]
    {
        assert_eq!(with("startTimeUnixNano", start), plain);
    }
    let soon = with("startTimeUnixNano", json!("soon"));
    assert_eq!(
        (soon.started_at, soon.ended_at, soon.duration_ms),
        (None, None, 0),
        "a time that is not known"
    );
    for code in [json!(2), json!("2"), json!("STATUS_CODE_ERROR")] {
        assert_eq!(with("status", json!({ "code": code })).failure.as_deref(), Some("ERROR"));
        assert_eq!(with("status", code).failure.as_deref(), Some("ERROR"), "the code alone");
    }
    for status in [json!(1), json!("STATUS_CODE_OK"), json!("odd"), json!([2]), json!(true)] {
        assert_eq!(with("status", status.clone()).failure, None, "{status}");
    }
    for (tokens, cost) in [
        (json!({ "intValue": 12 }), json!({ "doubleValue": "0.0125" })),
        (json!({ "intValue": "12.0" }), json!({ "doubleValue": 0.0125 })),
        (json!({ "doubleValue": 12 }), json!({ "doubleValue": "1.25e-2" })),
        (json!({ "stringValue": "12" }), json!({ "stringValue": "0.0125" })),
        (json!({ "int_value": "12" }), json!({ "double_value": 0.0125 })),
        (json!(12), json!(0.0125)),
    ] {
        let attributes = json!([{ "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } },
            { "key": "gen_ai.usage.input_tokens", "value": tokens }, { "key": "gen_ai.usage.cost", "value": cost },
            { "key": "score", "value": { "doubleValue": "NaN" } }, { "key": "low", "value": { "doubleValue": "-Infinity" } }]);
        let llm = with("attributes", attributes.clone()).llm.unwrap();
        assert_eq!((llm.input_tokens, llm.cost_nanousd), (12, Some(12_500_000)), "{attributes}");
    }
}

#[test]
fn names_are_in_either_case_and_ids_in_either_spelling() {
    let plain = with("kind", 1.into());
    let body = |trace: &str, id: &str, parent: Value| {
        let body = json!({ "resource_spans": [{ "scope_spans": [{ "spans": [{ "trace_id": trace, "span_id": id,
            "parent_span_id": parent, "name": "a span", "start_time_unix_nano": "1795238603931000000",
            "end_time_unix_nano": "1795238604042237159", "later": { "a": [1] }, "attributes": [{ "key": "gen_ai.operation.name",
                "value": { "string_value": "chat" } }] }] }] }] });
        json(body.to_string().as_bytes()).spans.pop().unwrap()
    };
    assert_eq!(body("5b8efff798038103d269b633813fc60c", ID, Value::Null), plain);
    assert_eq!(body("5B8EFFF798038103D269B633813FC60C", "EEE19B7EC3C1B174", "".into()), plain);
    assert_eq!(body("W47/95gDgQPSabYzgT/GDA==", "7uGbfsPBsXQ=", "0000000000000000".into()), plain);
    assert_eq!(body("W47_95gDgQPSabYzgT_GDA", "7uGbfsPBsXQ", "AAAAAAAAAAA=".into()), plain);
    let odd = body("5b8efff798038103d269b633813fc60c", ID, "eee1".into());
    assert_eq!(odd.parent_span_id.as_deref(), Some("eee1"), "it is no root");
}

#[test]
fn what_has_another_shape_is_kept_as_its_text() {
    let text = |text: &str| Some(json!({ "input": text }).to_string());
    assert_eq!(called_with(&json!("ls")), text("ls"));
    assert_eq!(called_with(&json!({ "stringValue": 5 })), text("5"));
    assert_eq!(called_with(&json!({ "intValue": "many" })), text("many"));
    assert_eq!(called_with(&json!({ "intValue": 99_999_999_999_999_999_999.0 })), text("1e+20"));
    assert_eq!(called_with(&json!({ "doubleValue": "1e999" })), text("1e999"));
    assert_eq!(called_with(&json!({ "bytesValue": "!" })), text("!"));
    // Bytes that are a text are it, and others are their digits.
    assert_eq!(called_with(&json!({ "bytesValue": "bHM=" })), text("ls"));
    assert_eq!(
        called_with(&json!({ "bytesValue": "eyJjb21tYW5kIjogImxzIn0=" })).as_deref(),
        Some(r#"{"command": "ls"}"#)
    );
    assert_eq!(called_with(&json!({ "bytesValue": "AAH/" })), text("\"0001ff\""));
    assert_eq!(called_with(&json!({ "command": "ls" })).as_deref(), Some(r#"{"command":"ls"}"#));
    assert_eq!(
        called_with(&json!({ "stringValue": { "command": "ls" } })).as_deref(),
        Some(r#"{"command":"ls"}"#)
    );
    assert_eq!(
        called_with(&json!({ "stringValue": "a", "intValue": "1", "later": {} })),
        text("1"),
        "the last of its kinds"
    );
    assert_eq!(called_with(&json!({ "later": {} })).as_deref(), Some(r#"{"later":{}}"#));
    assert_eq!(called_with(&json!({ "arrayValue": ["a", 1, true] })), text(r#"["a",1,true]"#));
    assert_eq!(
        called_with(&json!({ "kvlistValue": { "values": { "command": "ls" } } })).as_deref(),
        Some(r#"{"command":"ls"}"#)
    );
    for attributes in [json!(5), json!("a"), json!([5, "x", { "key": 1 }, ["a"]])] {
        assert_eq!(with("attributes", attributes).act, SpanAct::Other);
    }
    let object = with(
        "attributes",
        json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": { "stringValue": "m" } }),
    );
    assert_eq!(object.llm.unwrap().model.as_deref(), Some("m"));
}

#[test]
fn an_odd_attribute_of_a_resource_costs_only_itself() {
    for odd in [
        json!({ "key": "a", "value": { "doubleValue": "NaN" } }),
        json!({ "key": "a", "value": 5 }),
        json!({ "key": 7 }),
        json!(null),
        json!("a"),
        json!({ "key": "a\0b", "value": { "stringValue": "c\0d" } }),
        json!({ "key": "service.name", "value": { "stringValue": " " } }),
    ] {
        let attributes = json!([odd, { "key": "service.name", "value": { "stringValue": "weather" } }]);
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span(ID, &json!({}))] }],
            "resource": { "attributes": attributes } }] });
        let read = json(body.to_string().as_bytes());
        assert_eq!(read.sources[0].agent_id, "weather", "{odd}");
        assert!(!read.sources[0].environment.as_ref().unwrap().contains("\\u0000"));
    }
}

#[test]
fn texts_that_no_store_keeps_are_marked() {
    let plain = |name: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"{ID}","name":"{name}","name":"{name}"}}]}}]}}]}}"#
        )
    };
    for (given, kept) in
        [(r"a\u0000b", "a\u{fffd}b"), (r"a\ud83db", "a\u{fffd}b"), (r"a\ud83d\ude00b", "a\u{1f600}b")]
    {
        assert_eq!(json(plain(given).as_bytes()).spans[0].skill_name, kept);
    }
    let mut bytes = plain("a?b").into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xff);
    assert_eq!(json(&bytes).spans[0].skill_name, "a\u{fffd}b");
    assert_eq!(json(plain("a\nb").as_bytes()).spans[0].skill_name, "a\nb", "a line end that nobody escaped");
    let bare = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"n",
        "attributes":[{"key":"score","value":{"doubleValue":NaN}}]}]}]}]}"#;
    assert_eq!(json(bare.as_bytes()).spans[0].params.as_deref(), Some(r#"{"score":"NaN"}"#));
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(5_000), "]}}".repeat(5_000));
    let body = plain("a").replace(r#""name":"a","#, &format!(r#""attributes":[{{"key":"deep","value":{deep}}},{{"key":"gen_ai.tool.name","value":{{"stringValue":"t"}}}}],"#));
    let step = json(body.as_bytes()).spans.pop().unwrap();
    assert_eq!((step.skill_name.as_str(), step.cut), ("t", true));
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn tool(arguments: &str) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "call".to_owned(),
        attributes: vec![
            attribute("gen_ai.tool.name", Any::StringValue("t".to_owned())),
            attribute("gen_ai.tool.call.arguments", Any::StringValue(arguments.to_owned())),
        ],
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> Vec<u8> {
    let resource = Some(Resource {
        attributes: vec![attribute("service.name", Any::StringValue("s".to_owned()))],
        ..Resource::default()
    });
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
    .encode_to_vec()
}

/// The bytes with one run of them replaced by as many others.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn protobuf_that_is_odd_in_one_place_costs_that_place() {
    let other = Span { span_id: vec![3; 8], ..tool("{}") };
    let whole = request(vec![tool("ls xx"), other]);
    let texts = |bytes: &[u8]| {
        let read = protobuf(bytes);
        assert_eq!((read.spans.len(), read.rejected.count, read.sources[0].agent_id.as_str()), (2, 0, "s"));
        let [one, two] = <[_; 2]>::try_from(read.spans).unwrap();
        assert_eq!((two.skill_name.as_str(), two.params.as_deref()), ("t", Some("{}")));
        (one.skill_name, one.params.unwrap_or_default(), one.cut)
    };
    let marked = |text: &str| json!({ "input": text }).to_string();
    assert_eq!(texts(&whole), ("t".to_owned(), marked("ls xx"), false));
    assert_eq!(texts(&replaced(&whole, b"ls xx", b"ls \xff\xfe")).1, marked("ls \u{fffd}\u{fffd}"));
    assert_eq!(texts(&replaced(&whole, b"ls xx", b"ls \0\0")).1, marked("ls \u{fffd}\u{fffd}"));
    // A value that says it is longer than its attribute.
    assert_eq!(
        texts(&replaced(&whole, b"\x07\x0a\x05ls xx", b"\x07\x0a\x7fls xx")),
        ("t".to_owned(), String::new(), true)
    );
    // A wire type that there is not.
    assert_eq!(
        texts(&replaced(&whole, b"\x07\x0a\x05ls xx", b"\x07\x0f\x05ls xx")),
        ("t".to_owned(), String::new(), true)
    );
    let deep = (0..200).fold(AnyValue::default(), |value, _| AnyValue {
        value: Some(Any::ArrayValue(ArrayValue { values: vec![value] })),
    });
    let mut span = tool("{}");
    span.attributes.insert(0, KeyValue { key: "deep".to_owned(), value: Some(deep), ..KeyValue::default() });
    let read = protobuf(&request(vec![span, tool("{}")]));
    assert_eq!((read.spans.len(), read.spans[0].skill_name.as_str(), read.spans[0].cut), (2, "t", true));
}

/// What scopes were called once: `instrumentationLibrarySpans`, and field 1000.
#[test]
fn spans_of_an_old_exporter_are_read() {
    for name in ["scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans"]
    {
        let body = json!({ "resourceSpans": [{ name: [{ "spans": [span(ID, &json!({}))] }] }] });
        assert_eq!(json(body.to_string().as_bytes()).spans.len(), 1, "{name}");
    }
    let spans = ScopeSpans { spans: vec![tool("ls")], ..ScopeSpans::default() }.encode_to_vec();
    // Field 1000, within field 1.
    let old = message(&[0x0a], &message(&[0xc2, 0x3e], &spans));
    assert_eq!(protobuf(&old).spans.len(), 1);
}

/// A field that is a message of less than 16,384 bytes.
fn message(tag: &[u8], bytes: &[u8]) -> Vec<u8> {
    let (low, high) = (bytes.len() & 0x7f, bytes.len() >> 7);
    let length = [u8::try_from(low).unwrap() | 0x80, u8::try_from(high).unwrap()];
    [tag, &length, bytes].concat()
}

/// Fields that nobody knows are gone past, groups too: what comes behind them is read.
#[test]
fn a_group_costs_nothing() {
    let span = tool("ls").encode_to_vec();
    // Field 99: empty; with a number, a text and eight and four bytes in it; with another within.
    let groups: [&[u8]; 4] = [
        &[0x9b, 0x06, 0x9c, 0x06],
        &[0x9b, 0x06, 0x08, 0x05, 0x12, 0x01, b'x', 0x9c, 0x06],
        &[0x9b, 0x06, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x0d, 1, 2, 3, 4, 0x9c, 0x06],
        &[0x9b, 0x06, 0x0b, 0x0c, 0x9c, 0x06],
    ];
    let read = |span: &[u8]| {
        let scope = message(&[0x12], &message(&[0x12], span));
        let mut read = protobuf(&message(&[0x0a], &scope));
        assert_eq!((read.spans.len(), read.rejected.count), (1, 0), "{:?}", read.rejected);
        read.spans.pop().unwrap()
    };
    let plain = read(&span);
    for group in groups {
        for span in
            [[group, &span[..]].concat(), [&span[..], group].concat(), [group, group, &span[..]].concat()]
        {
            assert_eq!(read(&span), plain, "{group:x?}");
        }
    }
    assert!(read(&[&span[..], &[0x9b, 0x06]].concat()).cut, "a group without an end");
    assert!(read(&[&span[..], &[0x9c, 0x06]].concat()).cut, "an end without a group");
}

/// A small body may not become a large one: what says nothing is not kept.
#[test]
fn millions_of_empty_things_are_counted_and_not_kept() {
    let nested = |field: u8, bytes: &[u8]| {
        let mut out = vec![field << 3 | 2];
        let mut length = bytes.len();
        while length >= 0x80 {
            out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        out.push(u8::try_from(length).unwrap());
        [out, bytes.to_vec()].concat()
    };
    let many = |field: u8| [field << 3 | 2, 0].repeat(1 << 20);
    let read = protobuf(&many(1));
    assert_eq!((read.spans.len(), read.sources.len(), read.rejected.count), (0, 0, 0), "resources");
    let read = protobuf(&nested(1, &nested(2, &many(2))));
    assert_eq!(
        (read.spans.capacity(), read.rejected.count, read.rejected.reasons.len()),
        (0, 1 << 20, 5),
        "spans"
    );
    let ids = [nested(1, &[1; 16]), nested(2, &[2; 8])].concat();
    let span = [ids, many(9), many(11), many(13)].concat();
    let read = protobuf(&nested(1, &nested(2, &nested(2, &span))));
    assert_eq!(
        (read.spans.len(), read.spans[0].params.as_deref()),
        (1, None),
        "attributes, events and links"
    );
}

#[test]
fn more_spans_than_are_read_of_one_request_are_refused_whole() {
    let body = |count: usize| {
        let one = Span { trace_id: vec![1; 16], span_id: vec![2; 8], ..Span::default() };
        let scope = ScopeSpans { spans: vec![one; count], ..ScopeSpans::default() };
        let of_resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
        ExportTraceServiceRequest { resource_spans: vec![of_resource] }.encode_to_vec()
    };
    assert_eq!(protobuf(&body(32_768)).spans.len(), 32_768);
    let why = Otlp.decode(SpanEncoding::Protobuf, &body(32_769)).unwrap_err();
    assert!(why.0.contains("send them in several requests"), "{why}");
}

/// An SDK keeps 128 attributes of a span by default, and says how many it dropped.
#[test]
fn what_an_exporter_dropped_is_cut() {
    for member in
        ["droppedAttributesCount", "dropped_attributes_count", "droppedEventsCount", "dropped_events_count"]
    {
        for (dropped, is_cut) in [(json!(3), true), (json!("3"), true), (json!(0), false)] {
            assert_eq!(with(member, dropped.clone()).cut, is_cut, "{member} {dropped}");
        }
    }
    assert!(with("events", json!([{ "name": "e", "droppedAttributesCount": 1 }])).cut);
    for dropped in [0, 3] {
        let event = Event { name: "e".to_owned(), dropped_attributes_count: dropped, ..Event::default() };
        for span in [
            Span { dropped_attributes_count: dropped, ..tool("{}") },
            Span { dropped_events_count: dropped, ..tool("{}") },
            Span { events: vec![event], ..tool("{}") },
        ] {
            assert_eq!(protobuf(&request(vec![span])).spans[0].cut, dropped > 0, "{dropped}");
        }
    }
}
