//! What is asked of the server itself.

use super::app::App;

#[tokio::test]
async fn it_lives_and_is_ready() {
    let app = App::new().await;
    insta::assert_snapshot!(app.get("/healthz").send().await.shown(), @r#"
    200
    {
      "status": "ok"
    }
    "#);
    insta::assert_snapshot!(app.get("/readyz").send().await.shown(), @r#"
    200
    {
      "status": "ready"
    }
    "#);
}

#[tokio::test]
async fn it_is_not_ready_without_its_schema() {
    use models::account::Role;
    let app = App::new().await;
    let admin = app.key(Role::Admin).await;
    app.get("/api/v1/account/whoami").key(&admin).send().await.expect(200);
    app.kit.db.close().await;
    insta::assert_snapshot!(app.get("/readyz").send().await.shown(), @r#"
    503
    {
      "type": "urn:hoc:problem:not_ready",
      "title": "The server is not ready",
      "status": 503,
      "detail": "the store takes no commits",
      "instance": "/readyz",
      "code": "not_ready",
      "request_id": "req-test",
      "errors": []
    }
    "#);
    assert_eq!(app.get("/healthz").send().await.status, 200, "the process lives all the same");
    // And what needs the store says so, with a hint when to come again.
    let answer = app.get("/api/v1/runtime/activity/runs").key(&admin).send().await;
    assert_eq!(answer.problem(503), "store_unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn it_publishes_its_keys_and_its_contract() {
    let app = App::new().await;
    insta::assert_snapshot!(app.get("/.well-known/hoc/keys").send().await.shown(), @r#"
    200
    {
      "keys": [
        {
          "key_id": "8cef065b7af83669",
          "public_key": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA7UkoxijRwsbq6QM4kFmVYSlZJzpcY/k2NsFGFKyHN9E=\n-----END PUBLIC KEY-----\n",
          "created_at": "2026-03-02T09:00:00.000000Z",
          "retired_at": null
        }
      ]
    }
    "#);
    let document = app.get("/api/v1/openapi.json").send().await;
    assert_eq!(document.header("content-type"), "application/json");
    assert!(document.text == api::openapi_json(), "what is served is what is committed");
}
