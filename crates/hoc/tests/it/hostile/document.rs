//! What the OpenAPI document says that can be said to the server: its operations, and the members of each.

use serde_json::Value;

use super::bodies::body;

/// Where a value goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// By JSON pointer; the first item stands for a list.
    Body(String),
    /// The same place, in a body that is no JSON.
    Protobuf(String),
    Query(String),
    Path(String),
    Header(String),
}

/// What the document says may be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Takes {
    pub(super) text: bool,
    pub(super) number: bool,
    /// JSON of the caller's own.
    pub(super) anything: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) spots: Vec<(Spot, Takes)>,
    pub(super) has_body: bool,
    pub(super) takes_protobuf: bool,
}

pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let mut spots = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name").to_owned();
                let kind = &parameter["schema"]["type"];
                let takes = Takes { text: true, number: kind == "integer", anything: false };
                let spot = match parameter["in"].as_str() {
                    Some("path") => Spot::Path(name),
                    Some("query") => Spot::Query(name),
                    Some("header") => Spot::Header(name),
                    other => panic!("{id}: a parameter in {other:?}"),
                };
                add(&mut spots, spot, takes);
            }
            let content = &operation["requestBody"]["content"];
            let schema = &content["application/json"]["schema"];
            if schema["type"] == "object" && schema["properties"].is_null() {
                // Somebody else's schema: what is known of it is the body that is taken.
                leaves(&body(id, 0), "", &mut spots);
            } else if schema.is_object() {
                members(document, schema, "", &mut spots);
            }
            all.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                spots,
                has_body: content.is_object(),
                takes_protobuf: content["application/x-protobuf"].is_object(),
            });
        }
    }
    all
}

/// The members of a body that the document describes.
fn members(document: &Value, schema: &Value, at: &str, found: &mut Vec<(Spot, Takes)>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect("it is in the document");
        return members(document, target, at, found);
    }
    for all in ["oneOf", "anyOf", "allOf"] {
        for part in schema[all].as_array().into_iter().flatten() {
            members(document, part, at, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        members(document, member, &format!("{at}/{name}"), found);
    }
    if schema["items"].is_object() {
        members(document, &schema["items"], &format!("{at}/0"), found);
    }
    let is = |kind: &str| {
        let kinds = &schema["type"];
        kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.contains(&kind.into()))
    };
    let is_bare = ["type", "properties", "oneOf", "anyOf", "allOf"].iter().all(|key| schema[key].is_null());
    let takes = Takes {
        text: is("string"),
        number: is("number") || is("integer"),
        anything: is_bare || is("object") && schema["properties"].is_null(),
    };
    add(found, Spot::Body(at.to_owned()), takes);
}

/// Every text and number of a body, either of which may stand for the other.
fn leaves(value: &Value, at: &str, found: &mut Vec<(Spot, Takes)>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| leaves(member, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{at}/{index}"), found));
        }
        _ => add(found, Spot::Body(at.to_owned()), Takes { text: true, number: true, anything: false }),
    }
}

fn add(found: &mut Vec<(Spot, Takes)>, spot: Spot, takes: Takes) {
    if takes == Takes::default() || spot == Spot::Body(String::new()) {
        return;
    }
    match found.iter_mut().find(|(known, _)| *known == spot) {
        Some((_, known)) => {
            known.text |= takes.text;
            known.number |= takes.number;
            known.anything |= takes.anything;
        }
        None => found.push((spot, takes)),
    }
}
