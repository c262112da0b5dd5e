//! The names of what a call used and cost. Everybody writes the same few words with other dots, below other words, so
//! that no list of whole names is ever complete: a name is told by where it stands and by what is said there.

use std::borrow::Cow;

use orchestrator::ports::json_of;
use serde_json::{Map, Value};

use super::{
    anthropic,
    field::Field,
    langfuse, literal, served, tier,
    value::{Json, is_hollow},
    wire::{Any, Attribute},
};

/// Where counts stand, the one that is believed before the others first.
const HOMES: [&str; 4] = ["gen_ai.usage.", "llm.token_count.", "llm.usage.", "anthropic.usage."];

/// What providers and instrumentations put before the parts of a count.
const WITHIN: [&str; 10] = [
    "details_",
    "prompt_tokens_details_",
    "input_tokens_details_",
    "prompt_details_",
    "input_token_details_",
    "completion_tokens_details_",
    "output_tokens_details_",
    "output_token_details_",
    "completion_details_",
    "experimental_",
];

/// What a count is called, with `_` for every dot; the first that is there is believed.
const COUNTS: [(Field, &[&str]); 9] = [
    (Field::InputTokens, &["input_tokens", "prompt_tokens", "prompt"]),
    (Field::OutputTokens, &["output_tokens", "completion_tokens", "completion"]),
    (Field::TotalTokens, &["total_tokens", "total"]),
    (
        Field::CachedTokens,
        &[
            "cache_read_input_tokens",
            "cached_tokens",
            "cache_read",
            "cache_read_tokens",
            "cached_input_tokens",
            "input_tokens_cached",
            "input_cached_tokens",
            "input_cache_read",
            "cache_input",
            "cached_content_tokens",
            "cached_content_token_count",
            "prompt_cache_hit_tokens",
        ],
    ),
    (
        Field::WrittenTokens,
        &[
            "cache_creation_input_tokens",
            "cache_write_input_tokens",
            "cache_write",
            "cache_write_tokens",
            "cache_creation",
            "cache_creation_tokens",
            "input_tokens_cache_write",
            "input_cache_creation",
        ],
    ),
    (
        Field::WrittenHourTokens,
        &[
            "cache_creation_ephemeral_1h_input_tokens",
            "cache_creation_1h_input_tokens",
            "cache_write_1h_input_tokens",
            "ephemeral_1h_input_tokens",
            "cache_write_1h_tokens",
        ],
    ),
    (
        Field::WrittenMinutesTokens,
        &[
            "cache_creation_ephemeral_5m_input_tokens",
            "cache_creation_5m_input_tokens",
            "cache_write_5m_input_tokens",
            "ephemeral_5m_input_tokens",
            "cache_write_5m_tokens",
        ],
    ),
    (
        Field::ReasoningTokens,
        &[
            "reasoning_output_tokens",
            "reasoning_tokens",
            "reasoning",
            "output_tokens_reasoning",
            "output_reasoning_tokens",
            "output_reasoning",
            "thoughts_tokens",
            "thoughts_token_count",
            "thinking_tokens",
        ],
    ),
    (Field::ToolUseTokens, &["tool_use_prompt_token_count", "tool_use_prompt_tokens"]),
];

/// The rank behind those of all places.
const LAST: u8 = 127;

/// Which count an attribute is, and its rank.
pub(super) fn count(key: &str) -> Option<(Field, u8)> {
    // Semantic Kernel's, which stand where no other count does.
    match key {
        "gen_ai.response.prompt_tokens" => return Some((Field::InputTokens, LAST)),
        "gen_ai.response.completion_tokens" => return Some((Field::OutputTokens, LAST)),
        _ => {}
    }
    let (home, rest) = (0_u8..).zip(HOMES).find_map(|(rank, home)| Some((rank, key.strip_prefix(home)?)))?;
    let word = rest.replace('.', "_");
    // Sounds are paid otherwise than text, and so are pictures that came out and tools that a provider ran itself.
    let came_out = ["output", "completion", "candidates"].iter().any(|side| word.contains(side));
    // Whether a detail of what Gemini's tools read is within what went in, nobody knows.
    let is_in_doubt = word.starts_with("details_tool_use_prompt");
    let is_served = served::is_count(&word);
    if word.contains("audio") || word.contains("image") && came_out || is_served || is_in_doubt {
        return Some((Field::OtherTokens, 0));
    }
    let part = WITHIN.iter().find_map(|within| word.strip_prefix(within));
    let (within, word) = part.map_or((0_u8, word.as_str()), |part| (1, part));
    COUNTS.iter().find_map(|(field, words)| {
        let (place, _) = (0_u8..).zip(*words).find(|(_, known)| **known == word)?;
        Some((*field, home * 32 + within * 16 + place))
    })
}

/// Whether thoughts by this name lie beside the answer's tokens, as Google counts them: it is its own word for them, or
/// that of its agents (ADK). Told as a detail they are those of what came out, which Pydantic AI tells with them.
pub(super) fn is_beside_the_answer(key: &str) -> bool {
    key.contains("thoughts") && !key.contains("details.") || key.contains(".experimental.")
}

