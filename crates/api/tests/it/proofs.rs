//! Evidence, proof and bundle of a run, and of the logs.

use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{ACTIVITY, LOGS, Scene, text},
};

#[tokio::test]
async fn evidence_says_what_the_run_touched() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let answer = app.get(format!("{ACTIVITY}/runs/{}/evidence", scene.run_id)).key(&scene.admin).send().await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    {
      "run_id": "run_1",
      "incidents_caused": [
        {
          "incident_id": "inc_2",
          "relation": "SOURCE",
          "title": "Rule `no costly step` refused a step after it was done",
          "severity": "high",
          "lifecycle_state": "ACTIVE",
          "created_at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "policies_evaluated": [
        {
          "policy_id": "rule_3",
          "policy_name": "no costly step",
          "outcome": "AUDITED",
          "would_have": "BLOCK",
          "note": "refused after it was done",
          "step_index": 1,
          "evaluated_at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "limits_hit": [],
      "decisions_made": [
        {
          "decision_id": "dec_4",
          "decision_type": "STEP_PRE_POST",
          "outcome": "BLOCK",
          "would_have": null,
          "asked": "AFTER",
          "step_index": 1,
          "decided_at": "2026-03-02T09:00:00.000000Z"
        }
      ],
      "governance_events": [],
      "traces_linked": [
        {
          "trace_id": "trc_5",
          "status": "RUNNING",
          "step_count": 1
        }
      ],
      "completeness": {
        "decisions_made": "complete",
        "governance_events": "complete",
        "incidents_caused": "complete",
        "limits_hit": "complete",
        "policies_evaluated": "complete",
        "traces_linked": "complete"
      },
      "computed_at": "2026-03-02T09:00:00.000000Z"
    }
    "#);
}

#[tokio::test]
async fn proof_recomputes_what_was_sealed() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let auditor = app.key(Role::Auditor).await;
    let path = format!("{ACTIVITY}/runs/{}/proof", scene.run_id);
    let open = app.get(&path).key(&auditor).send().await.expect(200);
    assert_eq!(open["integrity"]["verification_status"], "UNSUPPORTED");
    assert!(open["integrity"]["failure_reason"].is_string() && open["raw_logs"].is_null(), "{open}");
    let complete = app.post(format!("{ACTIVITY}/runs/{}/complete", scene.run_id)).key(&scene.agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    let sealed = app.get(format!("{path}?include_payloads=true")).key(&auditor).send().await.expect(200);
    let integrity = &sealed["integrity"];
    assert_eq!((&integrity["model"], &integrity["chain_length"]), (&json!("MERKLE_TREE"), &json!(2)));
    assert_eq!(
        (&integrity["verification_status"], &integrity["failure_reason"]),
        (&json!("VERIFIED"), &json!(null))
    );
    assert_eq!(sealed["aos_trace_steps"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        sealed["aos_trace_steps"][1]["record"]["prev_hash"],
        sealed["aos_trace_steps"][0]["step_hash"]
    );
    assert_eq!(sealed["aos_traces"][0]["root_hash"], sealed["integrity"]["root_hash"]);
    assert_eq!(sealed["raw_logs"]["llm_run_records"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_bundle_is_five_members_and_signed() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let complete = app.post(format!("{ACTIVITY}/runs/{}/complete", scene.run_id)).key(&scene.agent);
    complete.json(&json!({"status": "SUCCEEDED"})).send().await.expect(200);
    let bundle = app.get(format!("{ACTIVITY}/runs/{}/bundle", scene.run_id)).key(&scene.admin).send().await;
    assert_eq!(bundle.header("content-type"), "application/json");
    assert!(bundle.header("content-disposition").contains(&scene.run_id));
    let bundle = bundle.expect(200);
    let mut members: Vec<&String> = bundle.as_object().expect("a bundle").keys().collect();
    members.sort();
    assert_eq!(members, ["contents", "format", "proofs", "records", "statement"]);
    assert_eq!(bundle["format"], "hoc/run-evidence-bundle/v1");
}

#[tokio::test]
async fn the_audit_ledger_proves_its_rows() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let proof =
        app.get(format!("{LOGS}/audit/{}/proof", scene.audit_id)).key(&scene.admin).send().await.expect(200);
    assert_eq!(proof["entry_id"], scene.audit_id);
    assert_eq!(proof["record"]["id"], scene.audit_id);
    let checkpoint = app.get(format!("{LOGS}/checkpoints/audit")).key(&scene.admin).send().await.expect(200);
    assert_eq!(proof["checkpoint"], checkpoint, "nothing happened in between");
    assert!(text(&checkpoint["note"]).starts_with("test/ten_"), "{checkpoint}");
    let path = format!("{LOGS}/checkpoints/audit/consistency");
    let consistency = app.get(format!("{path}?from=1")).key(&scene.admin).send().await.expect(200);
    assert_eq!(consistency["to"], checkpoint["tree_size"]);
    assert_eq!(consistency["to_root"], checkpoint["root_hash"]);
    assert_eq!(app.get(&path).key(&scene.admin).send().await.field(400, "invalid_parameter"), "/from");
    for (query, pointer) in [("from=1&to=99", "/to"), ("from=2&to=1", "/from")] {
        let answer = app.get(format!("{path}?{query}")).key(&scene.admin).send().await;
        assert_eq!(answer.field(422, "invalid_request"), pointer, "{query}");
    }
    let other = app.get(format!("{LOGS}/checkpoints/nothing")).key(&scene.admin).send().await;
    assert_eq!(other.problem(404), "not_found");
}

/// Class H holds what the server saw itself: here, what the request says of its program.
#[tokio::test]
async fn the_program_that_began_a_run_is_in_its_bundle() {
    let app = App::new().await;
    let (agent, admin) = (app.key(Role::Agent).await, app.key(Role::Admin).await);
    for (agent_id, named) in [("named", Some("acme-bot/4")), ("nameless", None)] {
        let mut call =
            app.post(format!("{ACTIVITY}/runs")).key(&agent).json(&json!({ "agent_id": agent_id }));
        if let Some(named) = named {
            call = call.header("user-agent", named);
        }
        let run = call.send().await.expect(201);
        let bundle =
            app.get(format!("{ACTIVITY}/runs/{}/bundle", text(&run["run_id"]))).key(&admin).send().await;
        let held = &bundle.expect(200)["records"]["sealed"]["environment_evidence"][0];
        assert_eq!((&held["way_in"], &held["user_agent"]), (&json!("REST"), &json!(named)), "{held}");
    }
}
