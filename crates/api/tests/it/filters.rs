//! Lists and their filters: every list of the document, with every filter and every pair of them, has what passes of
//! all that it lists, in the same order, and its total counts that. On both stores.

use std::collections::BTreeSet;

use axum::http::Method;
use chrono::Duration;
use serde_json::{Value, json};
use testkit::{Store, TestDatabase};

use super::{
    app::App,
    examples::{Operation, operations},
    scene::{ACTIVITY, INCIDENTS, POLICIES, Scene, llm_step, text},
};

/// What every list takes, and what filters nothing.
const OF_PAGES: [&str; 3] = ["cursor", "limit", "total"];

/// More than any list has here, so that one page is all of it; and fewer, so that there are several.
const ALL: u64 = 200;
const SOME: u64 = 4;

/// What is asked of a list: filters, each with its value.
type Query = Vec<(String, String)>;

/// A list, and its filters with their schemas.
struct List {
    operation: Operation,
    filters: Vec<(String, Value)>,
}

/// Every list that has a filter.
fn lists() -> Vec<List> {
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let mut found = Vec::new();
    for operation in operations().into_iter().filter(|operation| operation.method == Method::GET) {
        let parameters = &document["paths"][&operation.path]["get"]["parameters"];
        let parameters = parameters.as_array().cloned().unwrap_or_default();
        if !parameters.iter().any(|parameter| parameter["name"] == "cursor") {
            continue;
        }
        let mut filters = Vec::new();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = text(&parameter["name"]);
            let mut schema = &parameter["schema"];
            if let Some(of) = schema["$ref"].as_str() {
                schema = document.pointer(of.trim_start_matches('#')).expect("a schema");
            }
            if !OF_PAGES.contains(&name.as_str()) {
                filters.push((name, schema.clone()));
            }
        }
        if !filters.is_empty() {
            found.push(List { operation, filters });
        }
    }
    assert!(found.len() >= 8, "the walk does not see the lists any more");
    found
}

/// As an address says it. Of what is not there nothing can be asked.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What an item says to a filter, by the value that asks for it. Most ask for the member of their name.
fn said(name: &str, item: &Value) -> Option<String> {
    match name {
        "created_after" | "created_before" => shown(&item["created_at"]),
        "started_after" | "started_before" => shown(&item["started_at"]),
        "risk" => {
            let is_normal = item["risk_level"] == "NORMAL" && item["incident_count"] == 0;
            Some((!is_normal || item["policy_violation"] == true).to_string())
        }
        "topic" if item["lifecycle_state"] == "RESOLVED" => Some("RESOLVED".to_owned()),
        "topic" => Some("ACTIVE".to_owned()),
        "run_id" if item.get("run_id").is_none() => shown(&item["evidence_metadata"]["run_id"]),
        name => {
            assert!(item.get(name).is_some(), "what does `{name}` ask for? {item}");
            shown(&item[name])
        }
    }
}

/// Whether a filter with this value lets an item pass.
fn passes(name: &str, value: &str, item: &Value) -> bool {
    let Some(said) = said(name, item) else { return false };
    match name {
        _ if name.ends_with("_after") => said.as_str() > value,
        _ if name.ends_with("_before") => said.as_str() < value,
        "topic" if value == "HISTORICAL" => said == "RESOLVED",
        _ => said == value,
    }
}

/// A value that is taken, and that no item passes. None where there is an item for each.
fn absent((name, schema): &(String, Value), items: &[Value]) -> Option<String> {
    let words: Vec<String> = match (schema["enum"].as_array(), schema["type"].as_str()) {
        (Some(words), _) => words.iter().map(text).collect(),
        (_, Some("boolean")) => vec!["true".to_owned(), "false".to_owned()],
        _ if name.ends_with("_after") => vec!["2099-01-01T00:00:00Z".to_owned()],
        _ if name.ends_with("_before") => vec!["2000-01-01T00:00:00Z".to_owned()],
        _ => vec!["nobody".to_owned()],
    };
    words.into_iter().find(|word| !items.iter().any(|item| passes(name, word, item)))
}