/// Which cost in USD an attribute is, or what tells how a call is paid, and its rank.
pub(super) fn cost(key: &str) -> Option<(Field, u8)> {
    Some(match key {
        "gen_ai.usage.cost" => (Field::Cost, 0),
        "llm.cost.total" => (Field::Cost, 1),
        "gen_ai.usage.total_cost" => (Field::Cost, 2),
        "llm.usage.total_cost" => (Field::Cost, 3),
        "gen_ai.usage.cost_usd" => (Field::Cost, 4),
        "gen_ai.usage.cost.total" => (Field::Cost, 5),
        "gen_ai.cost.total_cost" => (Field::Cost, 6),
        "litellm.cost.total" => (Field::Cost, 7),
        "operation.cost" => (Field::Cost, 8),
        "llm.usage.cost" => (Field::Cost, 9),
        "gen_ai.cost.total" => (Field::Cost, 10),
        "gen_ai.cost.usd" => (Field::Cost, 11),
        "gen_ai.cost.total_usd" => (Field::Cost, 12),
        // Sentry's: what all the tokens cost.
        "gen_ai.cost.total_tokens" => (Field::Cost, 13),

        "llm.cost.prompt" => (Field::InputCost, 0),
        "gen_ai.usage.input_cost" => (Field::InputCost, 1),
        "gen_ai.usage.cost.input" => (Field::InputCost, 2),
        "gen_ai.cost.input_cost" => (Field::InputCost, 3),
        "litellm.cost.input" => (Field::InputCost, 4),
        "gen_ai.cost.input_usd" => (Field::InputCost, 5),
        "gen_ai.cost.input_tokens" => (Field::InputCost, 6),
        "llm.cost.completion" => (Field::OutputCost, 0),
        "gen_ai.usage.output_cost" => (Field::OutputCost, 1),
        "gen_ai.usage.cost.output" => (Field::OutputCost, 2),
        "gen_ai.cost.output_cost" => (Field::OutputCost, 3),
        "litellm.cost.output" => (Field::OutputCost, 4),
        "gen_ai.cost.output_usd" => (Field::OutputCost, 5),
        "gen_ai.cost.output_tokens" => (Field::OutputCost, 6),
        _ => return tier::rank(key),
    })
}

/// A longer name is that of no count.
const LONGEST_NAME: usize = 160;

/// Counts and costs that one attribute holds as an object, as JSON or with members of its own: as attributes, each. So
/// Langfuse tells all of them, and others what a provider answered, as it came.
pub(super) fn within(all: &[Attribute<'_>]) -> Vec<Attribute<'static>> {
    let mut found = Vec::new();
    for one in all {
        // MLflow has a place for all of them, with the words that others have.
        let key = if one.key == "mlflow.chat.tokenUsage" { "llm.usage" } else { &*one.key };
        let of_langfuse = langfuse::place(key);
        // Each member is named with it: one that is as long as a body would be so often in memory.
        if key.len() > LONGEST_NAME || of_langfuse.is_none() && !holds_counts(key) {
            continue;
        }
        let told = match &one.value {
            Some(Any::Text(text)) if text.trim_start().starts_with(['{', '[']) => literal::object(text),
            Some(value @ (Any::Map(_) | Any::List(_))) => {
                serde_json::to_string(&Json(value)).ok().and_then(|text| json_of(&text))
            }
            Some(value @ Any::Text(_)) if details_of(key).is_some() && !is_hollow(value) => None,
            _ => continue,
        };
        match (told, details_of(key).or_else(|| all_of(key))) {
            (Some(Value::Object(mut members)), _) => {
                if let Some(place) = of_langfuse {
                    langfuse::add_total(place, &mut members);
                } else if all_of(key).is_some() {
                    anthropic::add_total(key, &mut members);
                }
                hold(of_langfuse.unwrap_or(key), of_langfuse.is_some(), members, &mut found);
            }
            (Some(Value::Array(items)), _) => hold(key, false, by_modality(items), &mut found),
            // Something is told there that nobody can read.
            (_, Some(part)) => {
                let value = Some(Any::Text(Cow::Borrowed("an object that cannot be read")));
                found.push(Attribute { key: Cow::Borrowed(part), value });
            }
            _ => {}
        }
    }
    found.extend(anthropic::total_of(all));
    found
}

/// Gemini's details are a list with an item for each of text, sounds and pictures.
fn by_modality(items: Vec<Value>) -> Map<String, Value> {
    let item = |item: Value| {
        let modality = item.get("modality")?.as_str()?.to_ascii_lowercase();
        let count = ["token_count", "tokenCount"].into_iter().find_map(|name| item.get(name))?;
        Some((format!("{modality}_tokens"), count.clone()))
    };
    items.into_iter().filter_map(item).collect()
}

/// Whether a value is an object that can be read: what it holds is told by its members.
pub(super) fn is_object(value: &Any<'_>) -> bool {
    match value {
        Any::Map(_) => true,
        Any::Text(text) => text.trim_start().starts_with('{') && literal::object(text).is_some(),
        _ => false,
    }
}

/// Whether an attribute is, or lies at, a place of counts.
fn holds_counts(key: &str) -> bool {
    HOMES.iter().any(|home| key.starts_with(home) || home.strip_suffix('.') == Some(key))
}

/// The count that an attribute of details tells of first of all.
fn details_of(key: &str) -> Option<&'static str> {
    let word = HOMES.iter().find_map(|home| key.strip_prefix(home))?.replace('.', "_");
    let is_of_details = WITHIN.iter().any(|within| within.strip_suffix('_') == Some(word.as_str()));
    let came_out = word.contains("output") || word.contains("completion");
    is_of_details.then_some(if came_out { "llm.usage.reasoning_tokens" } else { "llm.usage.cached_tokens" })
}

/// The same of an attribute of all counts, or of all costs.
fn all_of(key: &str) -> Option<&'static str> {
    let place = langfuse::place(key).unwrap_or(key);
    let is_of_counts = HOMES.iter().any(|home| home.strip_suffix('.') == Some(place));
    if place == "llm.cost" {
        Some("llm.cost.total")
    } else {
        is_of_counts.then_some("llm.usage.input_tokens")
    }
}

