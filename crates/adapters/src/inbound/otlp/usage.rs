//! The names of what a call used and cost. Everybody writes the same few words with other dots, below other words, so that
//! no list of whole names is ever complete: a name is told by where it stands and by what is said there.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    field::Field,
    wire::{Any, Attribute},
};

/// Where counts stand, the one that is believed before the others first.
const HOMES: [&str; 4] = ["gen_ai.usage.", "llm.token_count.", "llm.usage.", "anthropic.usage."];

/// What providers and instrumentations put before the parts of a count.
const WITHIN: [&str; 8] = [
    "details_",
    "prompt_tokens_details_",
    "input_tokens_details_",
    "prompt_details_",
    "input_token_details_",
    "completion_tokens_details_",
    "output_tokens_details_",
    "completion_details_",
];

/// What a count is called, with `_` for every dot; the first that is there is believed.
const COUNTS: [(Field, &[&str]); 8] = [
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
];

/// Which count an attribute is, and its rank.
pub(super) fn count(key: &str) -> Option<(Field, u8)> {
    let (home, rest) = (0_u8..).zip(HOMES).find_map(|(rank, home)| Some((rank, key.strip_prefix(home)?)))?;
    let word = rest.replace('.', "_");
    // Sounds are paid otherwise than text, and so are pictures that came out.
    let came_out = word.contains("output") || word.contains("completion");
    if word.contains("audio") || word.contains("image") && came_out {
        return Some((Field::OtherTokens, 0));
    }
    let part = WITHIN.iter().find_map(|within| word.strip_prefix(within));
    let (within, word) = part.map_or((0_u8, word.as_str()), |part| (1, part));
    COUNTS.iter().find_map(|(field, words)| {
        let (place, _) = (0_u8..).zip(*words).find(|(_, known)| **known == word)?;
        Some((*field, home * 32 + within * 16 + place))
    })
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

        // How it is paid: the tier that answered, or the one that was asked for.
        "openai.response.service_tier" => (Field::ServiceTier, 0),
        "gen_ai.openai.response.service_tier" => (Field::ServiceTier, 1),
        "gen_ai.response.service_tier" => (Field::ServiceTier, 2),
        "gen_ai.usage.service_tier" => (Field::ServiceTier, 3),
        "anthropic.response.service_tier" => (Field::ServiceTier, 4),
        "anthropic.usage.service_tier" => (Field::ServiceTier, 5),
        "openai.request.service_tier" => (Field::ServiceTier, 6),
        "gen_ai.openai.request.service_tier" => (Field::ServiceTier, 7),
        "gen_ai.request.service_tier" => (Field::ServiceTier, 8),
        "anthropic.request.service_tier" => (Field::ServiceTier, 9),
        _ => return None,
    })
}

/// Langfuse tells all counts, and all costs, as the JSON of one object: as attributes, each of them.
pub(super) fn within(all: &[Attribute<'_>]) -> Vec<Attribute<'static>> {
    let mut found = Vec::new();
    for one in all {
        let is_cost = match &*one.key {
            "langfuse.observation.usage_details" => false,
            "langfuse.observation.cost_details" => true,
            _ => continue,
        };
        let Some(Any::Text(text)) = &one.value else { continue };
        let Ok(Value::Object(members)) = serde_json::from_str(text) else { continue };
        for (name, value) in members {
            match value {
                Value::Object(parts) => found.extend(
                    parts.into_iter().map(|(part, value)| named(is_cost, &format!("{name}.{part}"), value)),
                ),
                value => found.push(named(is_cost, &name, value)),
            }
        }
    }
    found
}

fn named(is_cost: bool, name: &str, value: Value) -> Attribute<'static> {
    let key = match (is_cost, name) {
        (true, "input") => "llm.cost.prompt".to_owned(),
        (true, "output") => "llm.cost.completion".to_owned(),
        (true, name) => format!("llm.cost.{name}"),
        (false, "input" | "output" | "total") => format!("llm.usage.{name}_tokens"),
        (false, name) => format!("llm.usage.{name}"),
    };
    let value = match value {
        Value::Number(number) => number.as_i64().map(Any::Int).or_else(|| number.as_f64().map(Any::Double)),
        Value::String(text) => Some(Any::Text(Cow::Owned(text))),
        _ => None,
    };
    Attribute { key: Cow::Owned(key), value }
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
            ("gen_ai.usage.details.image_prompt_tokens", None),
            ("gen_ai.usage.", None),
            ("gen_ai.aggregated_usage.input_tokens", None),
            ("input_tokens", None),
        ] {
            assert_eq!(count(key).map(|(field, _)| field), field, "{key}");
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
