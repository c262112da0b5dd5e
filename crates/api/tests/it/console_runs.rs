//! The page of a run: what people do to it there, and that a cost nobody knows is never shown as none.

use axum::body::Body;
use models::account::Role;
use serde_json::json;

use super::{
    app::{Answer, App},
    console::session,
    scene::{ACTIVITY, POLICIES, Scene, costly, llm_step, start, text},
};

async fn page(app: &App, cookie: &str, path: &str) -> String {
    let answer = app.get(path).header("cookie", cookie).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

async fn kill(app: &App, cookie: &str, path: &str, form: &'static str) -> Answer {
    let call = app.post(format!("{path}/kill")).header("cookie", cookie);
    let call = call.header("sec-fetch-site", "same-origin");
    call.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form)).send().await
}

#[tokio::test]
async fn a_run_is_killed_by_a_form_and_the_page_says_what_is_known() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let path = format!("/console/activity/runs/{run}");
    for role in [Role::Viewer, Role::Agent, Role::Auditor, Role::Policy] {
        let key = if role == Role::Agent { agent.clone() } else { app.key(role).await };
        let cookie = session(&app, &key).await;
        assert!(!page(&app, &cookie, &path).await.contains("id=\"kill\""), "{role} is offered no kill");
        assert_eq!(kill(&app, &cookie, &path, "").await.status.as_u16(), 403, "{role}");
    }
    let cookie = session(&app, &app.key(Role::Operator).await).await;
    let before = page(&app, &cookie, &path).await;
    assert!(before.contains("id=\"kill\"") && !before.contains("id=\"interventions\""), "{before}");
    let refused =
        app.post(format!("{path}/kill")).header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    let refused = refused.header("content-type", "application/x-www-form-urlencoded").send().await;
    assert_eq!(refused.status.as_u16(), 403, "another site kills nothing: {}", refused.text);
    assert!(page(&app, &cookie, &path).await.contains("id=\"kill\""));

    let done = kill(&app, &cookie, &path, "reason=it+%3Cloops%3E").await;
    assert_eq!(done.status.as_u16(), 303, "{}", done.text);
    assert_eq!(done.header("location"), format!("{path}#interventions"));
    let told = page(&app, &cookie, &path).await;
    for says in ["HALTED", "UNACKED", "it &#60;loops&#62;", "its next call will tell it"] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(!told.contains("id=\"kill\"") && !told.contains(">ACKED<"), "{told}");

    let step = json!({"kind": "TOOL_CALL", "skill_name": "search", "status": "SUCCESS"});
    let late = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await;
    assert_eq!(late.problem(409), "run_killed");
    let told = page(&app, &cookie, &path).await;
    assert!(told.contains(">ACKED<") && told.contains("The agent knows"), "{told}");
    // Who ended it, and by whose clock it took that long.
    for says in ["a person, who killed it (user_abort)", ", by HOC&#39;s clock"] {
        assert!(told.contains(says), "{says}: {told}");
    }

    let other = start(&app, &agent).await;
    let complete = app.post(format!("{ACTIVITY}/runs/{other}/complete")).key(&agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    let path = format!("/console/activity/runs/{other}");
    assert_eq!(kill(&app, &cookie, &path, "").await.status.as_u16(), 303);
    let told = page(&app, &cookie, &path).await;
    assert!(told.contains(">ENDED<") && told.contains("nothing was stopped"), "{told}");
    assert!(told.contains("SUCCEEDED") && !told.contains("HALTED"), "it is as it was: {told}");
}

#[tokio::test]
async fn a_cost_that_nobody_knows_is_not_shown_as_nothing() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    let (path, api) = (format!("/console/activity/runs/{run}"), format!("{ACTIVITY}/runs/{run}"));
    let call = |model: &str, cost: Option<f64>| {
        let mut step = json!({"kind": "LLM_CALL", "skill_name": "chat", "status": "SUCCESS",
            "llm": {"provider": "in-house", "model": model, "input_tokens": 10, "output_tokens": 5}});
        if let Some(cost) = cost {
            step["llm"]["cost_usd"] = cost.into();
        }
        app.post(format!("{api}/steps")).key(&agent).json(&step).send()
    };
    let known = |shown: &serde_json::Value| (text_of(&shown["cost_usd"]), shown["cost_known"].clone());
    let shown = app.get(&api).key(&agent).send().await.expect(200);
    assert_eq!(known(&shown), ("0".to_owned(), json!(true)), "a run without a call has cost nothing");
    call("our-own", None).await.expect(200);
    let shown = app.get(&api).key(&agent).send().await.expect(200);
    assert_eq!(known(&shown), ("0".to_owned(), json!(false)), "{shown}");
    for path in [path.as_str(), "/console/activity/runs"] {
        let told = page(&app, &cookie, path).await;
        assert!(told.contains("unknown") && !told.contains("$0.00"), "{path}: {told}");
    }
    let why = "unknown: no price book has a price of its model";
    assert!(page(&app, &cookie, &path).await.contains(why), "and why is told");
    call("our-own", Some(0.25)).await.expect(200);
    let told = page(&app, &cookie, &path).await;
    assert!(told.contains("at least $0.25") && told.contains("cost unknown"), "{told}");
    let runs = app.get(format!("{ACTIVITY}/runs")).key(&agent).send().await.expect(200);
    assert_eq!((text(&runs["items"][0]["run_id"]), &runs["items"][0]["cost_known"]), (run, &json!(false)));
}

