//! A scene in which the same happened in several ways: what filters of lists tell apart.

use axum::http::Method;
use chrono::Duration;
use serde_json::{Value, json};

use super::{
    app::App,
    scene::{ACTIVITY, INCIDENTS, POLICIES, Scene, llm_step, text},
};

/// What a POST answers, which must be taken.
async fn post(app: &App, path: &str, key: &str, body: &Value) -> Value {
    let answer = app.post(path).key(key).json(body).send().await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    if answer.text.is_empty() { Value::Null } else { answer.json() }
}

/// Beside what the scene has, something else of each kind that is listed.
pub(crate) async fn varied(app: &App, scene: &Scene) {
    let (admin, agent) = (&scene.admin, &scene.agent);
    let rule = |name: &str, mode: &str, condition: &str| json!({"name": name, "enforcement_mode": mode, "condition": condition, "rule_type": "ETHICAL"});
    let rules = format!("{POLICIES}/rules");
    post(app, &rules, admin, &rule("slow", "BLOCK", "context.step.duration_ms > 1000000")).await;
    app.kit.clock.advance(Duration::minutes(1));
    let old = post(app, &rules, admin, &rule("old", "WARN", "context.step.retry_count > 3")).await;
    let retire = format!("{rules}/{}/retire", text(&old["rule_id"]));
    post(app, &retire, admin, &json!({"reason": "no longer needed"})).await;
    let limits = format!("{POLICIES}/limits");
    let rate = json!({"name": "rate", "limit_type": "REQUESTS_PER_MINUTE", "max_value": 1000});
    post(app, &limits, admin, &rate).await;
    app.kit.clock.advance(Duration::minutes(1));
    let steps = json!({"name": "steps", "limit_type": "RUN_STEPS", "max_value": 50, "scope": "AGENT", "scope_id": "mail-bot"});
    let steps = post(app, &limits, admin, &steps).await;
    let disable = format!("{limits}/{}/disable", text(&steps["limit_id"]));
    app.post(disable).key(admin).send().await.expect(200);

    let mut runs = Vec::new();
    for (n, body) in [
        json!({"agent_id": "mail-bot", "project_id": "post", "conversation_id": "one", "source": "human"}),
        json!({"agent_id": "mail-bot", "project_id": "post", "provider_type": "openai", "is_synthetic": true}),
        json!({"agent_id": "tax-bot", "provider_type": "anthropic", "conversation_id": "one"}),
        json!({"agent_id": "tax-bot", "conversation_id": "two", "source": "human"}),
    ]
    .into_iter()
    .enumerate()
    {
        // Two of them begin at once.
        if n != 1 {
            app.kit.clock.advance(Duration::minutes(1));
        }
        let run = post(app, &format!("{ACTIVITY}/runs"), agent, &body).await;
        runs.push(format!("{ACTIVITY}/runs/{}", text(&run["run_id"])));
    }
    let [well, failing, slow, killed] = runs.as_slice() else { panic!("{runs:?}") };
    let mut step = llm_step("0.01");
    for run in [well, killed] {
        post(app, &format!("{run}/steps"), agent, &step).await;
    }
    step["status"] = json!("FAILURE");
    step["llm"]["provider"] = json!("anthropic");
    step["llm"]["model"] = json!("claude-sonnet-4-5");
    post(app, &format!("{failing}/steps"), agent, &step).await;
    app.kit.clock.advance(Duration::minutes(1));
    let mut step = llm_step("0.02");
    step["duration_ms"] = json!(2_000_000);
    let refused = app.post(format!("{slow}/steps")).key(agent).json(&step).send().await;
    assert_eq!(refused.problem(403), "step_halted");
    let of_slow = format!("{INCIDENTS}/by-run/{}", slow.rsplit('/').next().unwrap_or_default());
    let found = app.get(of_slow).key(admin).send().await.expect(200);
    let resolve = format!("{INCIDENTS}/{}/resolve", text(&found["items"][0]["incident_id"]));
    post(app, &resolve, admin, &json!({"note": "done", "resolution_type": "fixed"})).await;

    post(app, &format!("{well}/complete"), agent, &json!({"status": "SUCCEEDED"})).await;
    app.kit.clock.advance(Duration::minutes(1));
    post(app, &format!("{failing}/abort"), agent, &json!({"reason": "no more"})).await;
    post(app, &format!("{killed}/kill"), admin, &json!({"reason": "it runs wild"})).await;
    let freeze = format!("{POLICIES}/freeze");
    for agent in ["first", "second"] {
        app.kit.clock.advance(Duration::minutes(1));
        post(app, &freeze, admin, &json!({"agent_id": agent, "reason": "it misbehaves"})).await;
    }
    app.call(Method::DELETE, format!("{freeze}?agent_id=second")).key(admin).send().await.expect(200);
}
