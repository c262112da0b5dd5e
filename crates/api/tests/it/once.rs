//! Writes that come with the header `Idempotency-Key`: each of the document happens once, and is answered alike.

use axum::http::Method;
use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::App,
    examples::{Operation, operations},
    scene::{ACCOUNT, LOGS, POLICIES, Scene, budget, llm_step, text},
};

/// Writes nothing, or is told from its repeat by what is in it.
const NO_WRITE: &[&str] = &["policies.validate_rule", "activity.ingest"];

fn writes() -> Vec<Operation> {
    let all = operations().into_iter();
    let writes: Vec<_> =
        all.filter(|op| op.method != Method::GET && !NO_WRITE.contains(&op.id.as_str())).collect();
    assert!(writes.len() >= 19, "the document has lost its writes: {writes:?}");
    writes
}

/// How much there is of what writes leave behind.
async fn left(app: &App, scene: &Scene) -> Vec<Value> {
    let mut counts = Vec::new();
    for list in ["audit", "system"] {
        let list = app.get(format!("{LOGS}/{list}?total=true")).key(&scene.admin).send().await.expect(200);
        counts.push(list["total"].clone());
    }
    let runs = "/api/v1/runtime/activity/runs";
    let runs = app.get(format!("{runs}?total=true")).key(&scene.admin).send().await.expect(200);
    let steps: Vec<Value> =
        runs["items"].as_array().expect("runs").iter().map(|run| run["step_count"].clone()).collect();
    counts.extend([runs["total"].clone(), json!(steps)]);
    let run = format!("/api/v1/runtime/activity/runs/{}/interventions", scene.run_id);
    let met = app.get(run).key(&scene.admin).send().await.expect(200);
    counts.push(json!(met["items"].as_array().map(Vec::len)));
    counts
}

#[tokio::test]
async fn every_write_happens_once_for_its_key() {
    for operation in writes() {
        let app = App::new().await;
        let scene = Scene::set(&app).await;
        let key =
            if operation.roles.iter().any(|role| role == "admin") { &scene.admin } else { &scene.agent };
        if operation.id == "policies.unfreeze" {
            let freeze = json!({"reason": "it misbehaves"});
            app.post(format!("{POLICIES}/freeze")).key(&scene.admin).json(&freeze).send().await.expect(201);
        }
        let call = || operation.call(&app, &scene).key(key).header("idempotency-key", "the same");
        let first = call().send().await;
        assert!(first.status.is_success(), "{}: {}", operation.id, first.text);
        let after_one = left(&app, &scene).await;
        app.kit.clock.advance(chrono::Duration::hours(23));
        let again = call().send().await;
        assert_eq!((again.status, &again.text), (first.status, &first.text), "{}", operation.id);
        for header in ["etag", "location"] {
            assert_eq!(again.header(header), first.header(header), "{}: {header}", operation.id);
        }
        assert_eq!(left(&app, &scene).await, after_one, "{} was done twice", operation.id);
    }
}

/// Header and body are one thing: either is the key, and two that differ are none.
#[tokio::test]
async fn every_write_with_a_body_takes_its_key_there_too() {
    let with_body: Vec<_> = writes().into_iter().filter(|operation| operation.has_body).collect();
    assert!(with_body.len() >= 18, "the document has lost its bodies: {with_body:?}");
    for operation in with_body {
        let app = App::new().await;
        let scene = Scene::set(&app).await;
        let key =
            if operation.roles.iter().any(|role| role == "admin") { &scene.admin } else { &scene.agent };
        let mut body = operation.body_in(&scene).expect("a body");
        body["idempotency_key"] = json!("the same");
        let call = || operation.bare(&app, &scene).key(key).json(&body);
        let differs = call().header("idempotency-key", "another").send().await;
        assert_eq!(differs.problem(400), "idempotency_key_mismatch", "{}", operation.id);
        let first = call().send().await;
        assert!(first.status.is_success(), "{}: {}", operation.id, first.text);
        let after_one = left(&app, &scene).await;
        for again in [call().send().await, call().header("idempotency-key", "the same").send().await] {
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{}", operation.id);
        }
        assert_eq!(left(&app, &scene).await, after_one, "{} was done twice", operation.id);
        // By the header alone it is the same request.
        let header = operation.call(&app, &scene).key(key).header("idempotency-key", "the same").send().await;
        assert_eq!((header.status, &header.text), (first.status, &first.text), "{}", operation.id);
    }
}

