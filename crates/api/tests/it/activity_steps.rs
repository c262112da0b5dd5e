//! What a step, a permit and a batch are answered.

use models::account::Role;
use proof::words::REFUSED_AFTER;
use serde_json::{Value, json};

use super::{
    app::App,
    console::session,
    scene::{ACTIVITY, POLICIES, budget, costly, llm_step, start},
};

#[tokio::test]
async fn a_refused_step_names_the_rule() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    app.post(format!("{POLICIES}/rules")).key(&admin).json(&costly()).send().await.expect(201);
    app.post(format!("{POLICIES}/limits")).key(&admin).json(&budget()).send().await.expect(201);
    let run = start(&app, &agent).await;
    let halted =
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&llm_step("0.75")).send().await;
    insta::assert_snapshot!(halted.shown(), @r#"
    403
    {
      "type": "urn:hoc:problem:step_halted",
      "title": "The step was refused",
      "status": 403,
      "detail": "the step was refused: BLOCK by RULE `no costly step`: step.cost_microusd is $0.75 (750000 micro-USD) (refused after it was done)",
      "instance": "/api/v1/runtime/activity/runs/run_1/steps",
      "code": "step_halted",
      "request_id": "req-test",
      "errors": [],
      "verdict": {
        "action": "BLOCK",
        "decision_id": "dec_2",
        "halt_reason": "policy_stop",
        "deciding_policy_id": "rule_3",
        "fired": [
          {
            "policy_id": "rule_3",
            "name": "no costly step",
            "kind": "RULE",
            "mode": "BLOCK",
            "message": "Rule `no costly step` applies.",
            "facts": [
              {
                "name": "step.cost_microusd",
                "value": 750000,
                "unit": "micro-USD",
                "usd": 0.75
              }
            ]
          }
        ],
        "limits": [
          {
            "limit_id": "lim_4",
            "name": "daily",
            "limit_type": "COST_USD",
            "status": "OK",
            "used": 0.75,
            "reserved": 0,
            "max": 2,
            "remaining": 1.25
          }
        ],
        "asked": "AFTER",
        "note": "refused after it was done",
        "checked_at": "2026-03-02T09:00:00.000000Z"
      },
      "run_id": "run_1",
      "step_index": 0,
      "run_status": "RUNNING",
      "recorded": true
    }
    "#);
    let ok =
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&llm_step("0.25")).send().await;
    let ok = ok.expect(200);
    assert_eq!((&ok["step_index"], &ok["run"]["refused_count"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn permits_are_granted_and_refused() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    app.post(format!("{POLICIES}/limits")).key(&admin).json(&budget()).send().await.expect(201);
    let run = start(&app, &agent).await;
    let ask = |cost: &str| {
        let body = json!({
            "kind": "LLM_CALL", "skill_name": "chat", "params": {"n": 1}, "provider": "openai", "model": "gpt-4o",
            "estimate": {"input_tokens": 1000, "output_tokens": 200, "cost_usd": cost},
        });
        app.post(format!("{ACTIVITY}/runs/{run}/permits")).key(&agent).json(&body)
    };
    let granted = ask("1.5").send().await;
    insta::assert_snapshot!(granted.shown(), @r#"
    201
    {
      "permit_id": "prm_1",
      "expires_at": "2026-03-02T09:01:00.000000Z",
      "recorded": true,
      "verdict": {
        "action": "ALLOW",
        "decision_id": "dec_2",
        "halt_reason": null,
        "deciding_policy_id": null,
        "fired": [],
        "limits": [
          {
            "limit_id": "lim_3",
            "name": "daily",
            "limit_type": "COST_USD",
            "status": "OK",
            "used": 0,
            "reserved": 1.5,
            "max": 2,
            "remaining": 0.5
          }
        ],
        "asked": "BEFORE",
        "checked_at": "2026-03-02T09:00:00.000000Z"
      }
    }
    "#);
    let refused = ask("1").send().await;
    assert_eq!(refused.problem(403), "step_halted");
    assert_eq!(refused.json()["verdict"]["halt_reason"], "budget_exceeded");
    let mut step = llm_step("1.4");
    step["params"] = json!({"n": 1});
    step["permit_id"] = granted.json()["permit_id"].clone();
    let recorded =
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await.expect(200);
    assert_eq!(recorded["verdict"]["limits"][0]["used"], 1.4);
}

#[tokio::test]
async fn limits_on_a_run_say_what_its_open_permits_hold() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    for (limit_type, max) in [("RUN_STEPS", 1), ("RUN_TOKENS", 2_000), ("RUN_COST_USD", 2)] {
        let limit = json!({"name": limit_type, "limit_type": limit_type, "max_value": max});
        app.post(format!("{POLICIES}/limits")).key(&admin).json(&limit).send().await.expect(201);
    }
    let run = start(&app, &agent).await;
    let asked = json!({
        "kind": "LLM_CALL", "skill_name": "chat", "provider": "openai", "model": "gpt-4o",
        "estimate": {"input_tokens": 1000, "output_tokens": 200, "cost_usd": "1.5"},
    });
    let ask = || app.post(format!("{ACTIVITY}/runs/{run}/permits")).key(&agent).json(&asked);
    let stands = |answer: &Value| -> Vec<Value> {
        let limits = answer["verdict"]["limits"].as_array().expect("the limits that apply");
        let of = |limit: &Value| {
            json!([limit["limit_type"], limit["used"], limit["reserved"], limit["remaining"]])
        };
        limits.iter().map(of).collect()
    };
    let held = [
        json!(["RUN_STEPS", 0, 1, 0]),
        json!(["RUN_TOKENS", 0, 1200, 800]),
        json!(["RUN_COST_USD", 0, 1.5, 0.5]),
    ];
    assert_eq!(stands(&ask().send().await.expect(201)), held);
    // Nothing is used yet, and no more leave is given.
    let refused = ask().send().await;
    assert_eq!(refused.problem(403), "step_halted");
    assert_eq!(stands(&refused.json()), held);
}

#[tokio::test]
async fn what_is_refused_after_it_was_done_says_so_though_it_was_permitted() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    app.post(format!("{POLICIES}/rules")).key(&admin).json(&costly()).send().await.expect(201);
    let run = start(&app, &agent).await;
    let mut step = llm_step("0.75");
    let asked = json!({
        "kind": step["kind"], "skill_name": step["skill_name"], "params": step["params"],
        "provider": step["llm"]["provider"], "model": step["llm"]["model"],
    });
    let granted = app.post(format!("{ACTIVITY}/runs/{run}/permits")).key(&agent).json(&asked).send().await;
    step["permit_id"] = granted.expect(201)["permit_id"].clone();
    let halted = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await;
    assert_eq!(halted.problem(403), "step_halted");
    let (verdict, detail) = (&halted.json()["verdict"], &halted.json()["detail"]);
    assert_eq!((&verdict["asked"], &verdict["note"]), (&json!("BEFORE"), &json!(REFUSED_AFTER)));
    assert!(detail.as_str().is_some_and(|detail| detail.contains(REFUSED_AFTER)), "{detail}");
    let steps = app.get(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).send().await.expect(200);
    assert_eq!(steps["items"][0]["note"], REFUSED_AFTER);
    let evidence = app.get(format!("{ACTIVITY}/runs/{run}/evidence")).key(&admin).send().await.expect(200);
    let ledger = &evidence["policies_evaluated"][0];
    assert_eq!((&ledger["note"], &ledger["outcome"]), (&json!(REFUSED_AFTER), &json!("AUDITED")));
    let cookie = session(&app, &admin).await;
    for page in ["", "/evidence"] {
        let path = format!("/console/activity/runs/{run}{page}");
        let shown = app.get(path).header("cookie", &cookie).send().await.text;
        assert!(shown.contains(REFUSED_AFTER), "{page}: {shown}");
    }
}

/// Zero is what was told to be zero, and what cannot be another: by this door as by that of spans.
#[tokio::test]
async fn a_side_of_a_call_that_is_not_told_is_not_known() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let (chat, embeds, sounds) =
        (json!("gpt-4o"), json!("text-embedding-3-small"), json!("gpt-4o-audio-preview"));
    let at_tier =
        |tier: &str| json!({"model": chat, "input_tokens": 1000, "output_tokens": 100, "service_tier": tier});
    for (kind, llm, cost) in [
        ("LLM_CALL", json!({"model": chat, "input_tokens": 1000, "output_tokens": 100}), Some(0.0035)),
        ("LLM_CALL", json!({"model": chat, "input_tokens": 1000, "output_tokens": 0}), Some(0.0025)),
        ("LLM_CALL", json!({"model": chat, "input_tokens": 1000, "cost_usd": 0.5}), Some(0.5)),
        ("LLM_CALL", json!({"model": chat, "input_tokens": 1000}), None),
        ("LLM_CALL", json!({"model": chat, "output_tokens": 100}), None),
        ("LLM_CALL", json!({"model": chat}), None),
        ("TOOL_CALL", json!({"model": chat, "input_tokens": 1000}), None),
        ("LLM_CALL", json!({"model": embeds, "input_tokens": 1000}), Some(0.000_02)),
        ("RETRIEVAL", json!({"model": embeds, "input_tokens": 1000}), Some(0.000_02)),
        ("RETRIEVAL", json!({"model": chat, "input_tokens": 1000}), Some(0.0025)),
        ("LLM_CALL", json!({"model": sounds, "input_tokens": 1000, "output_tokens": 100}), None),
        ("LLM_CALL", at_tier("default"), Some(0.0035)),
        ("LLM_CALL", at_tier("flex"), None),
        ("LLM_CALL", at_tier("priority"), None),
        ("LLM_CALL", json!({"model": chat, "cost_usd": 0.5, "service_tier": "flex"}), Some(0.5)),
        ("LLM_CALL", json!({"model": chat, "input_tokens": 0, "output_tokens": 100}), None),
        ("LLM_CALL", json!({"model": "unknown", "input_tokens": 1000, "output_tokens": 100}), None),
        ("LLM_CALL", json!({"model": "", "input_tokens": 1000, "output_tokens": 100}), None),
        ("LLM_CALL", json!({"model": "-", "input_tokens": 1000, "output_tokens": 100}), None),
        ("LLM_CALL", json!({"model": "default", "input_tokens": 1000, "output_tokens": 100}), None),
    ] {
        let run = start(&app, &agent).await;
        let mut step = json!({"kind": kind, "skill_name": "ask", "status": "SUCCESS", "llm": llm});
        step["llm"]["provider"] = json!("openai");
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await.expect(200);
        let told = app.get(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).send().await.expect(200);
        let told = &told["items"][0]["llm"];
        let note = match cost {
            Some(_) => json!(null),
            // Both sides are told, and the book has no price for such a call.
            None if llm["input_tokens"] == 1000 && llm["output_tokens"] == 100 => json!("NO_PRICE"),
            None => json!("NO_TOKENS"),
        };
        assert_eq!((told["cost_usd"].as_f64(), &told["cost_note"]), (cost, &note), "{step}");
        let run = app.get(format!("{ACTIVITY}/runs/{run}")).key(&agent).send().await.expect(200);
        assert_eq!(run["cost_known"], cost.is_some(), "{step}");
        assert_eq!(run["cost_usd"].as_f64(), Some(cost.unwrap_or(0.0)), "{step}");
    }
}