/// The members of an object at a place, and those of the objects in it.
fn hold(place: &str, of_langfuse: bool, members: Map<String, Value>, found: &mut Vec<Attribute<'static>>) {
    for (name, value) in members {
        let key = if of_langfuse { langfuse::named(place, &name) } else { format!("{place}.{name}") };
        let value = match value {
            Value::Object(parts) if key.len() <= LONGEST_NAME => {
                hold(&key, false, parts, found);
                continue;
            }
            Value::Number(number) => {
                number.as_i64().map(Any::Int).or_else(|| number.as_f64().map(Any::Double))
            }
            Value::String(text) => Some(Any::Text(Cow::Owned(text))),
            _ => None,
        };
        found.push(Attribute { key: Cow::Owned(key), value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_by_its_place_and_its_word() {
        for (key, field) in [
            ("gen_ai.usage.cache_read.input_tokens", Some(Field::CachedTokens)),
            ("gen_ai.usage.cache_write_input_tokens", Some(Field::WrittenTokens)),
            ("gen_ai.usage.prompt_tokens_details.cached_tokens", Some(Field::CachedTokens)),
            ("gen_ai.usage.details.thoughts_tokens", Some(Field::ReasoningTokens)),
            ("gen_ai.usage.cache_creation.ephemeral_5m_input_tokens", Some(Field::WrittenMinutesTokens)),
            ("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens", Some(Field::WrittenHourTokens)),
            ("llm.token_count.prompt", Some(Field::InputTokens)),
            ("llm.token_count.prompt_details.cache_input", Some(Field::CachedTokens)),
            ("llm.token_count.prompt_details.cache_write", Some(Field::WrittenTokens)),
            ("llm.usage.total_tokens", Some(Field::TotalTokens)),
            ("gen_ai.usage.details.input_audio_tokens", Some(Field::OtherTokens)),
            ("llm.token_count.completion_details.audio", Some(Field::OtherTokens)),
            ("anthropic.usage.server_tool_use.web_search_requests", Some(Field::OtherTokens)),
            ("gen_ai.usage.num_sources_used", Some(Field::OtherTokens)),
            ("gen_ai.usage.details.image_prompt_tokens", None),
            ("gen_ai.usage.", None),
            ("gen_ai.aggregated_usage.input_tokens", None),
            ("input_tokens", None),
        ] {
            assert_eq!(count(key).map(|(field, _)| field), field, "{key}");
        }
    }

    /// A name of megabytes, said again for each of a hundred thousand members, is more than any memory holds.
    #[test]
    fn a_long_name_is_not_said_again_for_each_member() {
        const MEMBERS: usize = 100;
        let members: Map<String, Value> = (0..MEMBERS).map(|at| (format!("a{at}"), at.into())).collect();
        let object = Value::Object(members);
        let within_one = serde_json::json!({ "b".repeat(10_000): object }).to_string();
        for (key, text) in [
            (format!("gen_ai.usage.{}", "b".repeat(10_000)), object.to_string()),
            ("gen_ai.usage".to_owned(), within_one),
        ] {
            let all = [Attribute { key: key.into(), value: Some(Any::Text(text.into())) }];
            let told: usize = within(&all).iter().map(|one| one.key.len()).sum();
            assert!(told < 10_000 + MEMBERS * LONGEST_NAME, "{told}");
        }
    }

    #[test]
    fn the_newest_name_is_believed_first() {
        let ranks = [
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cached_tokens",
            "gen_ai.usage.details.cache_read_tokens",
            "llm.token_count.prompt_details.cache_read",
            "llm.usage.cache_read_input_tokens",
        ]
        .map(|key| count(key).map(|(_, rank)| rank));
        assert!(ranks.is_sorted() && ranks[0] == Some(0), "{ranks:?}");
    }
}