#[tokio::test]
async fn the_key_of_a_batch_has_room_for_the_place_of_each_step() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let batch = |key: &str| {
        let body = json!({"steps": [llm_step("0.01")], "idempotency_key": key});
        app.post(format!("/api/v1/runtime/activity/runs/{}/steps/batch", scene.run_id))
            .key(&scene.agent)
            .json(&body)
    };
    assert_eq!(batch(&"k".repeat(253)).send().await.field(422, "invalid_request"), "/idempotency_key");
    let recorded = batch(&"k".repeat(252)).send().await.expect(200);
    assert_eq!(recorded["items"][0]["status"], 200, "{recorded}");
}

#[tokio::test]
async fn a_key_is_of_one_request_of_one_credential() {
    let app = App::new().await;
    let [policy, other] = [app.key(Role::Policy).await, app.key(Role::Policy).await];
    let make = |key: &str, limit: &Value| {
        app.post(format!("{POLICIES}/limits")).key(key).header("idempotency-key", "k").json(limit)
    };
    let limit = make(&policy, &budget()).send().await.expect(201);
    let mut another = budget();
    another["max_value"] = json!(3);
    assert_eq!(make(&policy, &another).send().await.problem(409), "idempotency_conflict");
    // Nor does it stand for another operation on the same thing.
    let disable = format!("{POLICIES}/limits/{}/disable", text(&limit["limit_id"]));
    let disable = app.post(disable).key(&policy).header("idempotency-key", "k").send().await;
    assert_eq!(disable.problem(409), "idempotency_conflict");
    // Somebody else's equal key is another call, and tells nothing of this one.
    assert_eq!(make(&other, &budget()).send().await.problem(409), "limit_name_taken");
    another["name"] = json!("another");
    make(&other, &another).send().await.expect(201);
}

#[tokio::test]
async fn what_failed_has_taken_no_key_and_what_is_a_day_old_is_forgotten() {
    let app = App::new().await;
    let policy = app.key(Role::Policy).await;
    let make = |limit: &Value| {
        app.post(format!("{POLICIES}/limits")).key(&policy).header("idempotency-key", "k").json(limit)
    };
    let mut odd = budget();
    odd["time_zone"] = json!("Mars");
    assert_eq!(make(&odd).send().await.problem(422), "invalid_request");
    make(&budget()).send().await.expect(201);
    app.kit.clock.advance(chrono::Duration::hours(24));
    assert_eq!(make(&budget()).send().await.problem(409), "limit_name_taken");
    // That failed, too: the key is free.
    let mut another = budget();
    another["name"] = json!("another");
    make(&another).send().await.expect(201);
}

#[tokio::test]
async fn a_key_that_no_store_takes_is_refused() {
    let app = App::new().await;
    let policy = app.key(Role::Policy).await;
    let make = |key: &str| {
        app.post(format!("{POLICIES}/limits")).key(&policy).header("idempotency-key", key).json(&budget())
    };
    assert_eq!(make(&"k".repeat(257)).send().await.field(422, "invalid_request"), "/idempotency_key");
    assert_eq!(make("").send().await.problem(400), "invalid_header");
    let mut empty = budget();
    empty["idempotency_key"] = json!("");
    let empty = app.post(format!("{POLICIES}/limits")).key(&policy).json(&empty).send().await;
    assert_eq!(empty.field(422, "invalid_request"), "/idempotency_key");
    let twice = make("a").header("idempotency-key", "b").send().await;
    assert_eq!(twice.problem(400), "invalid_header");
}

/// A made key is told again to who made it, and the store cannot tell it to anybody.
#[tokio::test]
async fn a_made_key_that_is_told_again_is_not_in_the_store() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let make = || {
        let body = json!({"role": "viewer", "owner": "bob"});
        app.post(format!("{ACCOUNT}/keys")).key(&admin).header("idempotency-key", "k").json(&body)
    };
    let created = make().send().await.expect(201);
    assert_eq!(make().send().await.expect(201), created);
    let secret = text(&created["key"]);
    app.get(format!("{ACCOUNT}/whoami")).key(&secret).send().await.expect(200);
    let (_, secret) = secret.rsplit_once('_').expect("a key");
    let kept = |what: &str| format!("SELECT count(*) FROM idempotency_keys WHERE {what}");
    assert_eq!(app.database.number(&kept("length(answer) > 100")).await, 1, "the answer is kept");
    let clear = kept(&format!("instr(answer, CAST('{secret}' AS BLOB)) > 0"));
    assert_eq!(app.database.number(&clear).await, 0, "the key is in the store, in clear");
}
