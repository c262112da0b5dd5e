//! The book against a second source, and the arithmetic.

use serde::Deserialize;

use super::{BOOK, Tokens, price};

#[derive(Deserialize)]
struct Sample {
    models: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    provider: String,
    model: String,
    input: u64,
    output: u64,
    cache_read: Option<u64>,
}

/// A million tokens that went in, so many of them cached; few enough a call that no tier is met.
fn per_million(provider: Option<&str>, model: &str, of: Tokens) -> Option<u64> {
    let scale = 1_000;
    let few = Tokens {
        input: of.input / scale,
        output: of.output / scale,
        cache_read: of.cache_read / scale,
        reasoning: of.reasoning / scale,
        ..Tokens::default()
    };
    price(provider, model, few).map(|priced| priced.cost_nanousd / 1_000 * scale)
}

const MILLION: u64 = 1_000_000;

#[test]
fn fifty_models_cost_what_a_second_source_says() {
    let sample: Sample = serde_json::from_str(include_str!("sample.json")).expect("the sample reads");
    assert_eq!(sample.models.len(), 50);
    let close = |ours: Option<u64>, theirs: u64| ours.is_some_and(|ours| ours.abs_diff(theirs) <= 1_000);
    let mut differ = Vec::new();
    for Known { provider, model, input, output, cache_read } in sample.models {
        let ours = |tokens| per_million(Some(&provider), &model, tokens);
        let sides = [
            ("input", ours(Tokens { input: MILLION, ..Tokens::default() }), Some(input)),
            ("output", ours(Tokens { output: MILLION, ..Tokens::default() }), Some(output)),
            ("cached", ours(Tokens { input: MILLION, cache_read: MILLION, ..Tokens::default() }), cache_read),
        ];
        for (side, ours, theirs) in sides {
            if theirs.is_some_and(|theirs| !close(ours, theirs)) {
                differ.push(format!("{provider} {model} {side}: {ours:?}, not {theirs:?}"));
            }
        }
    }
    assert_eq!(differ, [""; 0], "micro-USD for a million tokens");
}

#[test]
fn names_are_told_as_the_data_set_tells_them() {
    let cost = |provider: Option<&str>, model: &str| {
        let tokens = Tokens { input: 10_000, output: 2_000, ..Tokens::default() };
        price(provider, model, tokens).map(|priced| priced.cost_nanousd / 1_000)
    };
    let mini = Some(1_500 + 1_200);
    for (provider, model) in [
        (Some("openai"), "gpt-4o-mini"),
        (Some("openai"), "gpt-4o-mini-2024-07-18"),
        (Some("openai"), "gpt-4o-mini-20240718"),
        (Some("OpenAI"), "GPT-4o-mini"),
        (Some("openai"), "openai/gpt-4o-mini"),
        (None, "openai/gpt-4o-mini"),
        (None, "gpt-4o-mini"),
        (Some(""), "gpt-4o-mini"),
        (Some("azure.ai.openai"), "gpt-4o-mini"),
    ] {
        assert_eq!(cost(provider, model), mini, "{provider:?} {model}");
    }
    for (provider, model) in [
        (Some("openai"), "no-such-model"),
        (Some("my-gateway"), "gpt-4o-mini"),
        (None, "no-such-model"),
        (None, ""),
    ] {
        assert_eq!(cost(provider, model), None, "{provider:?} {model}");
    }
    assert!(cost(Some("aws.bedrock"), "us.anthropic.claude-opus-4-7").is_some());
    assert!(cost(Some("gcp.vertex_ai"), "gemini-2.5-pro").is_some());
}

#[test]
fn cached_tokens_and_long_calls_are_paid_as_the_provider_says() {
    let cost =
        |model: &str, tokens| price(None, model, tokens).expect("it is in the book").cost_nanousd / 1_000;
    let plain = Tokens { input: 10_000, output: 1_000, ..Tokens::default() };
    assert_eq!(cost("gpt-4o-mini", plain), 1_500 + 600);
    assert_eq!(cost("gpt-4o-mini", Tokens { cache_read: 8_000, ..plain }), 300 + 600 + 600);
    // Reasoning is within the output where it has no price of its own.
    assert_eq!(cost("gpt-4o-mini", Tokens { reasoning: 900, ..plain }), cost("gpt-4o-mini", plain));
    let long = Tokens { input: 200_001, ..Tokens::default() };
    let short = Tokens { input: 200_000, ..Tokens::default() };
    assert_eq!(cost("gemini-2.5-pro", short), 250_000);
    assert_eq!(cost("gemini-2.5-pro", long), 500_002, "all of a long call costs more");
    assert_eq!(cost("gpt-4o-mini", Tokens { input: 3, ..Tokens::default() }), 0, "0.45 micro-USD");
    assert_eq!(cost("gpt-4o-mini", Tokens { input: 4, ..Tokens::default() }), 0, "0.6 micro-USD");
}

#[test]
fn the_book_says_what_it_is() {
    let book = BOOK.as_ref().expect("the book reads");
    let name = book.name();
    assert!(name.starts_with("genai-prices ") && name.ends_with(')'), "{name}");
    assert_eq!(price(None, "gpt-4o", Tokens::default()).expect("known").book, name);
}
