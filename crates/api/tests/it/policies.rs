//! Rules and limits.

use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{POLICIES, Scene, budget, costly, text},
};

#[tokio::test]
async fn a_rule_is_made_changed_and_retired() {
    let app = App::new().await;
    let policy = app.key(Role::Policy).await;
    let made = app.post(format!("{POLICIES}/rules")).key(&policy).json(&costly()).send().await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    {
      "rule_id": "rule_1",
      "version": 1,
      "name": "no costly step",
      "description": "",
      "rule_type": "SAFETY",
      "enforcement_mode": "BLOCK",
      "scope": "TENANT",
      "scope_id": null,
      "bind_at": "STEP_POST",
      "precedence": 100,
      "condition": "context.step.cost_microusd > 500000",
      "status": "ACTIVE",
      "source": "MANUAL",
      "source_proposal_id": null,
      "parent_rule_id": null,
      "superseded_by": null,
      "created_by": "policy of acme",
      "created_at": "2026-03-02T09:00:00.000000Z",
      "updated_at": "2026-03-02T09:00:00.000000Z",
      "retired_at": null,
      "retired_by": null,
      "retirement_reason": null,
      "trigger_count_30d": 0,
      "last_triggered_at": null,
      "integrity_status": "VERIFIED"
    }
    "#);
    let rule = format!("{POLICIES}/rules/{}", text(&made.json()["rule_id"]));
    assert_eq!(made.header("location"), rule);
    let again = app.post(format!("{POLICIES}/rules")).key(&policy).json(&costly()).send().await;
    assert_eq!(again.problem(409), "rule_name_taken");
    let change = json!({"enforcement_mode": "WARN", "scope": "AGENT", "scope_id": "support-bot"});
    let changed =
        app.patch(&rule).key(&policy).header("if-match", "\"1\"").json(&change).send().await.expect(200);
    assert_eq!((&changed["version"], &changed["scope_id"]), (&json!(2), &json!("support-bot")));
    let back = json!({"scope": "TENANT", "scope_id": null});
    let back = app.patch(&rule).key(&policy).header("if-match", "\"2\"").json(&back).send().await.expect(200);
    assert_eq!(
        (&back["scope"], &back["scope_id"], &back["enforcement_mode"]),
        (&json!("TENANT"), &json!(null), &json!("WARN"))
    );
    let retire =
        |reason: &str| app.post(format!("{rule}/retire")).key(&policy).json(&json!({ "reason": reason }));
    assert_eq!(retire(" ").send().await.field(422, "invalid_request"), "/reason");
    let retired = retire("replaced").send().await.expect(200);
    assert_eq!((&retired["status"], &retired["retirement_reason"]), (&json!("RETIRED"), &json!("replaced")));
    assert_eq!(retire("again").send().await.problem(409), "rule_retired");
    let found =
        app.get(format!("{POLICIES}/rules?status=ACTIVE&total=true")).key(&policy).send().await.expect(200);
    assert_eq!(found["total"], 0);
}

