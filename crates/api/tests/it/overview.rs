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
        "live_runs": 1
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
          "entity_id": "inc_019cadc69a8070008000000000000023",
          "decision_type": "ACK",
          "priority": "HIGH",
          "summary": "Rule `no costly step` refused a step",
          "created_at": "2026-03-02T09:00:00.000000Z"
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