/// What is asked of a list: each filter alone with each value that there is, and with one that there is not; and each
/// two of them, by one item, by two, and where one of the two is of none.
fn queries(filters: &[(String, Value)], items: &[Value]) -> BTreeSet<Query> {
    let mut all = BTreeSet::new();
    for filter in filters {
        let values = items.iter().filter_map(|item| said(&filter.0, item));
        all.extend(values.chain(absent(filter, items)).map(|value| vec![(filter.0.clone(), value)]));
    }
    for (at, one) in filters.iter().enumerate() {
        for (behind, other) in filters.iter().enumerate().skip(at + 1) {
            // Another item for each pair, for as many as there are.
            let from = |place: usize| items.iter().cycle().skip(place % items.len()).take(items.len());
            let pair = |one_said: Option<String>, other_said: Option<String>| {
                Some(vec![(one.0.clone(), one_said?), (other.0.clone(), other_said?)])
            };
            let of_one = from(at + behind).find_map(|item| pair(said(&one.0, item), said(&other.0, item)));
            let first = from(at + behind).find_map(|item| said(&one.0, item));
            let second = from(3 * at + behind + 1).find_map(|item| said(&other.0, item));
            all.extend(of_one);
            all.extend(pair(first.clone(), second.clone()));
            all.extend(pair(first, absent(other, items)));
            all.extend(pair(absent(one, items), second));
        }
    }
    all
}

/// The address with more in its query.
fn with(path: &str, more: &str) -> String {
    format!("{path}{}{more}", if path.contains('?') { '&' } else { '?' })
}

/// The list has what passes of all items, page by page, and its total says how much that is.
async fn holds(app: &App, key: &str, path: &str, query: &Query, items: &[Value]) {
    let is_due = |item: &&Value| query.iter().all(|(name, value)| passes(name, value, item));
    let due: Vec<&Value> = items.iter().filter(is_due).collect();
    let mut asked = path.to_owned();
    for (name, value) in query {
        let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        asked = with(&asked, &format!("{name}={value}"));
    }
    let mut listed = Vec::new();
    let mut next = with(&asked, &format!("limit={SOME}&total=true"));
    loop {
        let page = app.get(&next).key(key).send().await.expect(200);
        if listed.is_empty() {
            assert_eq!(page["total"], due.len(), "{asked}");
        }
        listed.extend(page["items"].as_array().expect("a list").iter().cloned());
        assert!(listed.len() <= due.len(), "{asked}: there are more of them");
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = with(&asked, &format!("limit={SOME}&cursor={cursor}"));
    }
    assert!(listed.iter().eq(due.iter().copied()), "{asked}: {listed:#?}\nwhere this is due: {due:#?}");
}

async fn post(app: &App, path: &str, key: &str, body: &Value) -> Value {
    let answer = app.post(path).key(key).json(body).send().await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    if answer.text.is_empty() { Value::Null } else { answer.json() }
}

