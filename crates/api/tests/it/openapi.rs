//! The document: what it says of itself holds.

use std::{collections::BTreeSet, path::Path};

use models::bounds;
use serde_json::Value;

use super::examples::operations;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_committed_document_is_the_routers() {
    let committed = std::fs::read_to_string(COMMITTED).expect("docs/openapi.json");
    assert!(
        committed == api::openapi_json(),
        "the contract changed: look at what changes for callers, then `cargo run -p hoc -- openapi > docs/openapi.json`"
    );
}

#[test]
fn an_operation_is_named_after_its_file() {
    let mut seen = BTreeSet::new();
    for operation in operations() {
        let (module, file) = operation.id.split_once('.').expect("<module>.<file>");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module).join(format!("{file}.rs"));
        let source = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        assert!(source.contains(&format!("async fn {file}(")), "{} has no handler `{file}`", path.display());
        assert!(seen.insert(operation.id.clone()), "{} is there twice", operation.id);
    }
}

/// In L4 too, in a file of its own: so a reader of a route finds what it calls, and the other way round. Which part of
/// L4 a route calls, if any, its source says.
#[test]
fn an_operation_has_its_name_in_the_layer_below() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for operation in operations() {
        let (module, verb) = operation.id.split_once('.').expect("<module>.<verb>");
        let route = crates.join("api/src").join(module).join(format!("{verb}.rs"));
        let route =
            std::fs::read_to_string(&route).unwrap_or_else(|err| panic!("{}: {err}", route.display()));
        let below = crates.join("orchestrator/src");
        let path = if let Some((_, rest)) = route.split_once("coordinators::") {
            // A coordinator joins domains, and has the name of what it joins them for.
            let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            let folder = below.join("coordinators").join(&name);
            if folder.is_dir() { folder.join("mod.rs") } else { folder.with_extension("rs") }
        } else if route.contains("handlers::") {
            below.join("handlers").join(module).join(format!("{verb}.rs"))
        } else {
            continue;
        };
        let source = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        assert!(source.contains(&format!("fn {verb}(")), "{} has no `{verb}`", path.display());
        let span = format!("instrument(name = \"{}\"", operation.id);
        assert!(source.contains(&span), "{} has no span `{}`", path.display(), operation.id);
        seen += 1;
    }
    assert!(seen > 60, "{seen} operations");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let mut dangling = BTreeSet::new();
    walk(&document, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').expect("a reference into the document");
            if document.pointer(pointer).is_none() {
                dangling.insert(reference.to_owned());
            }
        }
    });
    assert!(dangling.is_empty(), "{dangling:?}");
}

/// The attribute of a member takes no name of a bound, so there its number is written once more.
#[test]
fn a_text_is_as_long_as_a_bound_says() {
    /// A condition's, which the rules alone know.
    const CONDITION: usize = 8_192;
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let mut told = BTreeSet::new();
    walk(&document, &mut |value| told.extend(value["maxLength"].as_u64()));
    let bounds = [bounds::NAME, bounds::REASON, bounds::TEXT, CONDITION];
    let bounds: BTreeSet<u64> = bounds.into_iter().map(|bound| bound as u64).collect();
    assert_eq!(told, bounds, "left what the document says, right what may be said");
}

#[test]
fn every_operation_says_what_it_does_and_how_it_may_end() {
    let document = serde_json::to_value(api::openapi()).expect("a document");
    for operation in operations() {
        let told = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        assert!(told["summary"].as_str().is_some_and(|text| !text.is_empty()), "{}", operation.id);
        let is_problem = |range: &str| {
            told["responses"][range]["content"]["application/problem+json"]["schema"]["$ref"]
                == "#/components/schemas/Problem"
        };
        assert!(is_problem("4XX") && is_problem("5XX"), "{}: {told}", operation.id);
        assert_eq!(told["security"].is_array(), !operation.roles.is_empty(), "{}", operation.id);
    }
}

/// Members whose texts are bounded otherwise: an id has one length, and what was said to a model and by it may be as
/// long as a body.
const OTHERWISE: [&str; 5] = ["parent_run_id", "permit_id", "prompt", "response", "superseded_by"];

#[test]
fn every_text_of_a_body_has_a_bound() {
    let document = serde_json::to_value(api::openapi()).expect("a document");
    let (mut bounded, mut open) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations() {
        let told = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let body = &told["requestBody"]["content"]["application/json"]["schema"];
        texts(&document, "", body, &mut |name, is_bounded| {
            let names = if is_bounded { &mut bounded } else { &mut open };
            names.insert(name.to_owned());
        });
    }
    assert!(bounded.contains("agent_id") && bounded.contains("agents"), "{bounded:?}");
    // What is said of a member in two places holds in both.
    open.retain(|name| !bounded.contains(name));
    assert_eq!(open.iter().map(String::as_str).collect::<Vec<_>>(), OTHERWISE);
}

/// Each text in a schema: the member that holds it, and whether it has a bound.
fn texts(document: &Value, name: &str, schema: &Value, found: &mut impl FnMut(&str, bool)) {
    if let Some(reference) = schema["$ref"].as_str() {
        let of = document.pointer(reference.trim_start_matches('#')).expect("it leads somewhere");
        texts(document, name, of, found);
    }
    for several in ["allOf", "anyOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            texts(document, name, one, found);
        }
    }
    if schema["items"].is_object() {
        texts(document, name, &schema["items"], found);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        texts(document, name, member, found);
    }
    let is = |kind: &str| {
        let kinds = &schema["type"];
        kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind))
    };
    // Where there may be an object, it is any JSON.
    if is("string") && !is("object") {
        let bounds = ["maxLength", "pattern", "format", "enum"];
        found(name, bounds.iter().any(|bound| !schema[*bound].is_null()));
    }
}

/// Calls `look` with the value and all that is within it.
fn walk(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        Value::Object(members) => members.values().for_each(|member| walk(member, look)),
        _ => {}
    }
}
