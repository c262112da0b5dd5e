//! The raw truth: Audit Ledger, calls to models, system records.

use models::account::Role;
use orchestrator::handlers::account;
use serde_json::json;

use super::{
    app::App,
    scene::{ACTIVITY, INCIDENTS, LOGS, Scene, llm_step, start, text},
};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the snapshots are long")]
async fn the_audit_ledger_says_who_decided() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let list = app.get(format!("{LOGS}/audit?total=true")).key(&scene.admin).send().await;
    insta::assert_snapshot!(list.shown(), @r#"
    200
    {
      "items": [
        {
          "id": "aud_1",
          "event_type": "LimitCreated",
          "entity_type": "LIMIT",
          "entity_id": "lim_2",
          "actor_type": "HUMAN",
          "actor_id": "admin of acme",
          "action_reason": null,
          "created_at": "2026-03-02T09:00:00.000000Z",
          "evidence_metadata": {
            "tenant_id": "ten_3",
            "run_id": null,
            "actor_type": "HUMAN",
            "actor_id": "admin of acme",
            "occurred_at": "2026-03-02T09:00:00.000000Z",
            "recorded_at": "2026-03-02T09:00:00.000000Z",
            "correlation_id": "4",
            "policy_ids": [
              "lim_2"
            ],
            "incident_ids": [],
            "origin": "HUMAN",
            "checksum": "(hash 1)"
          }
        },
        {
          "id": "aud_5",
          "event_type": "PolicyRuleCreated",
          "entity_type": "POLICY_RULE",
          "entity_id": "rule_6",
          "actor_type": "HUMAN",
          "actor_id": "admin of acme",
          "action_reason": null,
          "created_at": "2026-03-02T09:00:00.000000Z",
          "evidence_metadata": {
            "tenant_id": "ten_3",
            "run_id": null,
            "actor_type": "HUMAN",
            "actor_id": "admin of acme",
            "occurred_at": "2026-03-02T09:00:00.000000Z",
            "recorded_at": "2026-03-02T09:00:00.000000Z",
            "correlation_id": "7",
            "policy_ids": [
              "rule_6"
            ],
            "incident_ids": [],
            "origin": "HUMAN",
            "checksum": "(hash 2)"
          }
        }
      ],
      "next_cursor": null,
      "has_more": false,
      "total": 2
    }
    "#);
    app.post(format!("{INCIDENTS}/{}/acknowledge", scene.incident_id))
        .key(&scene.admin)
        .send()
        .await
        .expect(200);
    let by_run =
        app.get(format!("{LOGS}/audit?run_id={}", scene.run_id)).key(&scene.admin).send().await.expect(200);
    assert_eq!(by_run["items"][0]["event_type"], "IncidentAcknowledged");
    let entry = format!("{LOGS}/audit/{}", text(&by_run["items"][0]["id"]));
    insta::assert_snapshot!(app.get(entry).key(&scene.admin).send().await.shown(), @r#"
    200
    {
      "id": "aud_1",
      "event_type": "IncidentAcknowledged",
      "entity_type": "INCIDENT",
      "entity_id": "inc_2",
      "actor_type": "HUMAN",
      "actor_id": "admin of acme",
      "action_reason": null,
      "created_at": "2026-03-02T09:00:00.000000Z",
      "evidence_metadata": {
        "tenant_id": "ten_3",
        "run_id": "run_4",
        "actor_type": "HUMAN",
        "actor_id": "admin of acme",
        "occurred_at": "2026-03-02T09:00:00.000000Z",
        "recorded_at": "2026-03-02T09:00:00.000000Z",
        "correlation_id": "5",
        "policy_ids": [],
        "incident_ids": [
          "inc_2"
        ],
        "origin": "HUMAN",
        "checksum": "(hash 1)"
      },
      "before_state": {
        "acknowledged_at": null,
        "acknowledged_by": null,
        "affected_count": 1,
        "category": "POLICY_VIOLATION",
        "incident_id": "inc_2",
        "lifecycle_state": "ACTIVE",
        "resolution_notes": null,
        "resolution_type": null,
        "resolved_at": null,
        "resolved_by": null,
        "run_id": "run_4",
        "severity": "high",
        "title": "Rule `no costly step` refused a step after it was done"
      },
      "after_state": {
        "acknowledged_at": "2026-03-02T09:00:00.000000Z",
        "acknowledged_by": "admin of acme",
        "affected_count": 1,
        "category": "POLICY_VIOLATION",
        "incident_id": "inc_2",
        "lifecycle_state": "ACKED",
        "resolution_notes": null,
        "resolution_type": null,
        "resolved_at": null,
        "resolved_by": null,
        "run_id": "run_4",
        "severity": "high",
        "title": "Rule `no costly step` refused a step after it was done"
      },
      "run_id": "run_4",
      "run_seq": 1,
      "correlation_id": "5",
      "leaf_index": 2,
      "leaf_hash": "(hash 1)"
    }
    "#);
}

#[tokio::test]
async fn the_audit_ledger_is_filtered_but_never_by_severity() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let get = |query: &str| app.get(format!("{LOGS}/audit?total=true&{query}")).key(&scene.admin);
    for (query, expected) in [
        ("event_type=PolicyRuleCreated", 1),
        ("event_type=PolicyRuleRetired", 0),
        ("entity_type=LIMIT", 1),
        ("actor_type=HUMAN", 2),
        ("actor_type=AGENT", 0),
        (&format!("entity_id={}", scene.rule_id), 1),
        ("entity_id=nothing", 0),
        ("run_id=nothing", 0),
        ("created_after=2030-01-01T00:00:00%2B01:00", 0),
    ] {
        assert_eq!(get(query).send().await.expect(200)["total"], expected, "{query}");
    }
    assert_eq!(get("severity=high").send().await.field(400, "invalid_parameter"), "/severity");
    assert_eq!(get("event_type=Nothing").send().await.field(400, "invalid_parameter"), "/event_type");
}

