//! `POST /v1/traces`: what exporters send, and what they are answered.

use std::io::Write as _;

use axum::body::Body;
use flate2::{Compression, write::GzEncoder};
use futures::stream;
use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::{ACME, Answer, App, OTHER},
    broken::odd_values,
    console::session,
    scene::ACTIVITY,
};

const TRACES: &str = "/v1/traces";
const TRACE: &str = "5b8efff798038103d269b633813fc60c";

/// A model call of so many tokens.
fn chat(id: u64, input: u64) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"traceId": TRACE, "spanId": format!("{id:016x}"), "parentSpanId": "00000000000000ff", "name": "chat gpt-4o",
        "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042237159", "attributes": [
            text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-4o"), text("gen_ai.prompt.0.content", "Weather in Oslo?"),
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": input.to_string()}}]})
}

fn body(spans: &[Value]) -> Value {
    let service = json!([{"key": "service.name", "value": {"stringValue": "weather"}}]);
    json!({"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [{"spans": spans}]}]})
}

async fn send(app: &App, key: &str, spans: &[Value]) -> Answer {
    app.post(TRACES).key(key).json(&body(spans)).send().await
}

/// The one run there is, and its steps.
async fn run(app: &App, key: &str) -> (Value, Vec<Value>) {
    let runs = app.get(format!("{ACTIVITY}/runs")).key(key).send().await.expect(200);
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(1), "{runs}");
    let id = runs["items"][0]["run_id"].as_str().expect("an id");
    let run = app.get(format!("{ACTIVITY}/runs/{id}")).key(key).send().await.expect(200);
    let steps = app.get(format!("{ACTIVITY}/runs/{id}/steps?limit=200")).key(key).send().await.expect(200);
    (run, steps["items"].as_array().expect("a list").clone())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

#[tokio::test]
async fn a_trace_is_a_run_and_a_span_is_a_step() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let answer = send(&app, &agent, &[chat(1, 21), chat(2, 22)]).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"));
    assert_eq!(answer.header("content-type"), "application/json");
    let (run, steps) = self::run(&app, &agent).await;
    assert_eq!(
        (&run["agent_id"], &run["source"], &run["assurance"], &run["status"]),
        (&"weather".into(), &"otlp".into(), &"REPORTED".into(), &"RUNNING".into())
    );
    assert_eq!((&run["input_tokens"], &run["step_count"]), (&43.into(), &2.into()));
    assert_eq!(steps.len(), 2);
    assert_eq!((&steps[0]["kind"], &steps[0]["skill_name"]), (&"LLM_CALL".into(), &"openai.chat".into()));
}

/// An agent of which nothing else tells stands for its calls: that nobody can read what they used is told with it.
#[tokio::test]
async fn a_use_that_nobody_can_read_is_told_of_whatever_reports_it() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let mut sum = chat(1, 1);
    sum["attributes"] = json!([
        {"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"stringValue": "12,345"}},
    ]);
    send(&app, &agent, &[sum]).await.expect(200);
    let (run, steps) = self::run(&app, &agent).await;
    assert_eq!((&run["cost_known"], &steps[0]["kind"]), (&false.into(), &"OTHER".into()));
    let told = &steps[0]["llm"];
    assert_eq!((&told["cost_note"], &told["cost_usd"]), (&"NO_TOKENS".into(), &Value::Null), "{steps:?}");
}

/// A model that is in the book, with counts that nobody can price: the Overview does not blame the book.
#[tokio::test]
async fn the_overview_blames_no_price_book_for_counts_that_nobody_can_read() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    let mut unread = chat(1, 1);
    let counts = unread["attributes"].as_array_mut().expect("a list");
    counts.pop();
    counts.push(json!({"key": "gen_ai.usage.input_tokens", "value": {"stringValue": "12,345"}}));
    send(&app, &agent, &[unread]).await.expect(200);
    let told = app.get("/console/overview").header("cookie", &cookie).send().await.text;
    assert!(told.contains("Nobody knows what 1 of them cost"), "{told}");
    assert!(told.contains("not all of their tokens are known, no price book"), "{told}");
}

