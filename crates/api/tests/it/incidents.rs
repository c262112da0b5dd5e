//! Incidents, and how they are handled.

use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{INCIDENTS, Scene},
};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the snapshots are long")]
async fn an_incident_is_acknowledged_and_resolved() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let (ana, ben) = (app.key(Role::Operator).await, scene.admin.clone());
    let incident = format!("{INCIDENTS}/{}", scene.incident_id);
    insta::assert_snapshot!(app.get(&incident).key(&ana).send().await.shown(), @r#"
    200
    {
      "incident_id": "inc_1",
      "title": "Rule `no costly step` refused a step after it was done",
      "category": "POLICY_VIOLATION",
      "severity": "high",
      "lifecycle_state": "ACTIVE",
      "cause_type": "LLM_RUN",
      "source_run_id": "run_2",
      "source_step_index": 1,
      "policy_id": "rule_3",
      "limit_id": null,
      "description": "step.cost_microusd is $0.75 (750000 micro-USD) (refused after it was done)",
      "error_code": null,
      "cost_impact_usd": 0.75,
      "affected_count": 1,
      "occurrences": 1,
      "last_seen_at": "2026-03-02T09:00:00.000000Z",
      "agents": [
        "support-bot"
      ],
      "more_agents": false,
      "recurrence_signature": "(hash 1)",
      "recurrence_count": 0,
      "similar_incident_group_id": "4bbea89e1b5e685f",
      "correlation_id": "4",
      "is_synthetic": false,
      "synthetic_scenario_id": null,
      "acknowledged_at": null,
      "acknowledged_by": null,
      "resolved_at": null,
      "resolved_by": null,
      "resolution_type": null,
      "resolution_notes": null,
      "escalated_at": null,
      "created_at": "2026-03-02T09:00:00.000000Z",
      "updated_at": "2026-03-02T09:00:00.000000Z",
      "timeline": [
        {
          "event_id": "ine_5",
          "event_type": "created",
          "actor": null,
          "details": {
            "note": "refused after it was done",
            "run_id": "run_2",
            "step_index": 1
          },
          "at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "affected_runs": [
        {
          "run_id": "run_2",
          "trace_id": "trc_6",
          "agent_id": "support-bot",
          "project_id": null,
          "actor": {
            "type": "AGENT",
            "id": "support-bot"
          },
          "goal": "answer the mail",
          "source": "agent",
          "provider_type": null,
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
          "expected_latency_ms": null,
          "policy_snapshot_id": "snap_7",
          "policy_snapshot_digest": "(hash 2)",
          "assurance": "RECORDED",
          "sealed_assurance": null,
          "step_count": 1,
          "refused_count": 1,
          "unasked_count": 2,
          "llm_call_count": 1,
          "tool_call_count": 0,
          "input_tokens": 2400,
          "output_tokens": 600,
          "cost_usd": 0.87,
          "cost_known": true,
          "correlation_id": "4",
          "opened_by": "key_8",
          "external_trace_id": null,
          "conversation_id": null,
          "session_id": null,
          "user_id": null,
          "metadata": null,
          "is_synthetic": false,
          "synthetic_scenario_id": null,
          "risk_level": "VIOLATED",
          "latency_bucket": "OK",
          "evidence_health": "FLOWING",
          "integrity_status": "UNKNOWN",
          "incident_count": 1,
          "policy_violation": true,
          "policy_draft_count": 0,
          "late": null,
          "relation": "SOURCE",
          "occurrences": 1,
          "first_step_index": 1,
          "cost_impact_usd": 0.75,
          "note": "refused after it was done",
          "first_at": "2026-03-02T09:00:00.000000Z",
          "last_at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "triggering_rule": {
        "rule_id": "rule_3",
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
        "created_by": "admin of acme",
        "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z",
        "retired_at": null,
        "retired_by": null,
        "retirement_reason": null
      },
      "triggering_limit": null
    }
    "#);
    let acknowledge = |key: &str| app.post(format!("{incident}/acknowledge")).key(key);
    let acked = acknowledge(&ana).json(&json!({"note": "looking"})).send().await.expect(200);
    assert_eq!(acked["lifecycle_state"], "ACKED");
    let again = acknowledge(&ana).send().await.expect(200);
    assert_eq!(again, acked, "by the same person it is nothing new");
    assert_eq!(acknowledge(&ben).send().await.problem(409), "incident_acknowledged_by_other");
    let resolve = || app.post(format!("{incident}/resolve")).key(&ana);
    let odd = resolve().json(&json!({"resolution_type": "gone"})).send().await;
    assert_eq!(odd.field(422, "invalid_request"), "/resolution_type");
    let resolved = resolve()
        .json(&json!({"resolution_type": "fixed", "note": "cheaper model"}))
        .send()
        .await
        .expect(200);
    assert_eq!(
        (&resolved["lifecycle_state"], &resolved["resolution_type"]),
        (&json!("RESOLVED"), &json!("fixed"))
    );
    assert_eq!(resolve().send().await.problem(409), "incident_resolved");
    assert_eq!(acknowledge(&ana).send().await.problem(409), "incident_resolved");
    let detail = app.get(&incident).key(&ana).send().await.expect(200);
    let events: Vec<_> =
        detail["timeline"].as_array().expect("a timeline").iter().map(|event| &event["event_type"]).collect();
    assert_eq!(events, ["created", "acknowledged", "resolved"]);
}

#[tokio::test]
async fn a_close_by_hand_needs_no_body() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let close = app.post(format!("{INCIDENTS}/{}/close", scene.incident_id)).key(&scene.admin);
    let closed = close.send().await.expect(200);
    assert_eq!(
        (&closed["lifecycle_state"], &closed["resolution_type"]),
        (&json!("RESOLVED"), &json!("manual_closure"))
    );
    assert!(closed["resolved_by"].is_string(), "{closed}");
}

#[tokio::test]
async fn incidents_are_filtered_by_topic_and_more() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let count = async |query: &str| {
        let page =
            app.get(format!("{INCIDENTS}?total=true&{query}")).key(&scene.admin).send().await.expect(200);
        page["total"].as_u64().expect("a total")
    };
    for (query, expected) in [
        ("topic=ACTIVE", 1),
        ("topic=RESOLVED", 0),
        ("topic=HISTORICAL", 0),
        ("category=POLICY_VIOLATION", 1),
        ("category=BUDGET_EXCEEDED", 0),
        ("severity=high", 1),
        ("severity=low", 0),
        ("cause_type=LLM_RUN", 1),
        ("created_before=2020-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    let acknowledge = format!("{INCIDENTS}/{}/acknowledge", scene.incident_id);
    app.post(&acknowledge).key(&scene.admin).send().await.expect(200);
    assert_eq!(count("topic=ACTIVE").await, 1, "ACKED is a badge");
    app.post(acknowledge.replace("acknowledge", "close")).key(&scene.admin).send().await.expect(200);
    assert_eq!((count("topic=ACTIVE").await, count("topic=RESOLVED").await), (0, 1));
}

#[tokio::test]
async fn the_incidents_of_a_run() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let found =
        app.get(format!("{INCIDENTS}/by-run/{}", scene.run_id)).key(&scene.admin).send().await.expect(200);
    assert_eq!(found["items"][0]["incident_id"], scene.incident_id);
    assert_eq!(found["items"][0]["source_run_id"], scene.run_id);
    let calm = super::scene::start(&app, &scene.agent).await;
    let none = app.get(format!("{INCIDENTS}/by-run/{calm}")).key(&scene.admin).send().await.expect(200);
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn several_are_acknowledged_in_one_move() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let take = |ids: serde_json::Value| {
        app.post(format!("{INCIDENTS}/acknowledge"))
            .key(&scene.admin)
            .json(&json!({"incident_ids": ids, "note": "all of them"}))
    };
    let unknown = "inc_019cadc69a8070008000000000000099";
    let answer = take(json!([unknown, scene.incident_id])).send().await.expect(200);
    assert_eq!((&answer["acknowledged"], &answer["refused"]), (&json!(1), &json!(1)));
    let [first, second] = [&answer["items"][0], &answer["items"][1]];
    assert_eq!((&first["status"], &first["body"]["code"]), (&json!(404), &json!("not_found")));
    assert_eq!((&second["status"], &second["body"]["lifecycle_state"]), (&json!(200), &json!("ACKED")));
    assert_eq!(second["incident_id"], scene.incident_id);
    for odd in [json!([]), json!(vec![unknown; 201])] {
        assert_eq!(take(odd).send().await.field(422, "invalid_request"), "/incident_ids");
    }
    assert_eq!(
        take(json!([unknown, "banana"])).send().await.field(422, "invalid_request"),
        "/incident_ids/1"
    );
    let viewer = app.key(Role::Viewer).await;
    let refused = app.post(format!("{INCIDENTS}/acknowledge")).key(&viewer);
    assert_eq!(refused.json(&json!({"incident_ids": [unknown]})).send().await.problem(403), "forbidden");
}