#[tokio::test]
async fn each_call_to_a_model_is_a_record() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let record = app.get(format!("{LOGS}/llm-runs/{}", scene.llm_run_id)).key(&scene.admin).send().await;
    insta::assert_snapshot!(record.shown(), @r#"
    200
    {
      "id": "llm_1",
      "run_id": "run_2",
      "trace_id": "trc_3",
      "step_index": 1,
      "provider": "openai",
      "model": "gpt-4o",
      "prompt_hash": "(hash 1)",
      "response_hash": "(hash 2)",
      "input_tokens": 1200,
      "output_tokens": 300,
      "cache_read_tokens": 0,
      "cache_write_tokens": 0,
      "reasoning_tokens": 0,
      "cost_usd": 0.75,
      "cost_note": null,
      "price_book": null,
      "execution_status": "SUCCEEDED",
      "started_at": "2026-03-02T09:00:00.000000Z",
      "completed_at": "2026-03-02T09:00:00.000000Z",
      "source": "engine",
      "is_synthetic": false,
      "synthetic_scenario_id": null,
      "created_at": "2026-03-02T09:00:00.000000Z",
      "evidence_metadata": {
        "tenant_id": "ten_4",
        "run_id": "run_2",
        "actor_type": "AGENT",
        "actor_id": "support-bot",
        "occurred_at": "2026-03-02T09:00:00.000000Z",
        "recorded_at": "2026-03-02T09:00:00.000000Z",
        "correlation_id": "5",
        "policy_ids": [
          "rule_6"
        ],
        "incident_ids": [
          "inc_7"
        ],
        "origin": "AGENT",
        "checksum": "(hash 3)"
      }
    }
    "#);
}

#[tokio::test]
async fn the_calls_to_models_of_all_runs_are_listed_by_every_filter() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    app.kit.clock.advance(chrono::Duration::hours(1));
    let later = start(&app, &scene.agent).await;
    let mut step = llm_step("0.01");
    step["llm"]["provider"] = json!("anthropic");
    step["llm"]["model"] = json!("claude-sonnet-4-5");
    step["status"] = json!("FAILURE");
    app.post(format!("{ACTIVITY}/runs/{later}/steps")).key(&scene.agent).json(&step).send().await.expect(200);
    let get = |query: &str| app.get(format!("{LOGS}/llm-runs?total=true&{query}")).key(&scene.admin);
    for (query, expected) in [
        ("limit=1", 3),
        (&format!("run_id={}", scene.run_id), 2),
        (&format!("run_id={later}"), 1),
        ("run_id=nothing", 0),
        ("provider=openai", 2),
        ("model=claude-sonnet-4-5", 1),
        ("execution_status=FAILED", 1),
        ("is_synthetic=true", 0),
        ("is_synthetic=false", 3),
        ("created_after=2026-03-02T09:00:01Z", 1),
        ("created_before=2026-03-02T09:00:01Z", 2),
        ("model=gpt-4o&execution_status=FAILED", 0),
    ] {
        assert_eq!(get(query).send().await.expect(200)["total"], expected, "{query}");
    }
    let first = get("limit=1").send().await.expect(200);
    assert_eq!(first["items"][0]["run_id"], later.as_str(), "the newest first");
    let cursor = text(&first["next_cursor"]);
    let rest = get(&format!("cursor={cursor}")).send().await.expect(200);
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(2), "{rest}");
    assert_eq!(
        get("execution_status=DONE").send().await.field(400, "invalid_parameter"),
        "/execution_status"
    );
    let other = app.kit.token(super::app::OTHER, Role::Viewer).await;
    let theirs = app.get(format!("{LOGS}/llm-runs")).key(&other).send().await.expect(200);
    assert_eq!(theirs["items"], json!([]));
}