/// The page that people see first says it, and leads to why.
#[tokio::test]
async fn the_console_tells_of_rejected_spans() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    let page = async || app.get("/console/overview").header("cookie", &cookie).send().await.text;
    assert!(!page().await.contains("could not be recorded"));
    let mut nameless = chat(2, 22);
    nameless["spanId"] = "".into();
    send(&app, &agent, &[chat(1, 21), nameless]).await;
    let told = page().await;
    assert!(told.contains("1 span of an exporter could not be recorded in the last 24 hours."), "{told}");
    let why = "/console/logs/system?component=ingest";
    assert!(told.contains(&format!("<a href=\"{why}\">System records</a> say why.")), "{told}");
    let records = app.get(why).header("cookie", &cookie).send().await.text;
    assert!(records.contains("1 span(s) could not be recorded"), "{records}");
}

/// A kill of a trace keeps none of its spans out, and its page says so.
#[tokio::test]
async fn the_page_of_a_killed_trace_says_that_its_spans_are_recorded() {
    let app = App::new().await;
    let (agent, operator) = (app.key(Role::Agent).await, app.key(Role::Operator).await);
    let cookie = session(&app, &operator).await;
    send(&app, &agent, &[chat(1, 21)]).await.expect(200);
    let (killed, _) = run(&app, &agent).await;
    let id = killed["run_id"].as_str().expect("an id");
    let path = format!("/console/activity/runs/{id}");
    let page = async || app.get(&path).header("cookie", &cookie).send().await.text;
    let before = page().await;
    assert!(before.contains("An exporter is told nothing") && !before.contains("is not stored"), "{before}");
    app.post(format!("{ACTIVITY}/runs/{id}/kill")).key(&operator).send().await.expect(200);
    send(&app, &agent, &[chat(2, 22)]).await.expect(200);
    let told = page().await;
    for says in
        ["Spans that its tracer still sends are recorded as late ones.", "<dd>1 step, counted above</dd>"]
    {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(!told.contains("stored any more"), "{told}");
}

/// Of whatever kind a step is, it says whether it counts: the run's numbers can be followed from its steps.
#[tokio::test]
async fn a_step_says_whether_it_counts() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let tool = |id: u64, parent: u64| {
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let mut span = chat(id, 0);
        span["parentSpanId"] = format!("{parent:016x}").into();
        span["attributes"] =
            json!([text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "search")]);
        span
    };
    send(&app, &agent, &[tool(1, 0xff)]).await;
    send(&app, &agent, &[tool(2, 1)]).await;
    let (run, steps) = self::run(&app, &agent).await;
    let told: Vec<_> = steps.iter().map(|step| (&step["kind"], &step["counts"])).collect();
    let tool_call = Value::from("TOOL_CALL");
    assert_eq!(told, [(&tool_call, &Value::Bool(false)), (&tool_call, &Value::Bool(true))]);
    assert_eq!(run["tool_call_count"], 1);
}

#[tokio::test]
async fn a_body_sent_twice_changes_nothing() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let spans = [chat(1, 21), chat(2, 22), chat(1, 21)];
    assert_eq!(send(&app, &agent, &spans).await.text, "{}", "twice in one body, too");
    let before = run(&app, &agent).await;
    assert_eq!(before.1.len(), 2);
    assert_eq!(send(&app, &agent, &spans).await.text, "{}");
    assert_eq!(run(&app, &agent).await, before);
    let answer = send(&app, &agent, &[chat(1, 7), chat(3, 1)]).await.expect(200);
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1", "first truth wins: {answer}");
    assert_eq!(run(&app, &agent).await.0["input_tokens"], 44);
}

