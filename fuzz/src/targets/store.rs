//! A server over a store of its own, called without a socket.

use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt as _;
use kit::Kit;
use models::account::Role;
use serde_json::{Value, json};
use testkit::{Store, TestDatabase};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

const RUNS: &str = "/api/v1/runtime/activity/runs";

pub(crate) struct Server {
    runtime: Runtime,
    router: Router,
    key: String,
    _database: TestDatabase,
}

impl Server {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (router, key, database) = runtime.block_on(async {
            let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
            let kit = Kit::on(&database).await;
            let key = kit.token("acme", Role::Admin).await;
            (api::router(kit.spine), key, database)
        });
        Self { runtime, router, key, _database: database }
    }

    /// Status and text of what is answered.
    pub(crate) fn post(&self, path: &str, body: Vec<u8>) -> (u16, String) {
        self.send(Request::post(path).header("content-type", "application/json"), body)
    }

    fn send(&self, request: axum::http::request::Builder, body: Vec<u8>) -> (u16, String) {
        let request =
            request.header("host", "hoc.test").header("authorization", format!("Bearer {}", self.key));
        let request = request.body(Body::from(body));
        let router = self.router.clone();
        self.runtime.block_on(async {
            let answer = router.oneshot(request.expect("a request")).await.expect("infallible");
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            (status, String::from_utf8(body.into()).expect("text"))
        })
    }

    fn posted(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, body.to_string().into_bytes());
        assert!(status < 300 || status == 403, "{status}: {answer}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Starts a run; gives its id.
    pub(crate) fn start(&self) -> String {
        let run = self.posted(RUNS, &json!({ "agent_id": "a", "goal": "to be fuzzed" }));
        run["run_id"].as_str().expect("an id").to_owned()
    }

    /// The bundle of a run with a call to a model, a call to a tool, a refusal and a breach.
    pub(crate) fn sealed_bundle(&self) -> Vec<u8> {
        let rule = json!({ "name": "no deleting", "enforcement_mode": "BLOCK", "condition": "context.step.skill == \"delete\"" });
        self.posted("/api/v1/runtime/policies/rules", &rule);
        let run = self.start();
        let steps = format!("{RUNS}/{run}/steps");
        let llm = json!({ "provider": "openai", "model": "gpt-4o", "prompt": "Oslo?", "response": "4C", "input_tokens": 10,
            "output_tokens": 5, "cost_usd": 0.001 });
        self.posted(
            &steps,
            &json!({ "kind": "LLM_CALL", "skill_name": "ask", "status": "SUCCESS", "llm": llm }),
        );
        self.posted(&steps, &json!({ "kind": "TOOL_CALL", "skill_name": "get_weather", "status": "SUCCESS", "params": { "city": "Oslo" } }));
        self.posted(&steps, &json!({ "kind": "TOOL_CALL", "skill_name": "delete", "status": "SUCCESS" }));
        self.posted(&format!("{RUNS}/{run}/complete"), &json!({ "status": "SUCCEEDED" }));
        let (status, bundle) = self.send(Request::get(format!("{RUNS}/{run}/bundle")), Vec::new());
        assert_eq!(status, 200, "{bundle}");
        bundle.into_bytes()
    }
}
