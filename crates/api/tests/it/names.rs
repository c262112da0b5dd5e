//! Names that look like others, in every member of every body by which one thing is told from another: none is taken.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    app::{Answer, App},
    examples::{Operation, operations},
    scene::Scene,
};

/// Members by which rules, limits, freezes and keys tell one from another.
const COMPARED: [&str; 13] = [
    "actor/id",
    "agent_id",
    "agents",
    "degrade_to",
    "labels",
    "model",
    "model_requested",
    "owner",
    "project_id",
    "provider",
    "provider_type",
    "scope_id",
    "skill_name",
];

/// Members whose texts no rule and no limit reads, or that are no names. Whoever adds a member says here that it is
/// one, or has it refuse what looks like another.
const SAID: [&str; 24] = [
    "code",
    "condition",
    "conversation_id",
    "cost_usd",
    "description",
    "error",
    "finish_reason",
    "goal",
    "idempotency_key",
    "incident_ids",
    "max_value",
    "name",
    "note",
    "parent_run_id",
    "permit_id",
    "prompt",
    "reason",
    "request_id",
    "response",
    "service_tier",
    "session_id",
    "superseded_by",
    "synthetic_scenario_id",
    "time_zone",
];

/// Around a name, or within it.
const ODD: [&str; 13] = [
    "plain ",
    " plain",
    "plain\t",
    "plain\u{a0}",
    "plain\u{200b}",
    "pl\u{200b}ain",
    "pl\u{ad}ain",
    "plain\u{2060}",
    "\u{feff}plain",
    "plain\u{202c}",
    "plain\u{fe0f}",
    "plain\u{e0041}",
    "plain\u{e000}",
];

#[tokio::test]
async fn no_member_that_tells_one_from_another_takes_what_only_looks_alike() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let (mut compared, mut said) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations().iter().filter(|operation| operation.takes_our_json()) {
        let told = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let body = &told["requestBody"]["content"]["application/json"]["schema"];
        let mut members = Vec::new();
        texts(&document, body, "", &mut members);
        for pointer in members {
            let name = name_of(&pointer);
            if !COMPARED.contains(&name.as_str()) {
                said.insert(name);
                continue;
            }
            compared.insert(name);
            for odd in ODD {
                let sent = put(operation.body_in(&scene).expect("a body"), &pointer, odd);
                let answer = operation.bare(&app, &scene).key(&scene.admin).json(&sent).send().await;
                assert!(is_refused(operation, &answer, &pointer), "{} {sent}: {}", operation.id, answer.text);
            }
        }
    }
    assert_eq!(compared.iter().map(String::as_str).collect::<Vec<_>>(), COMPARED);
    assert_eq!(said.iter().map(String::as_str).collect::<Vec<_>>(), SAID);
}

#[tokio::test]
async fn blanks_within_a_name_stay_and_a_person_has_a_name() {
    let app = App::new().await;
    let scene = Scene::set(&app).await;
    let call = |id: &str, body: &Value| {
        let all = operations();
        let operation = all.iter().find(|operation| operation.id == id).expect("it is there");
        operation.bare(&app, &scene).key(&scene.admin).json(body).send()
    };
    let start = json!({
        "agent_id": "support bot", "project_id": "", "provider_type": "Azure OpenAI",
        "actor": {"type": "HUMAN", "id": "Ana Lima"}, "metadata": {"labels": ["needs review"]},
    });
    call("activity.start", &start).await.expect(201);
    let permit = json!({
        "kind": "LLM_CALL", "skill_name": "web search", "provider": "Azure OpenAI", "model": "my model (eu)",
        "labels": ["needs review", "⚙️"], "estimate": {"cost_usd": 0.01},
    });
    call("activity.permit", &permit).await.expect(201);
    for nobody in [json!({"type": "HUMAN", "id": ""}), json!({"type": "HUMAN"})] {
        let start = json!({"agent_id": "support-bot", "actor": nobody});
        assert_eq!(
            call("activity.start", &start).await.field(422, "invalid_request"),
            "/actor/id",
            "{start}"
        );
    }
}

/// A member's own name; with what it is within where that says whose it is.
fn name_of(pointer: &str) -> String {
    let mut parts = pointer.split('/').rev().filter(|part| *part != "0");
    let name = parts.next().unwrap_or_default();
    if name == "id" { format!("{}/{name}", parts.next().unwrap_or_default()) } else { name.to_owned() }
}

/// The texts of a body that the document describes, by JSON pointer; the first item stands for a list.
fn texts(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let of = document.pointer(reference.trim_start_matches('#')).expect("it leads somewhere");
        return texts(document, of, at, found);
    }
    for several in ["allOf", "anyOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            texts(document, one, at, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        texts(document, member, &format!("{at}/{name}"), found);
    }
    if schema["items"].is_object() {
        texts(document, &schema["items"], &format!("{at}/0"), found);
    }
    let is = |kind: &str| {
        let kinds = &schema["type"];
        kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind))
    };
    // A word of a list and a time have a form of their own; where there may be an object, it is any JSON.
    let is_free = schema["enum"].is_null() && schema["format"].is_null() && !is("object");
    if is("string") && is_free && !found.iter().any(|known| known == at) {
        found.push(at.to_owned());
    }
}

/// The body with that text there.
fn put(mut body: Value, pointer: &str, text: &str) -> Value {
    if pointer.starts_with("/actor/") {
        body["actor"] = json!({"type": "SYSTEM"});
    }
    let mut at = &mut body;
    for part in pointer.split('/').skip(1) {
        at = if part == "0" {
            if !at.is_array() {
                *at = json!([null]);
            }
            &mut at[0]
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            &mut at[part]
        };
    }
    *at = json!(text);
    body
}

/// Whether the member was refused for what it looks like; of what must be as it is in any case, whether it was refused.
fn is_refused(operation: &Operation, answer: &Answer, pointer: &str) -> bool {
    let answered = answer.json();
    let (problem, pointer) = match pointer.strip_prefix("/steps/0") {
        // Each step of a batch has an answer of its own.
        Some(within) => (&answered["items"][0]["body"], within),
        None => (&answered, pointer),
    };
    let stays = operation.id == "policies.update_limit" && pointer == "/scope_id";
    problem["errors"].as_array().into_iter().flatten().any(|error| {
        let told = error["message"].as_str().unwrap_or_default();
        error["pointer"] == pointer && (stays || told.contains("look like another's"))
    })
}