#[tokio::test]
async fn every_way_to_send_is_the_same() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let bytes = body(&[chat(1, 21)]).to_string().into_bytes();
    let pieces = bytes.chunks(100).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let ways = [
        ("application/json", None, Body::from(bytes.clone())),
        ("application/json; charset=utf-8", None, Body::from(bytes.clone())),
        ("Application/JSON", Some("identity"), Body::from(bytes.clone())),
        ("application/json", Some("gzip"), Body::from(gzip(&bytes))),
        ("application/json", None, Body::from_stream(stream::iter(pieces))),
    ];
    for (content_type, packed, body) in ways {
        let mut call = app.post(TRACES).key(&agent).header("content-type", content_type).body(body);
        if let Some(packed) = packed {
            call = call.header("content-encoding", packed);
        }
        let answer = call.send().await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"), "{content_type} {packed:?}");
    }
    assert_eq!(run(&app, &agent).await.1.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_words_of_the_request() {
    let app = App::within(api::Bounds { span_bytes: 4_096, ..api::Bounds::default() }).await;
    let agent = app.key(Role::Agent).await;
    let call = |content_type: &str| app.post(TRACES).key(&agent).header("content-type", content_type);
    let answer = call("application/json").body(Body::from("{")).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "application/json"));
    assert_eq!(answer.json()["code"], 3);
    assert!(answer.header("x-request-id") == "req-test");
    let answer = call("application/x-protobuf").body(Body::from("nonsense")).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "application/x-protobuf"));
    assert_eq!(answer.text.as_bytes()[..2], [8, 3]);
    let empty = call("application/x-protobuf").send().await;
    assert_eq!((empty.status.as_u16(), empty.text.as_str()), (200, ""));
    assert_eq!(call("text/plain").body(Body::from("{}")).send().await.problem(415), "unsupported_media_type");
    assert_eq!(app.post(TRACES).key(&agent).send().await.problem(415), "unsupported_media_type");
    let packed =
        call("application/json").header("content-encoding", "br").body(Body::from("{}")).send().await;
    assert_eq!(packed.problem(415), "unsupported_media_type");
    let large = vec![b' '; 5_000];
    assert_eq!(
        call("application/json").body(Body::from(large.clone())).send().await.problem(413),
        "body_too_large"
    );
    let bomb = call("application/json").header("content-encoding", "gzip").body(Body::from(gzip(&large)));
    assert_eq!(bomb.send().await.problem(413), "body_too_large");
    let odd = call("application/json").header("content-encoding", "gzip").body(Body::from("{}"));
    assert_eq!(odd.send().await.problem(400), "bad_request");
    let viewer = app.key(Role::Viewer).await;
    assert_eq!(send(&app, &viewer, &[]).await.problem(403), "forbidden");
}

/// An exporter that is answered 400 or 413 sends that body no more, and tells nobody.
#[tokio::test]
async fn a_body_that_is_refused_whole_is_told_to_people() {
    let app = App::within(api::Bounds { span_bytes: 4_096, ..api::Bounds::default() }).await;
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    for (body, status, why) in [
        (vec![b' '; 5_000], 413, "a body may have 4096 bytes"),
        (b"{".to_vec(), 400, "it is no ExportTraceServiceRequest"),
    ] {
        // What one key sends after that waits for its next record.
        let agent = app.key(Role::Agent).await;
        let call = app.post(TRACES).key(&agent).header("content-type", "application/json");
        assert_eq!(call.body(Body::from(body)).send().await.status.as_u16(), status);
        let page = app.get("/console/logs/system?component=ingest").header("cookie", &cookie);
        let records = page.send().await.text;
        assert!(records.contains(why), "{records}");
    }
}

#[tokio::test]
async fn a_bad_span_is_counted_and_its_neighbours_are_taken() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let mut odd = chat(2, 1);
    odd["spanId"] = "12".into();
    let answer = send(&app, &agent, &[chat(1, 21), odd, chat(3, 1)]).await.expect(200);
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");
    assert!(
        answer["partialSuccess"]["errorMessage"].as_str().is_some_and(|text| text.contains("span id")),
        "{answer}"
    );
    assert_eq!(run(&app, &agent).await.1.len(), 2);
    // Why it is none is told in its own words, without what nobody may keep.
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    for (member, value) in
        [("spanId", token.to_owned()), ("traceId", token.to_owned()), ("spanId", "x".repeat(100_000))]
    {
        let mut odd = chat(4, 1);
        odd[member] = value.into();
        let answer = send(&app, &agent, &[odd]).await;
        assert!(!answer.text.contains(token) && answer.text.len() < 2_000, "{:.3000}", answer.text);
    }
}

