//! Langfuse's objects of all counts and of all costs. Their members are parts that have nothing in common: where no
//! total is told, it is the sum of all of them.

use serde_json::{Map, Value};

use super::value::{count, nano_usd, of_json};

/// Where they are, and the place at which their members are called what others call them.
const PLACES: [(&str, &str); 2] =
    [("langfuse.observation.usage_details", COUNTS), ("langfuse.observation.cost_details", COSTS)];

const COUNTS: &str = "llm.usage";
const COSTS: &str = "llm.cost";

/// The place of an attribute that is one of them.
pub(super) fn place(key: &str) -> Option<&'static str> {
    PLACES.iter().find(|(name, _)| *name == key).map(|(_, place)| *place)
}

/// A member, by the name that it has elsewhere.
pub(super) fn named(place: &str, name: &str) -> String {
    match (place, name) {
        (COSTS, "input") => "llm.cost.prompt".to_owned(),
        (COSTS, "output") => "llm.cost.completion".to_owned(),
        (COUNTS, "input" | "output" | "total") => format!("{place}.{name}_tokens"),
        _ => format!("{place}.{name}"),
    }
}

/// Adds the total of the members, where there is none and they are such parts.
pub(super) fn add_total(place: &str, members: &mut Map<String, Value>) {
    if members.get("total").is_some_and(|total| !total.is_null()) {
        return;
    }
    let total = if place == COSTS { sum_of_costs(members) } else { sum_of_counts(members) };
    if let Some(total) = total {
        members.insert("total".to_owned(), total);
    }
}

/// What is written for an hour or for minutes is a part of what is written, where that is told.
fn is_of_what_is_written(name: &str) -> bool {
    ["5m", "1h"].into_iter().any(|time| name.contains(time))
}

fn sum_of_counts(members: &Map<String, Value>) -> Option<Value> {
    if !["input", "output"].into_iter().all(|side| members.contains_key(side)) {
        return None;
    }
    let is_written = |name: &str| name.contains("creation") || name.contains("write");
    let tells_all = members
        .keys()
        .any(|name| is_written(name) && !is_of_what_is_written(name) && members[name].is_number());
    let parts = members.iter().filter(|(name, _)| !(tells_all && is_of_what_is_written(name)));
    // What is no count is no part: a tier, a word.
    let sum = parts.filter_map(|(_, value)| count(&of_json(value)?)).fold(0, u64::saturating_add);
    Some(sum.into())
}

/// None where one of them cannot be read.
fn sum_of_costs(members: &Map<String, Value>) -> Option<Value> {
    let told = members.values().filter(|value| !value.is_null());
    let nanos = told.map(|value| nano_usd(&of_json(value)?)).collect::<Option<Vec<u64>>>()?;
    let sum = nanos.iter().copied().fold(0, u64::saturating_add);
    (!nanos.is_empty()).then(|| format!("{}.{:09}", sum / 1_000_000_000, sum % 1_000_000_000).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_total_is_the_sum_of_all_parts() {
        for (place, told, total) in [
            (COUNTS, json!({ "input": 10, "output": 5, "cache_read_input_tokens": 80 }), json!(95)),
            (COUNTS, json!({ "input": "10", "output": 5.0, "tier": "usual", "audio": null }), json!(15)),
            (
                COUNTS,
                json!({ "input": 10, "output": 5, "cache_creation_input_tokens": 7, "ephemeral_5m_input_tokens": 7 }),
                json!(22),
            ),
            (COUNTS, json!({ "input": 10, "output": 5, "input_cache_creation_5m": 7 }), json!(22)),
            (COUNTS, json!({ "input": 10 }), Value::Null),
            (COUNTS, json!({ "prompt_tokens": 10, "completion_tokens": 5 }), Value::Null),
            (COUNTS, json!({ "input": 10, "output": 5, "total": 30 }), json!(30)),
            (COSTS, json!({ "input": 1, "cache_read_input_tokens": 0.5, "output": 1 }), json!("2.500000000")),
            (COSTS, json!({ "input": 0.5 }), json!("0.500000000")),
            (COSTS, json!({ "input": 0.5, "output": "many" }), Value::Null),
            (COSTS, json!({ "input": 0.5, "total": 2 }), json!(2)),
            (COSTS, json!({}), Value::Null),
        ] {
            let Value::Object(mut members) = told.clone() else { continue };
            add_total(place, &mut members);
            assert_eq!(members.get("total").unwrap_or(&Value::Null), &total, "{told}");
        }
    }
}
