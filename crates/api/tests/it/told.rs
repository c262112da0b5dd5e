//! Bundles as they come: from their first byte on, packed or not, to their end or until they break.

use axum::{
    body::{Body, HttpBody as _},
    http::{Method, Response},
};
use http_body_util::BodyExt as _;
use models::account::Role;
use serde_json::json;
use testkit::Damage;

use super::{
    app::App,
    scene::{ACTIVITY, llm_step, start},
};

/// More than are read at once, each in a segment of its own.
const STEPS: usize = 140;

/// A sealed run of so many steps.
pub(crate) async fn sealed(app: &App) -> String {
    let agent = app.key(Role::Agent).await;
    let run = start(app, &agent).await;
    for _ in 0..STEPS {
        let step = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent);
        step.json(&llm_step("0.01")).send().await.expect(200);
    }
    let complete = app.post(format!("{ACTIVITY}/runs/{run}/complete")).key(&agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    run
}

/// What comes of it, and whether it came to its end.
async fn taken(response: Response<Body>) -> (Vec<u8>, bool) {
    let mut body = response.into_body();
    let mut came = Vec::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => came.extend(frame.into_data().expect("data")),
            Some(Err(_)) => return (came, false),
            None => return (came, true),
        }
    }
}

#[tokio::test]
async fn a_bundle_comes_before_all_of_it_is_read_and_breaks_where_it_cannot_go_on() {
    let app = App::new().await;
    let run = sealed(&app).await;
    let auditor = app.key(Role::Auditor).await;
    let path = format!("{ACTIVITY}/runs/{run}/bundle");
    let get = |coding: &str| app.get(&path).key(&auditor).header("accept-encoding", coding).begun();
    app.database.keep_segments().await;
    let whole = taken(get("identity").await).await;
    assert!(whole.1 && whole.0.ends_with(b"}\n"));
    let last = app.database.segments_of(&run).await.pop().expect("there are some");
    for coding in ["identity", "zstd", "gzip"] {
        let response = get(coding).await;
        assert_eq!(response.status(), 200, "{coding}");
        assert!(!response.headers().contains_key("content-length"), "{coding}: nobody knows it yet");
        assert_eq!(response.headers().contains_key("content-encoding"), coding != "identity", "{coding}");
        assert!(!response.body().is_end_stream());
        let (parts, mut body) = response.into_parts();
        let first = body.frame().await.expect("a piece").expect("no error").into_data().expect("data");
        assert!(!first.is_empty(), "{coding}");
        // None of its segments was read for that.
        app.database.damage(&Damage::Gone(last.clone())).await;
        let (rest, is_whole) = taken(Response::from_parts(parts, body)).await;
        assert!(is_whole && !rest.is_empty(), "{coding}: what is not there is named");
        if coding == "identity" {
            let told = [&first[..], &rest].concat();
            let bundle: serde_json::Value = serde_json::from_slice(&told).expect("a bundle");
            assert!(bundle["records"]["sealed"]["run"].is_array(), "{bundle}");
            assert!(told != whole.0);
        }
        app.database.restore_segments().await;
        if coding != "identity" {
            // What is packed comes in pieces of its own.
            continue;
        }
        // The records of its decisions are told once all was looked at.
        let (parts, mut body) = get(coding).await.into_parts();
        for _ in 0..2 {
            body.frame().await.expect("a piece").expect("no error");
        }
        app.database.damage(&Damage::Gone(last.clone())).await;
        let (_, is_whole) = taken(Response::from_parts(parts, body)).await;
        assert!(!is_whole, "{coding}: it has no end that could be taken for one");
        app.database.restore_segments().await;
    }
}

#[tokio::test]
async fn a_bundle_that_nobody_takes_holds_its_part_and_its_place_until_it_is_given_up() {
    let app = App::new().await;
    let run = sealed(&app).await;
    let auditor = app.key(Role::Auditor).await;
    let path = format!("{ACTIVITY}/runs/{run}/bundle");
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut response = app.get(&path).key(&auditor).begun().await;
        response.body_mut().frame().await.expect("a piece").expect("no error");
        waiting.push(response);
    }
    let held = app.kit.spine.answers().held();
    assert!(held > 0 && held.is_multiple_of(4), "{held}: all streams count alike");
    let refused = app.get(&path).key(&auditor).send().await;
    assert_eq!(refused.problem(503), "overloaded", "a tenant has half of the places");
    // Who asks what it would be told has no place of it.
    let asked = app.call(Method::HEAD, &path).key(&auditor);
    waiting.pop();
    assert_eq!(asked.send().await.status, 200);
    assert!(app.kit.spine.answers().held() < held);
    assert_eq!(app.get(&path).key(&auditor).send().await.status, 200);
    drop(waiting);
    assert_eq!(app.kit.spine.answers().held(), 0);
}

#[tokio::test]
async fn what_its_caller_may_be_refused_for_is_a_problem() {
    let app = App::new().await;
    let run = sealed(&app).await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    let bundle =
        |run: &str| app.get(format!("{ACTIVITY}/runs/{run}/bundle")).header("accept-encoding", "zstd");
    assert_eq!(bundle(&run).send().await.problem(401), "unauthenticated");
    assert_eq!(bundle(&run).key(&agent).send().await.problem(403), "forbidden");
    let unknown = format!("run_{}", "0".repeat(32));
    assert_eq!(bundle(&unknown).key(&admin).send().await.problem(404), "not_found");
}
