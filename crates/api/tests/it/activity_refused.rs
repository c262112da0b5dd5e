//! What no run and no step can be, each with its place.

use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{ACTIVITY, start},
};

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_place() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let cases = [
        ("runs", json!({}), "/agent_id"),
        ("runs", json!({"agent_id": 7}), "/agent_id"),
        ("runs", json!({"agent_id": "a", "environment": "prod"}), "/environment"),
        ("runs", json!({"agent_id": "a", "actor": ["HUMAN", "ana"]}), "/actor"),
        ("runs", json!({"agent_id": "a", "actor": {"type": "ROBOT"}}), "/actor/type"),
        ("runs", json!({"agent_id": "a", "source": "otlp2"}), "/source"),
        ("runs", json!({"agent_id": "a", "expected_latency_ms": -1}), "/expected_latency_ms"),
        ("steps", json!({"kind": "LLM_CALL", "skill_name": "a"}), "/status"),
        ("steps", json!({"kind": "LLM_CALL", "skill_name": "a", "status": "REFUSED"}), "/status"),
        ("steps", json!({"kind": "LLM_CALL", "skill_name": "a", "status": "SUCCESS", "llm": []}), "/llm"),
        (
            "steps",
            json!({"kind": "LLM_CALL", "skill_name": "a", "status": "SUCCESS", "llm": {"tokens": 1}}),
            "/llm/tokens",
        ),
        (
            "steps",
            json!({"kind": "LLM_CALL", "skill_name": "a", "status": "SUCCESS", "started_at": "now"}),
            "/started_at",
        ),
        ("steps", json!({"kind": "LLM_CALL", "skill_name": "", "status": "SUCCESS"}), "/skill_name"),
        (
            "steps",
            json!({"kind": "TOOL_CALL", "skill_name": "a", "status": "SUCCESS", "duration_ms": 1.5}),
            "/duration_ms",
        ),
        ("complete", json!({"status": "ABORTED"}), "/status"),
        ("complete", json!({"status": "SUCCEEDED", "error": "none"}), "/error"),
        ("abort", json!({"reason": 1}), "/reason"),
        ("abort", json!({"reason": "x".repeat(65_537)}), "/reason"),
        ("complete", json!({"status": "FAILED", "error": "x".repeat(65_537)}), "/error"),
        ("runs", json!({"agent_id": "x".repeat(257)}), "/agent_id"),
        ("runs", json!({"agent_id": "a", "idempotency_key": "x".repeat(257)}), "/idempotency_key"),
        ("runs", json!({"agent_id": "a", "conversation_id": "x".repeat(257)}), "/conversation_id"),
        ("runs", json!({"agent_id": "a", "session_id": "x".repeat(257)}), "/session_id"),
        (
            "runs",
            json!({"agent_id": "a", "conversation_id": format!("ghp_{}", "a1B2".repeat(9))}),
            "/conversation_id",
        ),
        ("runs", json!({"agent_id": "a", "user_id": "ana"}), "/user_id"),
        ("runs", json!({"agent_id": "a", "metadata": {"labels": "pii"}}), "/metadata/labels"),
        ("runs", json!({"agent_id": "a", "metadata": {"labels": ["a", 1]}}), "/metadata/labels/1"),
        (
            "steps",
            json!({"kind": "TOOL_CALL", "skill_name": "a", "status": "SUCCESS", "permit_id": "ghp_nonsense"}),
            "/permit_id",
        ),
    ];
    for (route, body, pointer) in cases {
        let path = if route == "runs" {
            format!("{ACTIVITY}/runs")
        } else {
            format!("{ACTIVITY}/runs/{run}/{route}")
        };
        let answer = app.post(path).key(&agent).json(&body).send().await;
        assert_eq!(answer.field(422, "invalid_request"), pointer, "{route} {body}: {}", answer.text);
    }
    // What no value of a JSON library holds.
    let digits = "9".repeat(400);
    for number in ["1e309", &digits] {
        let body = format!(
            r#"{{"kind":"TOOL_CALL","skill_name":"a","status":"SUCCESS","params":{{"a":[{number}]}}}}"#
        );
        let answer = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).text(body).send().await;
        assert_eq!(answer.field(422, "invalid_request"), "/params/a/0", "{}", answer.text);
    }
}

/// A name is kept as it comes, for things are found by it: an address of a person is one, and a secret is none.
#[tokio::test]
async fn a_name_may_be_an_address_and_is_no_secret() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let begin =
        |name: &str| app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&json!({"agent_id": name})).send();
    begin("canary10@secret.example").await.expect(201);
    let runs = app.get(format!("{ACTIVITY}/runs?agent_id=canary10@secret.example")).key(&agent).send().await;
    assert_eq!(runs.expect(200)["items"][0]["agent_id"], "canary10@secret.example");
    let secret = format!("ghp_{}", "0123456789abcdef0123456789abcdef0123");
    for name in [secret.clone(), format!("bot_{secret}")] {
        let refused = begin(&name).await;
        assert!(!refused.text.contains(&secret), "{}", refused.text);
        assert_eq!(refused.field(422, "invalid_request"), "/agent_id", "{name}");
    }
}