/// Beside what the scene has, something else of each kind that is listed.
async fn varied(app: &App, scene: &Scene) {
    let (admin, agent) = (&scene.admin, &scene.agent);
    let rule = |name: &str, mode: &str, condition: &str| json!({"name": name, "enforcement_mode": mode, "condition": condition, "rule_type": "ETHICAL"});
    let rules = format!("{POLICIES}/rules");
    post(app, &rules, admin, &rule("slow", "BLOCK", "context.step.duration_ms > 1000000")).await;
    app.kit.clock.advance(Duration::minutes(1));
    let old = post(app, &rules, admin, &rule("old", "WARN", "context.step.retry_count > 3")).await;
    let retire = format!("{rules}/{}/retire", text(&old["rule_id"]));
    post(app, &retire, admin, &json!({"reason": "no longer needed"})).await;
    let limits = format!("{POLICIES}/limits");
    let rate = json!({"name": "rate", "limit_type": "REQUESTS_PER_MINUTE", "max_value": 1000});
    post(app, &limits, admin, &rate).await;
    app.kit.clock.advance(Duration::minutes(1));
    let steps = json!({"name": "steps", "limit_type": "RUN_STEPS", "max_value": 50, "scope": "AGENT", "scope_id": "mail-bot"});
    let steps = post(app, &limits, admin, &steps).await;
    let disable = format!("{limits}/{}/disable", text(&steps["limit_id"]));
    app.post(disable).key(admin).send().await.expect(200);

    let mut runs = Vec::new();
    for (n, body) in [
        json!({"agent_id": "mail-bot", "project_id": "post", "conversation_id": "one", "source": "human"}),
        json!({"agent_id": "mail-bot", "project_id": "post", "provider_type": "openai", "is_synthetic": true}),
        json!({"agent_id": "tax-bot", "provider_type": "anthropic", "conversation_id": "one"}),
        json!({"agent_id": "tax-bot", "conversation_id": "two", "source": "human"}),
    ]
    .into_iter()
    .enumerate()
    {
        // Two of them begin at once.
        if n != 1 {
            app.kit.clock.advance(Duration::minutes(1));
        }
        let run = post(app, &format!("{ACTIVITY}/runs"), agent, &body).await;
        runs.push(format!("{ACTIVITY}/runs/{}", text(&run["run_id"])));
    }
    let [well, failing, slow, killed] = runs.as_slice() else { panic!("{runs:?}") };
    let mut step = llm_step("0.01");
    for run in [well, killed] {
        post(app, &format!("{run}/steps"), agent, &step).await;
    }
    step["status"] = json!("FAILURE");
    step["llm"]["provider"] = json!("anthropic");
    step["llm"]["model"] = json!("claude-sonnet-4-5");
    post(app, &format!("{failing}/steps"), agent, &step).await;
    app.kit.clock.advance(Duration::minutes(1));
    let mut step = llm_step("0.02");
    step["duration_ms"] = json!(2_000_000);
    let refused = app.post(format!("{slow}/steps")).key(agent).json(&step).send().await;
    assert_eq!(refused.problem(403), "step_halted");
    let of_slow = format!("{INCIDENTS}/by-run/{}", slow.rsplit('/').next().unwrap_or_default());
    let found = app.get(of_slow).key(admin).send().await.expect(200);
    let resolve = format!("{INCIDENTS}/{}/resolve", text(&found["items"][0]["incident_id"]));
    post(app, &resolve, admin, &json!({"note": "done", "resolution_type": "fixed"})).await;

    post(app, &format!("{well}/complete"), agent, &json!({"status": "SUCCEEDED"})).await;
    app.kit.clock.advance(Duration::minutes(1));
    post(app, &format!("{failing}/abort"), agent, &json!({"reason": "no more"})).await;
    post(app, &format!("{killed}/kill"), admin, &json!({"reason": "it runs wild"})).await;
    let freeze = format!("{POLICIES}/freeze");
    for agent in ["first", "second"] {
        app.kit.clock.advance(Duration::minutes(1));
        post(app, &freeze, admin, &json!({"agent_id": agent, "reason": "it misbehaves"})).await;
    }
    app.call(Method::DELETE, format!("{freeze}?agent_id=second")).key(admin).send().await.expect(200);
}

async fn each_list_has_what_its_filters_ask_for(database: TestDatabase) {
    let app = App::on(database).await;
    let scene = Scene::set(&app).await;
    varied(&app, &scene).await;
    let mut pairs = 0;
    for List { operation, filters } in lists() {
        let path = operation.path_in(&scene);
        let whole = app.get(with(&path, &format!("limit={ALL}"))).key(&scene.admin).send().await.expect(200);
        assert_eq!(whole["has_more"], false, "{path} has more than a page");
        let items = whole["items"].as_array().expect("a list").clone();
        assert!(items.len() > 1, "{path}: the scene has too little in it");
        holds(&app, &scene.admin, &path, &Vec::new(), &items).await;
        for query in queries(&filters, &items) {
            pairs += usize::from(query.len() == 2);
            holds(&app, &scene.admin, &path, &query, &items).await;
        }
    }
    assert!(pairs > 400, "{pairs} pairs of filters are fewer than there are");
}

#[tokio::test]
async fn each_list_has_what_its_filters_ask_for_on_sqlite() {
    let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
    Box::pin(each_list_has_what_its_filters_ask_for(database)).await;
}

#[tokio::test]
async fn each_list_has_what_its_filters_ask_for_on_postgres() {
    if let Some(database) = TestDatabase::migrated(Store::Postgres).await {
        Box::pin(each_list_has_what_its_filters_ask_for(database)).await;
    }
}
