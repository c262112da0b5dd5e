//! Lists and their filters: every list of the document is newest first; with every filter and every pair of them it has
//! what passes of all that it lists, in the same order, and its total counts that. On both stores.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;
use testkit::{Store, TestDatabase};

use super::{
    app::App,
    examples::{Operation, operations},
    scene::{Scene, text},
    varied::varied,
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

/// What an item says to a filter, by the value that asks for it. Most ask for the member of their name. What is at
/// risk, and what is of a topic, is the server's own rule once more: `activity.rs` and `incidents.rs` say it by name.
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

/// Whether a filter with this value lets an item pass. Times have one form, with six decimals: they are told apart as
/// texts.
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

/// What is asked of a list: each filter alone with each value that there is, and with one that there is not; each two
/// of them as one item says both, and as two say them; and each of them as none says it, with the next.
fn queries(filters: &[(String, Value)], items: &[Value]) -> BTreeSet<Query> {
    let pair = |one: &str, one_said: Option<String>, other: &str, other_said: Option<String>| {
        Some(vec![(one.to_owned(), one_said?), (other.to_owned(), other_said?)])
    };
    // Another item for each pair, for as many as there are.
    let from = |place: usize| items.iter().cycle().skip(place % items.len()).take(items.len());
    let mut all = BTreeSet::new();
    for filter in filters {
        let values = items.iter().filter_map(|item| said(&filter.0, item));
        all.extend(values.chain(absent(filter, items)).map(|value| vec![(filter.0.clone(), value)]));
    }
    for (at, (one, _)) in filters.iter().enumerate() {
        for (behind, (other, _)) in filters.iter().enumerate().skip(at + 1) {
            let both = |item: &Value| pair(one, said(one, item), other, said(other, item));
            all.extend(from(at + behind).find_map(both));
            let first = from(at + behind).find_map(|item| said(one, item));
            let second = from(3 * at + behind + 1).find_map(|item| said(other, item));
            all.extend(pair(one, first, other, second));
        }
    }
    for (none, (other, _)) in filters.iter().zip(filters.iter().skip(1)) {
        let value = from(0).find_map(|item| said(other, item));
        all.extend(pair(&none.0, absent(none, items), other, value));
    }
    all
}

/// By what a list is in order: when its items came to be, and their ids.
fn place(item: &Value) -> (String, String) {
    let first = |names: &[&str]| {
        let found = names.iter().find(|name| item[**name].is_string());
        text(&item[*found.unwrap_or_else(|| panic!("none of {names:?}: {item}"))])
    };
    let ids = ["id", "job_id", "intervention_id", "incident_id", "rule_id", "limit_id", "run_id"];
    (first(&["created_at", "requested_at", "started_at"]), first(&ids))
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

/// What an operation lists, all of it.
async fn all_of(app: &App, key: &str, path: &str) -> Vec<Value> {
    let whole = app.get(with(path, &format!("limit={ALL}"))).key(key).send().await.expect(200);
    assert_eq!(whole["has_more"], false, "{path} has more than a page");
    whole["items"].as_array().expect("a list").clone()
}

async fn each_has_what_its_filters_ask_for(database: TestDatabase, ids: &[&str]) {
    let app = App::on(database).await;
    let scene = Scene::set(&app).await;
    varied(&app, &scene).await;
    for List { operation, filters } in lists() {
        if !ids.contains(&operation.id.as_str()) {
            continue;
        }
        let path = operation.path_in(&scene);
        let items = all_of(&app, &scene.admin, &path).await;
        assert!(items.len() > 1, "{path}: the scene has too little in it");
        let places: Vec<_> = items.iter().map(place).collect();
        assert!(places.is_sorted_by(|one, next| one > next), "{path} is not newest first: {places:#?}");
        holds(&app, &scene.admin, &path, &Vec::new(), &items).await;
        for query in queries(&filters, &items) {
            holds(&app, &scene.admin, &path, &query, &items).await;
        }
    }
}

/// A test of these lists on each store: parted, so that they are walked beside each other.
macro_rules! walks {
    ($($name:ident: [$($id:literal),*];)*) => {
        const WALKED: &[&[&str]] = &[$(&[$($id),*]),*];

        $(mod $name {
            use super::{Store, TestDatabase, each_has_what_its_filters_ask_for};

            #[tokio::test]
            async fn sqlite() {
                let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
                Box::pin(each_has_what_its_filters_ask_for(database, &[$($id),*])).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(database) = TestDatabase::migrated(Store::Postgres).await {
                    Box::pin(each_has_what_its_filters_ask_for(database, &[$($id),*])).await;
                }
            }
        })*
    };
}

walks! {
    runs_have_what_their_filters_ask_for: ["activity.list"];
    what_people_see_to_has_what_its_filters_ask_for: ["activity.list_interventions", "incidents.list", "jobs.list"];
    logs_have_what_their_filters_ask_for: ["logs.list_audit", "logs.list_llm_runs", "logs.list_system"];
    policies_have_what_their_filters_ask_for: ["policies.list_limits", "policies.list_rules"];
}

#[test]
fn every_list_with_a_filter_is_walked() {
    let found: BTreeSet<String> = lists().into_iter().map(|list| list.operation.id).collect();
    let walked: BTreeSet<String> = WALKED.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(found, walked, "a list is in none of the walks, or has no filter any more");
}