#[tokio::test]
async fn changes_of_keys_are_system_records() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let list =
        app.get(format!("{LOGS}/system?event_type=AUTH_CHANGE&limit=1")).key(&scene.admin).send().await;
    insta::assert_snapshot!(list.shown(), @r#"
    200
    {
      "items": [
        {
          "id": "sys_1",
          "scope": "TENANT",
          "component": "account",
          "event_type": "AUTH_CHANGE",
          "severity": "info",
          "summary": "key hoc_2 of admin of acme for role viewer made",
          "details": {
            "agents": null,
            "expires_at": null,
            "key_id": "key_2",
            "owner": "admin of acme",
            "owner_type": "person",
            "role": "viewer"
          },
          "caused_by": "admin of acme",
          "correlation_id": "3",
          "created_at": "2026-03-02T09:00:00.000000Z",
          "evidence_metadata": {
            "tenant_id": "ten_4",
            "run_id": null,
            "actor_type": "SYSTEM",
            "actor_id": "admin of acme",
            "occurred_at": "2026-03-02T09:00:00.000000Z",
            "recorded_at": "2026-03-02T09:00:00.000000Z",
            "correlation_id": "3",
            "policy_ids": [],
            "incident_ids": [],
            "origin": "SYSTEM",
            "checksum": "(hash 1)"
          }
        }
      ],
      "next_cursor": "(a cursor)",
      "has_more": true
    }
    "#);
    let listed = list.json()["items"][0].clone();
    let id = listed["id"].as_str().expect("an id").to_owned();
    let one = app.get(format!("{LOGS}/system/{id}")).key(&scene.admin).send().await.expect(200);
    assert_eq!(one, listed, "one is as the list has it");
    let stranger = app.kit.token(super::app::OTHER, models::account::Role::Admin).await;
    let theirs = app.get(format!("{LOGS}/system/{id}")).key(&stranger).send().await;
    assert_eq!(theirs.problem(404), "not_found", "another tenant's is not there");
    let none = app.get(format!("{LOGS}/system?severity=critical")).key(&scene.admin).send().await.expect(200);
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn what_happened_to_the_installation_is_shown_to_who_runs_or_examines_it() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    account::record_start(&app.kit.spine, "1.2.3").await.expect("recorded");
    for role in [Role::Operator, Role::Auditor, Role::Admin] {
        let key = scene.key(&app, role).await;
        let list = app
            .get(format!("{LOGS}/system?event_type=STARTUP&total=true"))
            .key(&key)
            .send()
            .await
            .expect(200);
        let start = &list["items"][0];
        assert_eq!((&list["total"], &start["scope"]), (&json!(1), &json!("INSTALLATION")), "{role}: {list}");
        let one = app.get(format!("{LOGS}/system/{}", text(&start["id"]))).key(&key).send().await.expect(200);
        assert_eq!(&one, start);
        for role in [Role::Viewer, Role::Policy] {
            let key = scene.key(&app, role).await;
            let none =
                app.get(format!("{LOGS}/system?event_type=STARTUP")).key(&key).send().await.expect(200);
            assert_eq!(none["items"], json!([]), "{role}");
            let one = app.get(format!("{LOGS}/system/{}", text(&start["id"]))).key(&key).send().await;
            assert_eq!(one.problem(404), "not_found", "{role}");
        }
    }
}
