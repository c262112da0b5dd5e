//! What needs a person now.

use super::{
    app::App,
    scene::{INCIDENTS, OVERVIEW, Scene},
};

#[tokio::test]
async fn highlights_and_decisions() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let get = |what: &str| app.get(format!("{OVERVIEW}/{what}")).key(&scene.admin);
    insta::assert_snapshot!(get("highlights").send().await.shown(), @r#"
    200
    {
      "pulse": {
        "status": "CRITICAL",
        "active_incidents": 1,
        "pending_decisions": 1,
        "recent_breaches": 0,
        "live_runs": 1,
        "rejected_spans": 0
      },
      "domain_counts": [
        {
          "domain": "Activity",
          "total": 1,
          "pending": 1,
          "critical": 1
        },
        {
          "domain": "Incidents",
          "total": 1,
          "pending": 1,
          "critical": 0
        },
        {
          "domain": "Policies",
          "total": 0,
          "pending": 0,
          "critical": 0
        }
      ],
      "last_activity_at": "2026-03-02T09:00:00.000000Z"
    }
    "#);
    insta::assert_snapshot!(get("decisions").send().await.shown(), @r#"
    200
    {
      "items": [
        {
          "source_domain": "INCIDENT",
          "entity_type": "INCIDENT",
          "entity_id": "inc_1",
          "decision_type": "ACK",
          "priority": "HIGH",
          "summary": "Rule `no costly step` refused a step after it was done",
          "created_at": "2026-03-02T09:00:00.000000Z",
          "affected_runs": 1,
          "agents": [
            "support-bot"
          ],
          "more_agents": false
        }
      ],
      "next_cursor": null,
      "has_more": false,
      "total": 1
    }
    "#);
    insta::assert_snapshot!(get("decisions/count").send().await.shown(), @r#"
    200
    {
      "total": 1,
      "by_domain": {
        "INCIDENT": 1,
        "POLICY": 0
      },
      "by_priority": {
        "CRITICAL": 0,
        "HIGH": 1,
        "LOW": 0,
        "MEDIUM": 0
      },
      "items": [
        {
          "source_domain": "INCIDENT",
          "priority": "HIGH",
          "count": 1
        }
      ]
    }
    "#);
    app.post(format!("{INCIDENTS}/{}/acknowledge", scene.incident_id))
        .key(&scene.admin)
        .send()
        .await
        .expect(200);
    let calm = get("highlights").send().await.expect(200);
    assert_eq!(calm["pulse"]["status"], "HEALTHY");
    assert_eq!(get("decisions").send().await.expect(200)["total"], 0);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the snapshots are long")]
async fn costs_and_their_trend() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let get = |what: &str| app.get(format!("{OVERVIEW}/{what}")).key(&scene.admin);
    insta::assert_snapshot!(get("costs").send().await.shown(), @r#"
    200
    {
      "currency": "USD",
      "period": {
        "start": "2026-03-01T00:00:00.000000Z",
        "end": "2026-04-01T00:00:00.000000Z"
      },
      "actuals": {
        "llm_run_cost": 0.87,
        "cost_known": true,
        "llm_runs": 2,
        "llm_runs_of_unknown_cost": 0
      },
      "limits": [
        {
          "limit_id": "lim_1",
          "name": "daily",
          "category": "BUDGET",
          "limit_type": "COST_USD",
          "unit": "USD",
          "max_value": 2,
          "used_value": 0.87,
          "remaining_value": 1.13,
          "status": "OK"
        }
      ],
      "violations": {
        "breach_count": 0,
        "total_overage": 0
      }
    }
    "#);
    let trend = get("costs/trend?from=2026-03-01T12:00:00Z&to=2026-03-03T00:00:00Z");
    insta::assert_snapshot!(trend.send().await.shown(), @r#"
    200
    {
      "currency": "USD",
      "period": {
        "start": "2026-03-01T12:00:00.000000Z",
        "end": "2026-03-03T00:00:00.000000Z"
      },
      "by_day": [
        {
          "day": "2026-03-01",
          "cost_usd": 0,
          "cost_known": true,
          "input_tokens": 0,
          "output_tokens": 0,
          "llm_runs": 0
        },
        {
          "day": "2026-03-02",
          "cost_usd": 0.87,
          "cost_known": true,
          "input_tokens": 2400,
          "output_tokens": 600,
          "llm_runs": 2
        }
      ],
      "by_model": [
        {
          "provider": "openai",
          "model": "gpt-4o",
          "cost_usd": 0.87,
          "cost_known": true,
          "input_tokens": 2400,
          "output_tokens": 600,
          "llm_runs": 2
        }
      ],
      "more_models": false,
      "by_agent": [
        {
          "agent_id": "support-bot",
          "cost_usd": 0.87,
          "cost_known": true,
          "input_tokens": 2400,
          "output_tokens": 600,
          "llm_runs": 2
        }
      ],
      "more_agents": false
    }
    "#);
    let days = get("costs/trend").send().await.expect(200);
    assert_eq!(days["by_day"].as_array().map(Vec::len), Some(30), "{days}");
    assert_eq!(days["by_day"][29]["day"], "2026-03-02", "today is the last");
    for (query, pointer) in [
        ("from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z", "/from"),
        ("from=2024-03-02T00:00:00Z", "/from"),
        ("from=yesterday", "/from"),
        ("until=2026-03-02T00:00:00Z", "/until"),
    ] {
        for what in ["costs", "costs/trend"] {
            let refused = get(&format!("{what}?{query}")).send().await;
            assert_eq!(refused.field(400, "invalid_parameter"), pointer, "{what}?{query}: {}", refused.text);
        }
    }
}