/// What is not known is not a zero, and a zero that only its caller tells is marked.
#[tokio::test]
async fn tokens_that_nobody_tells_and_a_cost_of_nothing_are_told_to_be_that() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    let page_of = async |llm: serde_json::Value| {
        let run = start(&app, &agent).await;
        let step = json!({"kind": "LLM_CALL", "skill_name": "chat", "status": "SUCCESS", "llm": llm});
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await.expect(200);
        page(&app, &cookie, &format!("/console/activity/runs/{run}")).await
    };
    let untold = page_of(json!({"provider": "openai", "model": "gpt-4o"})).await;
    assert!(untold.contains("<dt>Tokens</dt><dd>unknown</dd>"), "{untold}");
    assert!(
        untold.contains("not all of its tokens were told") && !untold.contains("0 in, 0 out"),
        "{untold}"
    );
    let times = ["<span class=\"took n\"></span>", "HOC&#39;s clock: its agent told no times"];
    assert!(times.iter().all(|says| untold.contains(says)), "{untold}");
    let half = page_of(json!({"provider": "openai", "model": "gpt-4o", "input_tokens": 1_000})).await;
    assert!(half.contains("<dt>Tokens</dt><dd>1,000 in, out not told</dd>"), "{half}");
    assert!(half.contains("1000 in, 0 out") && half.contains("not all of them were told"), "{half}");
    let zero = json!({"provider": "openai", "model": "gpt-4o", "input_tokens": 100, "output_tokens": 10, "cost_usd": 0});
    let zero = page_of(zero).await;
    assert!(zero.contains("its cost is its caller&#39;s word"), "{zero}");
    assert!(zero.contains("0, as its caller told; no price book says so"), "{zero}");
}

/// A row says what became of its step: refused before the act, refused when it had been done, or let pass where only
/// told.
#[tokio::test]
async fn what_would_have_been_and_what_had_been_done_are_marked_on_their_rows() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    let cookie = session(&app, &app.key(Role::Viewer).await).await;
    app.post(format!("{POLICIES}/rules")).key(&admin).json(&costly()).send().await.expect(201);

    let run = start(&app, &agent).await;
    let steps = format!("{ACTIVITY}/runs/{run}/steps");
    let done = app.post(&steps).key(&agent).json(&llm_step("0.75")).send().await;
    assert_eq!(done.problem(403), "step_halted");
    let mut unheld =
        json!({"kind": "TOOL_CALL", "skill_name": "search", "status": "SUCCESS", "duration_ms": 7});
    unheld["permit_id"] = json!(format!("prm_{}", "0".repeat(32)));
    app.post(&steps).key(&agent).json(&unheld).send().await.expect(200);
    let told = page(&app, &cookie, &format!("/console/activity/runs/{run}")).await;
    for says in [
        "<span class=\"badge warn\">refused after it was done</span>",
        "<dt>Reported as</dt><dd>SUCCESS</dd>",
        "<span class=\"badge warn\">permit_unknown</span>",
        "7 ms, as its agent told",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(!told.contains("<summary class=\"refused\">"), "nothing was prevented: {told}");

    let value = |value: serde_json::Value| json!({"stringValue": value});
    let span = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat",
        "startTimeUnixNano": "1795238603931000000", "endTimeUnixNano": "1795238604042237159", "attributes": [
            {"key": "gen_ai.operation.name", "value": value(json!("chat"))},
            {"key": "gen_ai.provider.name", "value": value(json!("openai"))},
            {"key": "gen_ai.request.model", "value": value(json!("gpt-4o"))},
            {"key": "gen_ai.usage.cost", "value": {"doubleValue": 0.6}}]});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    app.post("/v1/traces").key(&agent).json(&body).send().await.expect(200);
    let traced = app.get(format!("{ACTIVITY}/runs?source=otlp")).key(&agent).send().await.expect(200);
    let traced = text(&traced["items"][0]["run_id"]);
    let told = page(&app, &cookie, &format!("/console/activity/runs/{traced}")).await;
    let row = told.split("<summary").nth(1).and_then(|rest| rest.split("</summary>").next()).expect("a row");
    assert!(row.contains("<span class=\"badge near\">WOULD BLOCK</span>"), "{row}");
    assert!(row.contains("<rect class=\"near\"") && !row.contains("ALLOW"), "{row}");

    // The incident is the other run's, in which the rule refused; here nobody was refused anything.
    let cookie = session(&app, &admin).await;
    for page_of_it in ["", "/evidence"] {
        let path = format!("/console/activity/runs/{traced}{page_of_it}");
        let told = page(&app, &cookie, &path).await;
        assert!(told.contains("Rule “no costly step” would have refused a step"), "{path}: {told}");
        assert!(!told.contains("Rule “no costly step” refused"), "{path}: {told}");
    }
    let told = page(&app, &cookie, &format!("/console/activity/runs/{run}")).await;
    assert!(told.contains("Rule “no costly step” refused a step after it was done"), "{told}");
}

fn text_of(number: &serde_json::Value) -> String {
    number.to_string()
}

#[tokio::test]
async fn the_proof_is_recomputed_when_it_is_asked_for() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let cookie = session(&app, &scene.admin).await;
    let proof = format!("/console/activity/runs/{}/proof", scene.run_id);
    let verify = || app.get(format!("{proof}?verify=true")).header("cookie", &cookie).send();
    assert!(
        verify().await.text.contains(">UNSUPPORTED</p>"),
        "a run that is not sealed has nothing to compare with"
    );
    let complete = app.post(format!("{ACTIVITY}/runs/{}/complete", scene.run_id)).key(&scene.agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    let before = app.get(&proof).header("cookie", &cookie).send().await;
    assert!(!before.text.contains("id=\"verification\""), "nothing is claimed before: {}", before.text);
    let sealed = verify().await;
    assert!(sealed.text.contains(">VERIFIED</p>"), "{}", sealed.text);
}
