//! Runs: how one goes from its start to its end, and how they are found.

use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{ACTIVITY, POLICIES, Scene, costly, llm_step, start, text},
};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the snapshots are long")]
async fn a_run_from_start_to_end() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let body = json!({
        "agent_id": "support-bot",
        "goal": "answer the mail of ana@example.com",
        "project_id": "mail",
        "actor": {"type": "HUMAN", "id": "ana"},
        "source": "sdk",
        "provider_type": "openai",
        "expected_latency_ms": 60_000,
        "environment": {"sdk": {"name": "hoc-py", "version": "0.1"}},
        "metadata": {"ticket": 7},
    });
    let started = app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&body).send().await;
    insta::assert_snapshot!(started.shown(), @r#"
    201
    {
      "run_id": "run_1",
      "trace_id": "trc_2",
      "agent_id": "support-bot",
      "project_id": "mail",
      "actor": {
        "type": "HUMAN",
        "id": "ana"
      },
      "goal": "answer the mail of <REDACTED:EMAIL>",
      "source": "sdk",
      "provider_type": "openai",
      "parent_run_id": null,
      "attempt": 1,
      "replay_of": null,
      "replay_mode": null,
      "status": "RUNNING",
      "state": "LIVE",
      "termination_reason": null,
      "halt_action": null,
      "error_message": null,
      "started_at": "2026-03-02T09:00:00.000000Z",
      "last_seen_at": "2026-03-02T09:00:00.000000Z",
      "completed_at": null,
      "duration_ms": null,
      "expected_latency_ms": 60000,
      "policy_snapshot_id": "snap_3",
      "policy_snapshot_digest": "(hash 1)",
      "assurance": "ENFORCED",
      "sealed_assurance": null,
      "step_count": 0,
      "refused_count": 0,
      "unasked_count": 0,
      "llm_call_count": 0,
      "tool_call_count": 0,
      "input_tokens": 0,
      "output_tokens": 0,
      "cost_usd": 0,
      "cost_known": true,
      "correlation_id": "4",
      "opened_by": "key_5",
      "external_trace_id": null,
      "conversation_id": null,
      "session_id": null,
      "user_id": null,
      "metadata": {
        "ticket": 7
      },
      "is_synthetic": false,
      "synthetic_scenario_id": null,
      "risk_level": "NORMAL",
      "latency_bucket": "OK",
      "evidence_health": "FLOWING",
      "integrity_status": "UNKNOWN",
      "incident_count": 0,
      "policy_violation": false,
      "policy_draft_count": 0,
      "late": null,
      "verdict": {
        "action": "ALLOW",
        "decision_id": "dec_6",
        "halt_reason": null,
        "deciding_policy_id": null,
        "fired": [],
        "limits": [],
        "checked_at": "2026-03-02T09:00:00.000000Z"
      }
    }
    "#);
    let run = text(&started.json()["run_id"]);
    assert_eq!(started.header("location"), format!("{ACTIVITY}/runs/{run}"));
    let recorded =
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&llm_step("0.12")).send().await;
    // Of everything that its record holds; here it only matters that it is told and shown alike.
    let hash = text(&recorded.json()["step_hash"]);
    assert_eq!(hash.len(), 64, "{hash}");
    insta::assert_snapshot!(recorded.shown().replace(&hash, "<its hash>"), @r#"
    200
    {
      "step_index": 0,
      "step_hash": "(hash 1)",
      "recorded": true,
      "verdict": {
        "action": "ALLOW",
        "decision_id": "dec_1",
        "halt_reason": null,
        "deciding_policy_id": null,
        "fired": [],
        "limits": [],
        "asked": "AFTER",
        "checked_at": "2026-03-02T09:00:00.000000Z"
      },
      "run": {
        "run_id": "run_2",
        "status": "RUNNING",
        "step_count": 1,
        "refused_count": 0,
        "input_tokens": 1200,
        "output_tokens": 300,
        "cost_usd": 0.12
      }
    }
    "#);
    let steps = app.get(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).send().await;
    insta::assert_snapshot!(steps.shown().replace(&hash, "<its hash>"), @r#"
    200
    {
      "items": [
        {
          "step_index": 0,
          "parent_step_index": null,
          "is_late": false,
          "counts": true,
          "external_span_id": null,
          "external_parent_span_id": null,
          "step_hash": "(hash 1)",
          "kind": "LLM_CALL",
          "skill_name": "chat",
          "status": "SUCCESS",
          "asked": "AFTER",
          "reported_status": "SUCCESS",
          "note": null,
          "verdict": {
            "action": "ALLOW",
            "would_have": null,
            "fired": [],
            "decision_id": "dec_1"
          },
          "outcome": {
            "category": "SUCCESS",
            "code": null,
            "data": null
          },
          "params": {
            "temperature": 1,
            "seed": 12345678901234567890
          },
          "erased": [],
          "lost": [],
          "llm": {
            "provider": "openai",
            "model": "gpt-4o",
            "model_requested": "gpt-4o",
            "input_tokens": 1200,
            "output_tokens": 300,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
            "cost_usd": 0.12,
            "cost_note": null,
            "prompt": "Where is my parcel?",
            "response": "On its way.",
            "finish_reason": null
          },
          "duration_ms": 840,
          "retry_count": 0,
          "started_at": null,
          "recorded_at": "2026-03-02T09:00:00.000000Z",
          "level": "INFO",
          "source": "engine",
          "reported_by": "key_2",
          "permit_id": null,
          "permit_note": null,
          "idempotency_key": null,
          "input_hash": "(hash 2)",
          "output_hash": "(hash 3)",
          "determinism_hash": "(hash 4)",
          "prev_hash": "(hash 5)"
        }
      ],
      "next_cursor": null,
      "has_more": false,
      "missing": [],
      "missing_texts": []
    }
    "#);
    let complete = || app.post(format!("{ACTIVITY}/runs/{run}/complete")).key(&agent);
    let sealed = complete().json(&json!({"status": "SUCCEEDED"})).send().await;
    insta::assert_snapshot!(sealed.shown(), @r#"
    200
    {
      "run_id": "run_1",
      "trace_id": "trc_2",
      "agent_id": "support-bot",
      "project_id": "mail",
      "actor": {
        "type": "HUMAN",
        "id": "ana"
      },
      "goal": "answer the mail of <REDACTED:EMAIL>",
      "source": "sdk",
      "provider_type": "openai",
      "parent_run_id": null,
      "attempt": 1,
      "replay_of": null,
      "replay_mode": null,
      "status": "SUCCEEDED",
      "state": "COMPLETED",
      "termination_reason": "completed",
      "halt_action": null,
      "error_message": null,
      "started_at": "2026-03-02T09:00:00.000000Z",
      "last_seen_at": "2026-03-02T09:00:00.000000Z",
      "completed_at": "2026-03-02T09:00:00.000000Z",
      "duration_ms": 0,
      "expected_latency_ms": 60000,
      "policy_snapshot_id": "snap_3",
      "policy_snapshot_digest": "(hash 1)",
      "assurance": "RECORDED",
      "sealed_assurance": "RECORDED",
      "step_count": 1,
      "refused_count": 0,
      "unasked_count": 1,
      "llm_call_count": 1,
      "tool_call_count": 0,
      "input_tokens": 1200,
      "output_tokens": 300,
      "cost_usd": 0.12,
      "cost_known": true,
      "correlation_id": "4",
      "opened_by": "key_5",
      "external_trace_id": null,
      "conversation_id": null,
      "session_id": null,
      "user_id": null,
      "metadata": {
        "ticket": 7
      },
      "is_synthetic": false,
      "synthetic_scenario_id": null,
      "risk_level": "NORMAL",
      "latency_bucket": "OK",
      "evidence_health": "FLOWING",
      "integrity_status": "VERIFIED",
      "incident_count": 0,
      "policy_violation": false,
      "policy_draft_count": 0,
      "late": null
    }
    "#);
    let again = complete().json(&json!({"status": "SUCCEEDED"})).send().await;
    assert_eq!(again.shown(), sealed.shown());
    let otherwise = complete().json(&json!({"status": "FAILED", "error": "no"})).send().await;
    assert_eq!(otherwise.problem(409), "run_not_running");
    let late =
        app.post(format!("{ACTIVITY}/runs/{run}/steps")).key(&agent).json(&llm_step("0.12")).send().await;
    insta::assert_snapshot!(late.shown(), @r#"
    409
    {
      "type": "urn:hoc:problem:run_not_running",
      "title": "The run takes no steps any more",
      "status": 409,
      "detail": "run run_1 is SUCCEEDED: it has ended (completed)",
      "instance": "/api/v1/runtime/activity/runs/run_1/steps",
      "code": "run_not_running",
      "request_id": "req-test",
      "errors": [],
      "run_id": "run_1",
      "run_status": "SUCCEEDED"
    }
    "#);
}

#[tokio::test]
async fn a_killed_run_takes_nothing_more() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    let mut kill = costly();
    kill["enforcement_mode"] = json!("KILL");
    app.post(format!("{POLICIES}/rules")).key(&admin).json(&kill).send().await.expect(201);
    let run = start(&app, &agent).await;
    let steps = format!("{ACTIVITY}/runs/{run}/steps");
    let halted = app.post(&steps).key(&agent).json(&llm_step("0.75")).send().await;
    assert_eq!(halted.problem(403), "step_halted");
    assert_eq!(halted.json()["run_status"], "HALTED");
    let late = app.post(&steps).key(&agent).json(&llm_step("0.1")).send().await;
    insta::assert_snapshot!(late.shown(), @r#"
    409
    {
      "type": "urn:hoc:problem:run_killed",
      "title": "The run was killed",
      "status": 409,
      "detail": "run run_1 was killed",
      "instance": "/api/v1/runtime/activity/runs/run_1/steps",
      "code": "run_killed",
      "request_id": "req-test",
      "errors": [],
      "run_id": "run_1",
      "run_status": "HALTED"
    }
    "#);
}

#[tokio::test]
async fn runs_are_filtered() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let calm = start(&app, &scene.agent).await;
    app.post(format!("{ACTIVITY}/runs/{calm}/abort")).key(&scene.agent).send().await.expect(200);
    let cases = [
        ("state=LIVE", vec![&scene.run_id]),
        ("state=COMPLETED", vec![&calm]),
        ("status=ABORTED", vec![&calm]),
        ("risk=true", vec![&scene.run_id]),
        ("risk_level=VIOLATED", vec![&scene.run_id]),
        ("agent_id=nobody", vec![]),
        ("agent_id=support-bot&state=LIVE", vec![&scene.run_id]),
        ("started_after=2030-01-01T00:00:00Z", vec![]),
        ("integrity_status=UNKNOWN", vec![&scene.run_id]),
        ("assurance=REPORTED", vec![]),
        ("is_synthetic=true", vec![]),
    ];
    for (query, expected) in cases {
        let page = app.get(format!("{ACTIVITY}/runs?{query}")).key(&scene.admin).send().await.expect(200);
        let found: Vec<_> =
            page["items"].as_array().expect("items").iter().map(|run| text(&run["run_id"])).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn what_asks_for_a_replay_is_refused_until_there_are_replays() {
    let app = App::new().await;
    let agent = app.key(Role::Agent).await;
    let run = start(&app, &agent).await;
    let post =
        |path: &str, body: serde_json::Value| app.post(format!("{ACTIVITY}{path}")).key(&agent).json(&body);
    for (member, value) in
        [("replay_of", json!(run)), ("replay_mode", json!("TRACE_ONLY")), ("replay_mode", json!(1))]
    {
        let answer = post("/runs", json!({"agent_id": "support-bot", member: value})).send().await;
        assert_eq!(answer.field(422, "invalid_request"), format!("/{member}"));
        assert!(answer.text.contains("there are no replays yet"), "{}", answer.text);
    }
    let with = |behavior: serde_json::Value| {
        let mut step = llm_step("0.1");
        step["replay_behavior"] = behavior;
        step
    };
    for behavior in ["execute", "skip", "check", "guess"] {
        let answer = post(&format!("/runs/{run}/steps"), with(json!(behavior))).send().await;
        assert_eq!(answer.field(422, "invalid_request"), "/replay_behavior");
    }
    let batch = json!({ "steps": [with(serde_json::Value::Null), with(json!("skip"))] });
    let answer = post(&format!("/runs/{run}/steps/batch"), batch).send().await.expect(200);
    assert_eq!(answer["items"][1]["body"]["errors"][0]["pointer"], "/replay_behavior");
    let listed = app.get(format!("{ACTIVITY}/runs?total=true")).key(&agent).send().await.expect(200);
    assert_eq!((&listed["total"], &listed["items"][0]["step_count"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_start_says_which_conversation_it_is_of() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    let begin = |body: serde_json::Value| app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&body).send();
    let key = json!("once");
    let one =
        json!({"agent_id": "a", "conversation_id": "talk-7", "session_id": "s-1", "idempotency_key": key});
    let run = begin(one.clone()).await.expect(201);
    assert_eq!((&run["conversation_id"], &run["session_id"]), (&json!("talk-7"), &json!("s-1")));
    let of_a_session = begin(json!({"agent_id": "a", "session_id": "s-1"})).await.expect(201);
    assert_eq!(of_a_session["conversation_id"], "s-1", "where no other is named");
    assert_eq!(begin(one.clone()).await.expect(201)["run_id"], run["run_id"]);
    let mut another = one;
    another["conversation_id"] = json!("talk-8");
    assert_eq!(begin(another).await.problem(409), "idempotency_conflict");
    let listed =
        app.get(format!("{ACTIVITY}/runs?conversation_id=talk-7")).key(&agent).send().await.expect(200);
    let found: Vec<_> =
        listed["items"].as_array().expect("items").iter().map(|run| text(&run["run_id"])).collect();
    assert_eq!(found, [text(&run["run_id"])]);
    // It goes on, and its bundle says so all the same.
    let path = format!("{ACTIVITY}/runs/{}/bundle", text(&run["run_id"]));
    let bundle = app.get(path).key(&admin).send().await.expect(200);
    let now = &bundle["records"]["after"]["run"];
    assert_eq!((&now["conversation_id"], &now["session_id"]), (&json!("talk-7"), &json!("s-1")));
}