/// A gateway's 0 is its word. It is marked, also where nothing else is told of the call, unless the book has the model
/// for nothing.
#[tokio::test]
async fn a_zero_for_what_is_not_known_to_be_free_is_marked() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let sold = json!("REPORTED_ZERO");
    for (provider, llm, note) in [
        ("openai", json!({"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100}), &sold),
        ("openai", json!({"model": "gpt-4o"}), &sold),
        ("openai", json!({"model": "gpt-4o", "output_tokens": 100}), &sold),
        ("openai", json!({"model": "gpt-4o", "input_tokens": 0, "output_tokens": 0}), &sold),
        ("acme", json!({"model": "acme/zork"}), &sold),
        ("openai", json!({"model": "gpt-99-new", "input_tokens": 1000, "output_tokens": 100}), &sold),
        ("openai", json!({"input_tokens": 1000, "output_tokens": 100}), &sold),
        ("openrouter", json!({"model": "deepseek/deepseek-r1:free"}), &json!(null)),
    ] {
        let run = start(&app, &agent).await;
        let mut step = json!({"kind": "LLM_CALL", "skill_name": "ask", "status": "SUCCESS", "llm": llm});
        (step["llm"]["provider"], step["llm"]["cost_usd"]) = (json!(provider), json!(0));
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await.expect(200);
        let told = app.get(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).send().await.expect(200);
        let told = &told["items"][0]["llm"];
        assert_eq!((&told["cost_usd"], &told["cost_note"]), (&json!(0), note), "{step}");
    }
}

#[tokio::test]
async fn a_batch_stops_after_the_first_that_is_not_200() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    app.post(format!("{POLICIES}/rules")).key(&admin).json(&costly()).send().await.expect(201);
    let run = start(&app, &agent).await;
    let batch = |steps: serde_json::Value| {
        app.post(format!("{ACTIVITY}/runs/{run}/steps/batch")).key(&agent).json(&json!({ "steps": steps }))
    };
    let answer = batch(json!([llm_step("0.1"), llm_step("0.75"), llm_step("0.1"), llm_step("0.1")]))
        .send()
        .await
        .expect(200);
    let items = answer["items"].as_array().expect("items");
    let statuses: Vec<_> = items.iter().map(|item| item["status"].as_u64().expect("a status")).collect();
    assert_eq!(statuses, [200, 403]);
    assert_eq!(items[0]["body"]["step_index"], 0);
    assert_eq!(items[1]["body"]["code"], "step_halted");
    assert_eq!(items[1]["body"]["request_id"], "req-test");
    assert_eq!(answer["not_attempted"], json!([2, 3]));
    // One that cannot be read stops it as well, and what comes before it counts.
    let answer =
        batch(json!([llm_step("0.1"), {"kind": "LLM_CALL"}, llm_step("0.1")])).send().await.expect(200);
    assert_eq!(answer["items"][0]["status"], 200);
    assert_eq!(answer["items"][1]["status"], 422);
    assert_eq!(answer["items"][1]["body"]["errors"][0]["pointer"], "/skill_name");
    assert_eq!(answer["not_attempted"], json!([2]));
    let answer = batch(json!([{"kind": "NONE"}, llm_step("0.1")])).send().await.expect(200);
    assert_eq!((&answer["items"][0]["status"], &answer["not_attempted"]), (&json!(422), &json!([1])));
    assert_eq!(batch(json!([])).send().await.field(422, "invalid_request"), "/steps");
    let many: Vec<_> = (0..501).map(|_| json!({})).collect();
    assert_eq!(batch(json!(many)).send().await.field(422, "invalid_request"), "/steps");
    let listed = app.get(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).send().await.expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_step_out_of_order_is_told_the_next_index() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let mut step = llm_step("0.1");
    step["step_index"] = json!(3);
    let answer = app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&step).send().await;
    insta::assert_snapshot!(answer.shown(), @r#"
    409
    {
      "type": "urn:hoc:problem:step_out_of_order",
      "title": "Not the next step",
      "status": 409,
      "detail": "the next step_index of this run is 0, not 3",
      "instance": "/api/v1/runtime/activity/runs/run_1/steps",
      "code": "step_out_of_order",
      "request_id": "req-test",
      "errors": [],
      "expected_step_index": 0
    }
    "#);
}