#[tokio::test]
async fn tenants_that_share_a_trace_id_share_nothing_else() {
    let app = App::new().await;
    let (one, other) = (app.kit.token(ACME, Role::Admin).await, app.kit.token(OTHER, Role::Admin).await);
    send(&app, &one, &[chat(1, 21)]).await.expect(200);
    send(&app, &other, &[chat(1, 7), chat(2, 7)]).await.expect(200);
    let (first, second) = (run(&app, &one).await, run(&app, &other).await);
    assert_eq!((&first.0["input_tokens"], first.1.len()), (&21.into(), 1));
    assert_eq!((&second.0["input_tokens"], second.1.len()), (&14.into(), 2));
    assert_ne!(first.0["run_id"], second.0["run_id"]);
}

#[tokio::test]
async fn no_value_of_any_member_makes_the_server_fail() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let full = || {
        let mut span = chat(1, 21);
        span["events"] = json!([{"name": "exception", "timeUnixNano": "1", "attributes": []}]);
        span["status"] = json!({"code": 1});
        body(&[span])
    };
    let span = "/resourceSpans/0/scopeSpans/0/spans/0";
    let mut places: Vec<String> = [
        "",
        "/resourceSpans",
        "/resourceSpans/0",
        "/resourceSpans/0/resource",
        "/resourceSpans/0/resource/attributes/0/value",
        "/resourceSpans/0/scopeSpans",
        "/resourceSpans/0/scopeSpans/0",
        "/resourceSpans/0/scopeSpans/0/spans",
    ]
    .map(str::to_owned)
    .to_vec();
    for member in full().pointer(span).and_then(Value::as_object).expect("a span").keys() {
        places.push(format!("{span}/{member}"));
    }
    for attribute in 0..5 {
        for member in ["", "/key", "/value", "/value/stringValue", "/value/intValue"] {
            places.push(format!("{span}/attributes/{attribute}{member}"));
        }
    }
    for place in places {
        for value in odd_values() {
            let mut body = full();
            let Some(member) = body.pointer_mut(&place) else { continue };
            *member = value;
            let answer = app.post(TRACES).key(&agent).json(&body).send().await;
            let shown = body.to_string().chars().take(300).collect::<String>();
            assert!([200, 400].contains(&answer.status.as_u16()), "{place} {shown}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_service_whose_name_is_a_pattern_is_one_agent() {
    let app = App::new().await;
    let (admin, agent) = (app.key(Role::Admin).await, app.key(Role::Agent).await);
    let mut body = body(&[chat(1, 7)]);
    body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"] = "team/*".into();
    app.post(TRACES).key(&agent).json(&body).send().await.expect(200);
    assert_eq!(run(&app, &admin).await.0["agent_id"], "team/_");
}

#[tokio::test]
async fn spans_of_an_agent_that_the_key_does_not_speak_for_are_not_taken() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let made = json!({"role": "agent", "agents": ["weather"]});
    let made = app.post("/api/v1/account/keys").key(&admin).json(&made).send().await.expect(201);
    let key = made["key"].as_str().expect("a key");
    let of = |trace: &str, service: &str| {
        let mut body = body(&[chat(1, 7)]);
        body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"] = service.into();
        body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = trace.into();
        body["resourceSpans"][0].clone()
    };
    let (own, other) = (of(TRACE, "weather"), of("00000000000000000000000000000001", "weather2"));
    let send = async |spans: &[&Value]| {
        app.post(TRACES).key(key).json(&json!({"resourceSpans": spans})).send().await
    };
    // An exporter tells of an error; a partial success most of them hide.
    assert_eq!(send(&[&other]).await.problem(403), "agent_not_bound");
    let answer = send(&[&own, &other]).await.expect(200);
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1", "{answer}");
    let why = answer["partialSuccess"]["errorMessage"].as_str().expect("why");
    assert!(why.contains("weather2") && why.contains("weather,"), "{why}");
    assert_eq!(run(&app, &admin).await.0["agent_id"], "weather");
}
