//! The manners of spec 5, one by one.

use std::time::Duration;

use axum::body::Body;
use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::{App, OTHER},
    scene::{
        ACCOUNT, ACTIVITY, INCIDENTS, LOGS, OVERVIEW, POLICIES, Scene, budget, costly, llm_step, start, text,
    },
};

/// A problem's fields, each with its pointer.
fn pointers(problem: &Value) -> Vec<String> {
    problem["errors"].as_array().into_iter().flatten().map(|error| text(&error["pointer"])).collect()
}

#[tokio::test]
async fn money_is_exact_and_rounded_half_up() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let cases = [
        ("0.1", "0.1"),
        ("\"0.1\"", "0.1"),
        ("0.0000000005", "0.000000001"),
        ("0.00000000049", "0"),
        ("4e-7", "0.0000004"),
        ("1e-6", "0.000001"),
        ("0.30000000000000004", "0.3"),
        ("1234567.891011", "1234567.891011"),
        ("0", "0"),
    ];
    for (given, kept) in cases {
        let run = start(&app, &agent).await;
        let step = llm_step("cost").to_string().replace("\"cost\"", given);
        let answer = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).text(step).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.contains(&format!("\"cost_usd\":{kept}")), "{given}: {}", answer.text);
    }
    let run = start(&app, &agent).await;
    for odd in ["-0.01", "\"-1\"", "\"a\"", "true", "9007199.254740993", "[]", "1e99"] {
        let step = llm_step("cost").to_string().replace("\"cost\"", odd);
        let answer = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).text(step).send().await;
        assert_eq!(answer.field(422, "invalid_request"), "/llm/cost_usd", "{odd}");
    }
}

#[tokio::test]
async fn a_count_that_no_record_holds_is_refused() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    for member in [
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_hour_tokens",
        "reasoning_tokens",
    ] {
        let mut step = llm_step("0.1");
        step["llm"][member] = json!((1_u64 << 53) + 1);
        let answer = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await;
        assert_eq!(answer.field(422, "invalid_request"), format!("/llm/{member}"));
    }
}

#[tokio::test]
async fn nul_is_refused_with_its_pointer() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    let run = start(&app, &agent).await;
    let steps = format!("{ACTIVITY}/runs/{run}/steps");
    let mut step = llm_step("0.1");
    step["params"] = json!({"deep": [{"er": "a\0b"}]});
    let answer = app.post(&steps).key(&agent).json(&step).send().await;
    assert_eq!(answer.field(422, "invalid_request"), "/params/deep/0/er");
    let rule = json!({"name": "a\0", "enforcement_mode": "WARN", "condition": "true"});
    let answer = app.post(format!("{POLICIES}/rules")).key(&admin).json(&rule).send().await;
    assert_eq!(answer.field(422, "invalid_request"), "/name");
    let answer = app.get(format!("{LOGS}/audit?entity_id=a%00")).key(&admin).send().await;
    assert_eq!(answer.field(422, "invalid_request"), "/entity_id");
    let answer = app.get(format!("{ACTIVITY}/runs/run_%00/steps")).key(&admin).send().await;
    assert_eq!(answer.problem(404), "not_found");
    assert_eq!(
        app.get(&steps).key(&agent).send().await.expect(200)["items"],
        json!([]),
        "nothing was stored"
    );
}

#[tokio::test]
async fn header_and_body_idempotency_key_are_one_thing() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let steps = format!("{ACTIVITY}/runs/{run}/steps");
    let mut with_key = llm_step("0.1");
    with_key["idempotency_key"] = json!("k1");
    let first = app.post(&steps).key(&agent).json(&with_key).send().await.expect(200);
    let by_header = app.post(&steps).key(&agent).header("idempotency-key", "k1").json(&llm_step("0.1"));
    assert_eq!(by_header.send().await.expect(200), first);
    let both = app.post(&steps).key(&agent).header("idempotency-key", "k1").json(&with_key);
    assert_eq!(both.send().await.expect(200), first);
    let differ = app.post(&steps).key(&agent).header("idempotency-key", "k2").json(&with_key);
    assert_eq!(differ.send().await.problem(400), "idempotency_key_mismatch");
    let other_request = app.post(&steps).key(&agent).header("idempotency-key", "k1").json(&llm_step("0.2"));
    assert_eq!(other_request.send().await.problem(409), "idempotency_conflict");
    let empty = app.post(&steps).key(&agent).header("idempotency-key", "").json(&with_key);
    assert_eq!(empty.send().await.problem(400), "invalid_header");
    let twice = app.post(&steps).key(&agent).header("idempotency-key", "k1").header("idempotency-key", "k1");
    assert_eq!(twice.json(&with_key).send().await.problem(400), "invalid_header");
    let list = app.get(&steps).key(&agent).send().await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    // The start of a run, too.
    let begin = || app.post(format!("{ACTIVITY}/runs")).key(&agent).header("idempotency-key", "start-1");
    let body = json!({"agent_id": "support-bot"});
    let (one, two) =
        (begin().json(&body).send().await.expect(201), begin().json(&body).send().await.expect(201));
    assert_eq!(one["run_id"], two["run_id"]);
}

