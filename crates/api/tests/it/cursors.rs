//! A cursor is of one list: every list of the document is asked to go on with the cursors of all others.

use std::collections::BTreeMap;

use axum::http::Method;
use models::account::Role;
use serde_json::{Value, json};

use super::{
    app::{App, OTHER},
    examples::{Operation, operations},
    scene::{ACTIVITY, POLICIES, Scene, budget, costly, llm_step, start},
};

/// Lists of the walk's tenant that have no second entry, and so give no cursor. This list only shrinks.
const SHORT: &[&str] = &["policies.limit_breaches"];

/// The lists, with the first filter that each can do without, as it stands in an address.
fn lists() -> Vec<(Operation, Option<String>)> {
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let parameters = |operation: &Operation| {
        let all = &document["paths"][&operation.path]["get"]["parameters"];
        all.as_array().cloned().unwrap_or_default()
    };
    let filter = |parameter: &Value| {
        let name = parameter["name"].as_str()?;
        if parameter["in"] != "query" || ["cursor", "limit", "total", "run_id"].contains(&name) {
            return None;
        }
        let mut schema = &parameter["schema"];
        if let Some(of) = schema["$ref"].as_str() {
            schema = document.pointer(of.trim_start_matches('#')).expect("a schema");
        }
        let value = match (&schema["enum"][0], schema["type"].as_str()) {
            (Value::String(word), _) => word,
            (_, Some("boolean")) => "true",
            _ if schema["format"] == "date-time" => "2020-01-01T00:00:00Z",
            _ => "x",
        };
        Some(format!("{name}={value}"))
    };
    let is_list = |operation: &Operation| parameters(operation).iter().any(|it| it["name"] == "cursor");
    let found: Vec<_> = operations()
        .into_iter()
        .filter(|operation| operation.method == Method::GET && is_list(operation))
        .map(|operation| {
            let filter = parameters(&operation).iter().find_map(filter);
            (operation, filter)
        })
        .collect();
    assert!(found.len() >= 14, "the walk does not see the lists any more");
    found
}

/// Two of everything that is listed, as far as the scene has only one.
async fn doubled(app: &App, scene: &Scene) -> String {
    let named = |mut body: Value, condition: Option<&str>| {
        body["name"] = "another".into();
        if let Some(condition) = condition {
            body["condition"] = condition.into();
        }
        body
    };
    let post = |path: String, key: String, body: Value| async move {
        app.post(path).key(&key).json(&body).send().await
    };
    let rule = named(costly(), Some("context.step.duration_ms > 1000000"));
    post(format!("{POLICIES}/rules"), scene.admin.clone(), rule).await.expect(201);
    post(format!("{POLICIES}/limits"), scene.admin.clone(), named(budget(), None)).await.expect(201);
    for agent in ["one", "two"] {
        let freeze = json!({"agent_id": agent, "reason": "it misbehaves"});
        post(format!("{POLICIES}/freeze"), scene.admin.clone(), freeze).await.expect(201);
    }
    let steps = |run: &str| format!("{ACTIVITY}/runs/{run}/steps");
    post(steps(&scene.run_id), scene.agent.clone(), llm_step("0.12")).await.expect(200);
    let run = start(app, &scene.agent).await;
    post(steps(&run), scene.agent.clone(), llm_step("0.12")).await.expect(200);
    post(steps(&run), scene.agent.clone(), llm_step("0.75")).await.problem(403);
    let mut slow = llm_step("0.12");
    slow["duration_ms"] = 2_000_000.into();
    post(steps(&run), scene.agent.clone(), slow).await.problem(403);
    run
}

/// The address with more in its query.
fn with(path: &str, more: &str) -> String {
    format!("{path}{}{more}", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn a_cursor_is_taken_by_the_list_that_gave_it_and_by_no_other() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let other_run = doubled(&app, &scene).await;
    let stranger = app.kit.token(OTHER, Role::Admin).await;
    let lists = lists();
    let get = |path: String, key: &str| app.get(path).key(key).send();
    let mut cursors = BTreeMap::new();
    let mut short = Vec::new();
    for (list, _) in &lists {
        let first = get(with(&list.path_in(&scene), "limit=1"), &scene.admin).await.expect(200);
        match first["next_cursor"].as_str() {
            Some(cursor) => drop(cursors.insert(list.id.clone(), cursor.to_owned())),
            None => short.push(list.id.as_str()),
        }
    }
    assert_eq!(short, SHORT, "the scene has too little in them");
    for (of, cursor) in &cursors {
        let cursor = format!("cursor={cursor}");
        for (list, filter) in &lists {
            let path = with(&list.path_in(&scene), &cursor);
            let answer = get(path.clone(), &scene.admin).await;
            if list.id != *of {
                assert_eq!(answer.field(400, "invalid_parameter"), "/cursor", "{of} in {}", list.id);
                assert!(answer.text.contains("without a cursor"), "{}", answer.text);
                continue;
            }
            answer.expect(200);
            get(with(&path, "limit=2&total=true"), &scene.admin).await.expect(200);
            let theirs = get(path.clone(), &stranger).await;
            assert_eq!(theirs.field(400, "invalid_parameter"), "/cursor", "{of} of another tenant");
            if let Some(filter) = filter {
                let filtered = get(with(&path, filter), &scene.admin).await;
                assert_eq!(filtered.field(400, "invalid_parameter"), "/cursor", "{of} with {filter}");
            }
        }
    }
    // The same list, of another thing.
    let steps = &cursors["activity.steps"];
    let answer = get(format!("{ACTIVITY}/runs/{other_run}/steps?cursor={steps}"), &scene.admin).await;
    assert_eq!(answer.field(400, "invalid_parameter"), "/cursor", "of another run");
}
