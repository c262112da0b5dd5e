//! The types as JSON Schema, for programs: `docs/bundle.schema.json`.

use proof::{bundle::FORMAT, canonical::MAX_INTEGER, forms::Form};
use serde_json::{Map, Value, json};

use super::{
    trace::Kind,
    types::{Struct, Types},
};

/// As a time is written. That there is such a day, the schema cannot say.
const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z$";

pub(super) fn of(types: &Types) -> Value {
    let most = i64::try_from(MAX_INTEGER).expect("it is far below");
    let mut defs = Map::new();
    let mut define = |name: &str, schema| defs.insert(name.to_owned(), schema);
    define("count", json!({ "type": "integer", "minimum": 0, "maximum": most }));
    define("integer", json!({ "type": "integer", "minimum": -most, "maximum": most }));
    define("hash", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }));
    define("time", json!({ "type": "string", "pattern": TIME }));
    for of in &types.structs {
        define(of.name, object(of));
    }
    for (name, words) in &types.words {
        define(name, json!({ "enum": words }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:hoc:run-evidence-bundle:v1",
        "title": "The run evidence bundle of HOC",
        "description": "Every type of docs/bundle.md, which says what they mean. A bundle is the first of them.",
        "$ref": "#/$defs/Bundle",
        "$defs": defs,
    })
}

/// An object has the members of its type and no other; the receipt alone may be absent.
fn object(of: &Struct) -> Value {
    let mut properties: Map<String, Value> =
        of.members.iter().map(|(member, kind)| ((*member).to_owned(), schema(kind))).collect();
    if let Some(tag) = of.tag {
        properties.insert("type".to_owned(), json!({ "const": tag }));
    }
    if of.name == "Bundle" {
        properties.insert("format".to_owned(), json!({ "const": FORMAT }));
    }
    let mut required: Vec<&str> = properties.keys().map(String::as_str).collect();
    required.retain(|member| (of.name, *member) != ("Proofs", "receipt"));
    required.sort_unstable();
    json!({ "type": "object", "properties": &properties, "required": required, "additionalProperties": false })
}

fn schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text(Form::Any) => json!({ "type": "string" }),
        Kind::Text(Form::Time) => defined("time"),
        Kind::Text(Form::Hash) => defined("hash"),
        Kind::Count => defined("count"),
        Kind::Integer => defined("integer"),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Word(name) | Kind::Of(name) => defined(name),
        Kind::List(of) => json!({ "type": "array", "items": schema(of) }),
        Kind::Map(key, of) => {
            json!({ "type": "object", "propertyNames": schema(key), "additionalProperties": schema(of) })
        }
        Kind::OrNull(of) => json!({ "anyOf": [schema(of), { "type": "null" }] }),
    }
}

fn defined(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}