#[tokio::test]
async fn a_change_needs_the_version_it_is_made_on() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    for (list, body, change) in
        [("rules", costly(), json!({"precedence": 1})), ("limits", budget(), json!({"max_value": 5}))]
    {
        let made = app.post(format!("{POLICIES}/{list}")).key(&admin).json(&body).send().await;
        let (tag, location) = (made.header("etag").to_owned(), made.header("location").to_owned());
        assert_eq!(tag, "\"1\"");
        assert_eq!(app.get(&location).key(&admin).send().await.header("etag"), tag);
        let patch = || app.patch(&location).key(&admin).json(&change);
        assert_eq!(patch().send().await.problem(428), "precondition_required");
        for odd in ["\"2\"", "1", "W/\"1\"", "\"x\"", "*"] {
            assert_eq!(
                patch().header("if-match", odd).send().await.problem(412),
                "precondition_failed",
                "{odd}"
            );
        }
        let changed = patch().header("if-match", &tag).send().await;
        assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.text);
        assert_eq!(patch().header("if-match", &tag).send().await.problem(412), "precondition_failed");
    }
}

#[tokio::test]
async fn lists_are_paged_newest_first() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(start(&app, &agent).await);
        app.kit.clock.advance(chrono::Duration::seconds(1));
    }
    runs.reverse();
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let after = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = app.get(format!("{ACTIVITY}/runs?limit=2{after}")).key(&agent).send().await.expect(200);
        seen.extend(page["items"].as_array().expect("items").iter().map(|run| text(&run["run_id"])));
        assert!(page.get("total").is_none(), "it is not counted unless that is asked");
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        assert_eq!(page["has_more"], cursor.is_some());
        let Some(cursor) = &cursor else { break };
        assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{cursor}");
    }
    assert_eq!(seen, runs);
    let counted = |query: &str| app.get(format!("{ACTIVITY}/runs?total=true&limit=1&{query}")).key(&agent);
    assert_eq!(counted("state=LIVE").send().await.expect(200)["total"], 5);
    assert_eq!(counted("state=COMPLETED").send().await.expect(200)["total"], 0, "it respects the filters");
}

