//! The invariants of the seeds that show in the contract, each by its name.

use serde_json::Value;

use super::{
    app::App,
    scene::{ACTIVITY, LOGS, OVERVIEW, Scene},
};

/// The document's paths under a prefix.
fn paths(prefix: &str) -> Vec<(String, Value)> {
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let paths = document["paths"].as_object().expect("paths").clone();
    paths.into_iter().filter(|(path, _)| path.starts_with(prefix)).collect()
}

/// Overview takes no write, knows no billing, and promises nothing that was not spent.
#[tokio::test]
async fn inv_overview_003() {
    let overview = paths(OVERVIEW);
    assert!(!overview.is_empty());
    for (path, operations) in overview {
        let methods: Vec<_> = operations.as_object().expect("operations").keys().cloned().collect();
        assert_eq!(methods, ["get"], "{path}");
        let text = operations.to_string().to_lowercase();
        for fantasy in ["billing", "invoice", "saved_cost", "forecast", "projected"] {
            assert!(!text.contains(fantasy), "{path} speaks of {fantasy}");
        }
    }
}

/// Every list of Logs gives real rows after something really happened.
#[tokio::test]
async fn inv_logs_003() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let run = &scene.run_id;
    for list in [format!("{LOGS}/audit"), format!("{LOGS}/llm-runs?run_id={run}"), format!("{LOGS}/system")] {
        let page = app.get(&list).key(&scene.admin).send().await.expect(200);
        assert!(!page["items"].as_array().expect("items").is_empty(), "{list} is grounded in nothing");
    }
    for log in ["audit", "runs"] {
        let checkpoint =
            app.get(format!("{LOGS}/checkpoints/{log}")).key(&scene.admin).send().await.expect(200);
        assert!(checkpoint["tree_size"].as_u64().expect("a size") > 0, "{checkpoint}");
    }
}

/// Logs give records as stored, Activity the structured view: no step of Activity without its verdict, no record of
/// Logs with one.
#[tokio::test]
async fn inv_logs_004() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let run = &scene.run_id;
    let steps = app.get(format!("{ACTIVITY}/runs/{run}/steps")).key(&scene.admin).send().await.expect(200);
    for step in steps["items"].as_array().expect("items") {
        assert!(step["verdict"]["action"].is_string(), "{step}");
        assert!(step.get("evidence_metadata").is_none(), "{step}");
    }
    let calls = app.get(format!("{LOGS}/llm-runs?run_id={run}")).key(&scene.admin).send().await.expect(200);
    for call in calls["items"].as_array().expect("items") {
        assert!(call.get("verdict").is_none(), "{call}");
        assert!(call["prompt_hash"].is_string(), "{call}");
    }
}
