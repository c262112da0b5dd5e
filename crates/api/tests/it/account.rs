//! Who calls, and the tenant's keys.

use models::account::Role;
use serde_json::json;

use super::{
    app::App,
    scene::{ACCOUNT, text},
};

#[tokio::test]
async fn a_key_is_made_used_and_revoked() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let body = json!({"role": "operator", "owner": "ana", "expires_at": "2026-03-02T10:00:00Z"});
    let made = app.post(format!("{ACCOUNT}/keys")).key(&admin).json(&body).send().await;
    insta::assert_snapshot!(made.shown(), @r#"
    201
    {
      "key_id": "key_1",
      "prefix": "hoc_1",
      "role": "operator",
      "owner": "ana",
      "owner_type": "person",
      "scopes": [],
      "agents": [],
      "any_agent": false,
      "expires_at": "2026-03-02T10:00:00.000000Z",
      "revoked_at": null,
      "last_used_at": null,
      "created_at": "2026-03-02T09:00:00.000000Z",
      "key": "hoc_1_000000000000000aa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a52293ca4efe33af51",
      "tenant": "acme"
    }
    "#);
    let (key, id) = (text(&made.json()["key"]), text(&made.json()["key_id"]));
    insta::assert_snapshot!(app.get(format!("{ACCOUNT}/whoami")).key(&key).send().await.shown(), @r#"
    200
    {
      "tenant_id": "ten_1",
      "tenant": "acme",
      "role": "operator",
      "actor_type": "HUMAN",
      "actor_id": "ana",
      "key": {
        "key_id": "key_2",
        "prefix": "hoc_2",
        "role": "operator",
        "owner": "ana",
        "owner_type": "person",
        "scopes": [],
        "agents": [],
        "any_agent": false,
        "expires_at": "2026-03-02T10:00:00.000000Z",
        "revoked_at": null,
        "last_used_at": null,
        "created_at": "2026-03-02T09:00:00.000000Z"
      }
    }
    "#);
    let list = app.get(format!("{ACCOUNT}/keys?total=true&limit=1")).key(&admin).send().await.expect(200);
    assert_eq!((&list["items"][0]["key_id"], &list["total"]), (&json!(id), &json!(2)));
    let revoke = || app.post(format!("{ACCOUNT}/keys/{id}/revoke")).key(&admin);
    assert!(revoke().send().await.expect(200)["revoked_at"].is_string());
    assert_eq!(revoke().send().await.problem(409), "key_revoked");
    insta::assert_snapshot!(app.get(format!("{ACCOUNT}/whoami")).key(&key).send().await.shown(), @r#"
    401
    {
      "type": "urn:hoc:problem:unauthenticated",
      "title": "No credential that is in force",
      "status": 401,
      "detail": "the key is revoked",
      "instance": "/api/v1/account/whoami",
      "code": "unauthenticated",
      "request_id": "req-test",
      "errors": []
    }
    "#);
}

#[tokio::test]
async fn an_expired_key_opens_nothing() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let body = json!({"role": "viewer", "expires_at": "2026-03-02T09:00:01Z"});
    let made = app.post(format!("{ACCOUNT}/keys")).key(&admin).json(&body).send().await.expect(201);
    let key = text(&made["key"]);
    app.get(format!("{ACCOUNT}/whoami")).key(&key).send().await.expect(200);
    app.kit.clock.advance(chrono::Duration::seconds(1));
    let late = app.get(format!("{ACCOUNT}/whoami")).key(&key).send().await;
    assert_eq!(late.problem(401), "unauthenticated");
    let past = json!({"role": "viewer", "expires_at": "2020-01-01T00:00:00Z"});
    let answer = app.post(format!("{ACCOUNT}/keys")).key(&admin).json(&past).send().await;
    assert_eq!(answer.field(422, "invalid_request"), "/expires_at");
}

#[tokio::test]
async fn an_agents_key_says_whose_runs_it_begins() {
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    let make = async |body: serde_json::Value| {
        app.post(format!("{ACCOUNT}/keys")).key(&admin).json(&body).send().await
    };
    for (body, pointer) in [
        (json!({"role": "agent"}), "/agents"),
        (json!({"role": "agent", "agents": []}), "/agents"),
        (json!({"role": "agent", "agents": ["billing", "**"]}), "/agents/1"),
        (json!({"role": "agent", "agents": ["billing"], "any_agent": true}), "/any_agent"),
        (json!({"role": "viewer", "agents": ["billing"]}), "/agents"),
        (json!({"role": "viewer", "any_agent": true}), "/any_agent"),
    ] {
        assert_eq!(make(body.clone()).await.field(422, "invalid_request"), pointer, "{body}");
    }
    let bound = make(json!({"role": "agent", "agents": ["billing", "team/*"]})).await.expect(201);
    assert_eq!((&bound["agents"], &bound["any_agent"]), (&json!(["billing", "team/*"]), &json!(false)));
    let any = make(json!({"role": "agent", "any_agent": true})).await.expect(201);
    assert_eq!((&any["agents"], &any["any_agent"]), (&json!([]), &json!(true)));

    let start = async |key: &serde_json::Value, agent: &str| {
        app.post("/api/v1/runtime/activity/runs")
            .key(&text(&key["key"]))
            .json(&json!({"agent_id": agent}))
            .send()
            .await
    };
    for agent in ["billing", "team/a"] {
        start(&bound, agent).await.expect(201);
    }
    assert_eq!(start(&bound, "billing2").await.problem(403), "agent_not_bound");
    start(&any, "billing2").await.expect(201);
    // An id with a star would read as a pattern of others, to a key and to whoever freezes.
    for key in [&bound, &any] {
        assert_eq!(start(key, "team/*").await.field(422, "invalid_request"), "/agent_id");
    }
    let freeze = json!({"agent_id": "team/*", "reason": "all of the team's"});
    let answer = app.post("/api/v1/runtime/policies/freeze").key(&admin).json(&freeze).send().await;
    assert_eq!(answer.field(422, "invalid_request"), "/agent_id");
    let mut limit = json!({
        "name": "of the team", "limit_category": "BUDGET", "limit_type": "STEPS", "max_value": 5, "reset_period": "NONE",
        "scope": "AGENT", "scope_id": "team/*",
    });
    let make = async |limit: &serde_json::Value| {
        app.post("/api/v1/runtime/policies/limits").key(&admin).json(limit).send().await
    };
    assert_eq!(make(&limit).await.field(422, "invalid_request"), "/scope_id");
    limit["scope"] = json!("PROJECT");
    make(&limit).await.expect(201);
}
