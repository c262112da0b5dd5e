//! The document: what it says of itself holds.

use std::{collections::BTreeSet, path::Path};

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

/// Calls `look` with the value and all that is within it.
fn walk(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        Value::Object(members) => members.values().for_each(|member| walk(member, look)),
        _ => {}
    }
}