#[tokio::test]
async fn steps_are_listed_by_index_refused_ones_included() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let steps = format!("{ACTIVITY}/runs/{}/steps", scene.run_id);
    let first = app.get(format!("{steps}?limit=1&total=true")).key(&scene.agent).send().await.expect(200);
    assert_eq!(first["items"][0]["step_index"], 0);
    assert_eq!(first["total"], 2);
    let cursor = text(&first["next_cursor"]);
    let second =
        app.get(format!("{steps}?limit=1&cursor={cursor}")).key(&scene.agent).send().await.expect(200);
    assert_eq!(second["items"][0]["step_index"], 1);
    assert_eq!(second["items"][0]["status"], "REFUSED");
    assert_eq!(second["items"][0]["verdict"]["action"], "BLOCK");
    assert_eq!((&second["next_cursor"], &second["has_more"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn times_have_microseconds_and_empty_lists_are_lists() {
    let app = App::new().await;
    let admin = app.kit.token(OTHER, Role::Admin).await;
    for list in [
        format!("{ACTIVITY}/runs"),
        format!("{POLICIES}/rules"),
        format!("{POLICIES}/limits"),
        INCIDENTS.to_owned(),
        format!("{LOGS}/audit"),
        format!("{OVERVIEW}/decisions"),
    ] {
        assert_eq!(app.get(&list).key(&admin).send().await.expect(200)["items"], json!([]), "{list}");
    }
    let made = app.post(format!("{POLICIES}/rules")).key(&admin).json(&costly()).send().await.expect(201);
    assert_eq!(made["created_at"], "2026-03-02T09:00:00.000000Z");
}

#[tokio::test]
async fn the_request_id_goes_in_and_out() {
    let app = App::new().await;
    let given = app.get("/healthz").send().await;
    assert_eq!(given.header("x-request-id"), "req-test");
    let made = app.get("/healthz").without("x-request-id").send().await;
    assert!(made.header("x-request-id").starts_with("req_"), "{made:?}");
    let odd = app.get("/nothing").without("x-request-id").header("x-request-id", "a b").send().await;
    assert_eq!(odd.problem(401), "unauthenticated");
    assert!(odd.header("x-request-id").starts_with("req_"), "{odd:?}");
}

#[tokio::test]
async fn the_callers_trace_is_continued() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let begin = || app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&json!({"agent_id": "support-bot"}));
    let traced =
        begin().header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01")).send().await.expect(201);
    assert_eq!(traced["correlation_id"], trace);
    let odd = begin().header("traceparent", "00-nonsense").send().await.expect(201);
    assert!(odd["correlation_id"].as_str().is_some_and(|id| !id.is_empty() && id != trace), "{odd}");
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = App::new().await;
    for path in ["/healthz", "/nothing", "/api/v1/openapi.json", "/api/v1/account/whoami"] {
        let answer = app.get(path).send().await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let bounds = api::Bounds { body_time: Duration::from_millis(20), ..api::Bounds::default() };
    let app = App::within(bounds).await;
    let agent = app.key(Role::Agent).await;
    let never = futures::stream::pending::<Result<Vec<u8>, std::convert::Infallible>>();
    let call = app.post(format!("{ACTIVITY}/runs")).key(&agent).header("content-type", "application/json");
    assert_eq!(call.body(Body::from_stream(never)).send().await.problem(408), "request_timeout");
}

#[tokio::test]
async fn a_body_of_whom_nobody_knows_has_less_time() {
    let bounds = api::Bounds { strangers_time: Duration::from_millis(20), ..api::Bounds::default() };
    let app = App::within(bounds).await;
    let agent = app.key(Role::Agent).await;
    let never = || Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::convert::Infallible>>());
    let log_in = app.post("/console/login").header("content-type", "application/x-www-form-urlencoded");
    let strangers = Box::pin(log_in.body(never()).send());
    // Who has shown a key is still waited for when the stranger's time is over.
    let start = app.post(format!("{ACTIVITY}/runs")).key(&agent).header("content-type", "application/json");
    let ours = Box::pin(start.body(never()).send());
    match futures::future::select(ours, strangers).await {
        futures::future::Either::Left((answer, _)) => panic!("{answer:?}"),
        futures::future::Either::Right((answer, _)) => assert_eq!(answer.status, 408, "{}", answer.text),
    }
}

#[tokio::test]
async fn a_stop_waits_a_moment_for_what_is_still_on_its_way() {
    const HALF: &str = "{\"agent_id\":";
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let half = || {
        let (mut parts, body) = futures::channel::mpsc::channel::<Result<&'static str, axum::Error>>(2);
        parts.try_send(Ok(HALF)).expect("room");
        let call =
            app.post(format!("{ACTIVITY}/runs")).key(&agent).header("content-type", "application/json");
        (parts, Box::pin(call.body(Body::from_stream(body)).send()))
    };
    let ((mut rest, mut comes), (_kept, mut stays)) = (half(), half());
    // Both are polled until they have taken in what there is.
    while app.kit.spine.bodies().held() < 2 * HALF.len() {
        assert!(futures::poll!(&mut comes).is_pending() && futures::poll!(&mut stays).is_pending());
        tokio::task::yield_now().await;
    }
    app.kit.spine.close_streams();
    rest.try_send(Ok("\"researcher\"}")).expect("room");
    rest.close_channel();
    assert_eq!(comes.await.status, 201);
    assert_eq!(stays.await.problem(503), "not_ready");
}

#[tokio::test]
async fn bodies_that_are_held_are_bounded_in_bytes_for_each_tenant_and_for_all() {
    const PART: usize = 40 << 10;
    let app = App::holding(4 * PART).await;
    let (agent, other) = (app.key(Role::Agent).await, app.kit.token(OTHER, Role::Agent).await);
    let held = |key: &str| {
        // The first part comes, the second does not.
        let (mut parts, body) = futures::channel::mpsc::channel::<Result<Vec<u8>, axum::Error>>(2);
        parts.try_send(Ok(vec![b' '; PART])).expect("room");
        let call = app.post(format!("{ACTIVITY}/runs")).key(key).header("content-type", "application/json");
        (parts, Box::pin(call.body(Body::from_stream(body)).send()))
    };
    let at_once = |key: &str| {
        let body = format!("{{{}\"agent_id\":\"researcher\"}}", " ".repeat(PART));
        app.post(format!("{ACTIVITY}/runs")).key(key).text(body).send()
    };
    let (mut first, mut answer) = held(&agent);
    // It is polled until it has taken the first part in.
    while app.kit.spine.bodies().held() < PART {
        assert!(futures::poll!(&mut answer).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(at_once(&agent).await.problem(503), "overloaded");
    assert_eq!(at_once(&other).await.status, 201, "another tenant has its own half");
    first.try_send(Ok(br#"{"agent_id":"researcher"}"#.to_vec())).expect("room");
    first.close_channel();
    assert_eq!(answer.await.status, 201);
    assert_eq!(app.kit.spine.bodies().held(), 0);
    assert_eq!(at_once(&agent).await.status, 201);
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_as_well() {
    let bounds = api::Bounds { body_bytes: 100, ..api::Bounds::default() };
    let app = App::within(bounds).await;
    let agent = app.key(Role::Agent).await;
    let chunks = futures::stream::iter((0..20).map(|_| Ok::<_, std::convert::Infallible>(vec![b' '; 10])));
    let call = app.post(format!("{ACTIVITY}/runs")).key(&agent).header("content-type", "application/json");
    assert_eq!(call.body(Body::from_stream(chunks)).send().await.problem(413), "body_too_large");
    let breaks = futures::stream::iter([Ok(vec![b'{']), Err(std::io::Error::other("gone"))]);
    let call = app.post(format!("{ACTIVITY}/runs")).key(&agent).header("content-type", "application/json");
    assert_eq!(call.body(Body::from_stream(breaks)).send().await.problem(400), "bad_request");
}

#[tokio::test]
async fn caller_given_json_comes_back_to_the_digit() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let body =
        r#"{"agent_id":"a","metadata":{"n":1.10,"big":12345678901234567890123,"tiny":1e-400,"s":"\u00e9"}}"#;
    let started = app.post(format!("{ACTIVITY}/runs")).key(&agent).text(body).send().await;
    assert_eq!(started.status, 201, "{}", started.text);
    assert!(started.text.contains("12345678901234567890123"), "{}", started.text);
    assert!(started.text.contains("1e-400") && started.text.contains("1.10"), "{}", started.text);
}

#[tokio::test]
async fn several_fields_that_are_wrong_are_all_named() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let body = json!({"agent_id": "", "actor": {"type": "HUMAN"}, "parent_run_id": "x"});
    let answer = app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&body).send().await;
    assert_eq!(answer.problem(422), "invalid_request");
    assert_eq!(pointers(&answer.json()), ["/agent_id", "/actor/id", "/parent_run_id"]);
}

#[tokio::test]
async fn keys_are_never_shown_again() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let made = app
        .post(format!("{ACCOUNT}/keys"))
        .key(&admin)
        .json(&json!({"role": "agent", "any_agent": true}))
        .send()
        .await
        .expect(201);
    let secret = text(&made["key"]);
    let secret = secret.rsplit('_').next().expect("a secret");
    for path in [format!("{ACCOUNT}/keys"), format!("{LOGS}/system"), format!("{ACCOUNT}/whoami")] {
        let answer = app.get(&path).key(&admin).send().await;
        assert!(!answer.text.contains(secret), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_error_quotes_no_secret() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let secret = format!("ghp_{}", "a1B2".repeat(9));
    let run = &scene.run_id;
    let step = |member: &str, value: Value| {
        let mut step = llm_step("0.1");
        step[member] = value;
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&scene.agent).json(&step)
    };
    let calls = [
        step("kind", json!(secret)),
        step("duration_ms", json!(secret)),
        step("started_at", json!(secret)),
        step(&secret, json!(1)),
        app.get(format!("{ACTIVITY}/runs/{secret}")).key(&scene.agent),
        app.get(format!("/{secret}")).key(&scene.agent),
        app.get(format!("{ACTIVITY}/runs?state={secret}")).key(&scene.agent),
        app.get(format!("{ACTIVITY}/runs?{secret}=1")).key(&scene.agent),
        app.get(format!("{ACTIVITY}/runs?cursor={secret}")).key(&scene.agent),
        app.get("/nothing").header("authorization", &format!("Bearer {secret}")),
        step("idempotency_key", json!(secret)).header("idempotency-key", "other"),
        app.patch(format!("{POLICIES}/rules/{}", scene.rule_id))
            .key(&scene.admin)
            .header("if-match", &secret)
            .text("{}"),
        app.post(format!("{POLICIES}/rules/validate"))
            .key(&scene.admin)
            .header("content-type", &secret)
            .body("{}".into()),
        app.get("/nothing").key(&scene.admin).without("x-request-id").header("x-request-id", &secret),
    ];
    for call in calls {
        let answer = call.send().await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        assert!(!answer.text.contains(&secret), "{}", answer.text);
        assert_ne!(answer.header("x-request-id"), secret);
    }
}