#[tokio::test]
async fn a_condition_that_is_misspelt_is_refused_with_its_place() {
    let app = App::new().await;
    let policy = app.key(Role::Policy).await;
    let mut rule = costly();
    rule["condition"] = json!("context.step.cost_microsud > 500000");
    let answer = app.post(format!("{POLICIES}/rules")).key(&policy).json(&rule).send().await;
    insta::assert_snapshot!(answer.shown(), @r#"
    422
    {
      "type": "urn:hoc:problem:invalid_request",
      "title": "The request breaks a rule",
      "status": 422,
      "detail": "/condition: line 1, column 1: attribute `step.cost_microsud` in context for Action::\"StepPost\" not found; did you mean `context.step.cost_microusd`? `context.step` has: kind, skill, provider, model, model_requested, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microusd, cost_known, duration_ms, retry_count, status, url_host, url_path, hosts, command, commands, table, tables, recipients, recipient_domains, facts_cut, labels",
      "instance": "/api/v1/runtime/policies/rules",
      "code": "invalid_request",
      "request_id": "req-test",
      "errors": [
        {
          "pointer": "/condition",
          "message": "line 1, column 1: attribute `step.cost_microsud` in context for Action::\"StepPost\" not found; did you mean `context.step.cost_microusd`? `context.step` has: kind, skill, provider, model, model_requested, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microusd, cost_known, duration_ms, retry_count, status, url_host, url_path, hosts, command, commands, table, tables, recipients, recipient_domains, facts_cut, labels"
        }
      ]
    }
    "#);
    // A misspelt value of a closed list would make a rule that is never met: by either form.
    let kinds = "it is one of LLM_CALL, TOOL_CALL, RETRIEVAL, HTTP_CALL, TRANSFORM, OTHER";
    let form = json!({"fact": "step.kind", "op": "==", "value": "TOOLCALL"});
    for (member, value) in [("condition", json!("context.step.kind == \"TOOLCALL\"")), ("conditions", form)] {
        let mut rule = costly();
        rule.as_object_mut().expect("an object").remove("condition");
        rule[member] = value;
        let answer = app.post(format!("{POLICIES}/rules")).key(&policy).json(&rule).send().await;
        assert_eq!(answer.problem(422), "invalid_request", "{member}");
        assert!(answer.text.contains(kinds), "{member}: {}", answer.text);
    }
    let check =
        |body: serde_json::Value| app.post(format!("{POLICIES}/rules/validate")).key(&policy).json(&body);
    let found = check(json!({"condition": "context.step.cost_microsud > 500000"})).send().await.expect(200);
    assert_eq!((&found["valid"], &found["errors"][0]["pointer"]), (&json!(false), &json!("/condition")));
    let all = json!({"all": [{"fact": "step.cost_microusd", "op": ">", "value": 500_000}]});
    insta::assert_snapshot!(check(json!({ "conditions": all })).send().await.shown(), @r#"
    200
    {
      "valid": true,
      "condition": "context.step.cost_microusd > 500000",
      "policy": "@id(\"draft\")\nforbid (principal is Agent, action == Action::\"StepPost\", resource is Run) when {\ncontext.step.cost_microusd > 500000\n};",
      "errors": []
    }
    "#);
    assert_eq!(check(json!({})).send().await.field(422, "invalid_request"), "/condition");
}

#[tokio::test]
async fn a_limit_is_made_changed_and_disabled() {
    let app = App::new().await;
    let policy = app.key(Role::Policy).await;
    let made = app.post(format!("{POLICIES}/limits")).key(&policy).json(&budget()).send().await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    {
      "limit_id": "lim_1",
      "version": 1,
      "name": "daily",
      "limit_category": "BUDGET",
      "limit_type": "COST_USD",
      "scope": "TENANT",
      "scope_id": null,
      "max_value": 2,
      "unit": "USD",
      "reset_period": "DAILY",
      "window_seconds": null,
      "measurement_window_seconds": null,
      "enforcement": "BLOCK",
      "consequence": "ALERT",
      "status": "ACTIVE",
      "created_by": "policy of acme",
      "created_at": "2026-03-02T09:00:00.000000Z",
      "updated_at": "2026-03-02T09:00:00.000000Z",
      "breach_count_30d": 0,
      "last_breached_at": null,
      "utilization_pct": 0,
      "integrity_status": "VERIFIED"
    }
    "#);
    let limit = format!("{POLICIES}/limits/{}", text(&made.json()["limit_id"]));
    let patch = |version: u64, change: serde_json::Value| {
        app.patch(&limit).key(&policy).header("if-match", &format!("\"{version}\"")).json(&change)
    };
    let changed = patch(1, json!({"max_value": "2.500001"})).send().await;
    assert!(changed.text.contains("\"max_value\":2.500001"), "{}", changed.text);
    assert_eq!(patch(2, json!({"limit_type": "STEPS"})).send().await.problem(422), "invalid_request");
    assert_eq!(patch(2, json!({"max_value": -1})).send().await.field(422, "invalid_request"), "/max_value");
    for (pointer, change) in
        [("/scope_id", json!({"scope_id": "another"})), ("/reset_period", json!({"reset_period": "NONE"}))]
    {
        let refused = patch(2, change).send().await;
        assert!(refused.text.contains("make a new limit"), "{}", refused.text);
        assert_eq!(refused.field(422, "invalid_request"), pointer);
    }
    let disable = || app.post(format!("{limit}/disable")).key(&policy);
    assert_eq!(disable().send().await.expect(200)["status"], "DISABLED");
    assert_eq!(disable().send().await.problem(409), "limit_disabled");
    let mut for_life = budget();
    for_life.as_object_mut().expect("an object").remove("reset_period");
    let answer = app.post(format!("{POLICIES}/limits")).key(&policy).json(&for_life).send().await;
    assert_eq!(
        answer.field(422, "invalid_request"),
        "/reset_period",
        "a budget for life is asked for, not got"
    );
    assert!(answer.text.contains("DAILY, WEEKLY, MONTHLY, or NONE"), "{}", answer.text);
    let steps = json!({"name": "steps", "limit_type": "RUN_STEPS", "max_value": 1.5});
    let answer = app.post(format!("{POLICIES}/limits")).key(&policy).json(&steps).send().await;
    assert_eq!(answer.field(422, "invalid_request"), "/max_value", "steps are whole");
}

#[tokio::test]
async fn what_fired_is_listed_and_counted() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let rule =
        app.get(format!("{POLICIES}/rules/{}", scene.rule_id)).key(&scene.admin).send().await.expect(200);
    assert_eq!((&rule["trigger_count_30d"], &rule["integrity_status"]), (&json!(1), &json!("VERIFIED")));
    let fired =
        app.get(format!("{POLICIES}/rules/{}/enforcements", scene.rule_id)).key(&scene.admin).send().await;
    insta::assert_snapshot!(fired.shown(), @r#"
    200
    {
      "items": [
        {
          "enforcement_id": "enf_1",
          "policy_id": "rule_2",
          "policy_kind": "RULE",
          "run_id": "run_3",
          "step_index": 1,
          "incident_id": "inc_4",
          "action_taken": "AUDITED",
          "details": {
            "asked": "AFTER",
            "decision_id": "dec_5",
            "facts": [
              {
                "name": "step.cost_microusd",
                "value": 750000
              }
            ],
            "fault": null,
            "message": "Rule `no costly step` applies.",
            "mode": "BLOCK",
            "more_facts": null,
            "name": "no costly step",
            "note": "refused after it was done",
            "would_have": "BLOCK"
          },
          "triggered_at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "next_cursor": null,
      "has_more": false
    }
    "#);
    let limit =
        app.get(format!("{POLICIES}/limits/{}", scene.limit_id)).key(&scene.admin).send().await.expect(200);
    assert!(limit["utilization_pct"].is_number(), "{limit}");
    let breaches =
        app.get(format!("{POLICIES}/limits/{}/breaches", scene.limit_id)).key(&scene.admin).send().await;
    assert_eq!(breaches.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_breach_says_the_value_and_the_limit_as_they_were() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let run = super::scene::start(&app, &scene.agent).await;
    for cost in ["0.5", "0.5", "0.5", "0.5"] {
        let step = super::scene::llm_step(cost);
        app.post(format!("{}/runs/{run}/steps", super::scene::ACTIVITY))
            .key(&scene.agent)
            .json(&step)
            .send()
            .await;
    }
    let breaches =
        app.get(format!("{POLICIES}/limits/{}/breaches", scene.limit_id)).key(&scene.admin).send().await;
    insta::assert_snapshot!(breaches.shown(), @r#"
    200
    {
      "items": [
        {
          "breach_id": "brc_1",
          "limit_id": "lim_2",
          "limit_name": "daily",
          "limit_type": "COST_USD",
          "breach_type": "EXHAUSTED",
          "run_id": "run_3",
          "step_index": 2,
          "window_start": "2026-03-02T00:00:00.000000Z",
          "breached_value": 2.37,
          "threshold_value": 2,
          "breached_at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "next_cursor": null,
      "has_more": false
    }
    "#);
}
