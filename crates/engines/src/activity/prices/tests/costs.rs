//! What tokens of each kind cost, to the nano-USD.

use super::super::{BOOK, Call, Tokens, price};

fn cost(model: &str, tokens: Tokens) -> u64 {
    let call = Call { model, ..Call::default() };
    price(&call, tokens).expect("it is in the book").cost_nanousd
}

const PLAIN: Tokens =
    Tokens { input: 10_000, output: 1_000, cache_read: 0, cache_write: 0, cache_write_hour: 0, reasoning: 0 };

#[test]
fn cached_tokens_and_long_calls_are_paid_as_the_provider_says() {
    assert_eq!(cost("gpt-4o-mini", PLAIN), 1_500_000 + 600_000);
    assert_eq!(cost("gpt-4o-mini", Tokens { cache_read: 8_000, ..PLAIN }), 300_000 + 600_000 + 600_000);
    // Reasoning is within the output where it has no price of its own.
    assert_eq!(cost("gpt-4o-mini", Tokens { reasoning: 900, ..PLAIN }), cost("gpt-4o-mini", PLAIN));
    let long = Tokens { input: 200_001, ..Tokens::default() };
    let short = Tokens { input: 200_000, ..Tokens::default() };
    assert_eq!(cost("gemini-2.5-pro", short), 250_000_000);
    assert_eq!(cost("gemini-2.5-pro", long), 500_002_500, "all of a long call costs more");
    let long = Tokens { input: 250_000, output: 1_000, ..Tokens::default() };
    assert_eq!(cost("claude-sonnet-4-5", long), 1_522_500_000);
    let written = Tokens { cache_write: 250_000, cache_write_hour: 50_000, ..long };
    assert_eq!(
        cost("claude-sonnet-4-5", written),
        200_000 * 7_500 + 50_000 * 12_000 + 22_500_000,
        "writes too"
    );
}

#[test]
fn a_write_to_the_cache_costs_more_and_one_for_an_hour_twice_as_much() {
    let call = Tokens { input: 12_307, output: 550, cache_write: 12_304, ..Tokens::default() };
    assert_eq!(cost("claude-sonnet-4-5-20250929", call), 3 * 3_000 + 12_304 * 3_750 + 550 * 15_000);
    let hour = Tokens { cache_write_hour: 304, ..call };
    assert_eq!(
        cost("claude-sonnet-4-5-20250929", hour),
        3 * 3_000 + 12_000 * 3_750 + 304 * 6_000 + 550 * 15_000
    );
    // Bedrock's list has no price for the hour: Anthropic's rule holds there too.
    let on_bedrock = "us.anthropic.claude-sonnet-4-20250514-v1:0";
    assert_eq!(cost(on_bedrock, hour), 3 * 3_000 + 12_000 * 3_750 + 304 * 6_000 + 550 * 15_000);
    // Others ask nothing for it, or as much for each.
    let plain = Tokens { cache_write: 0, ..call };
    assert_eq!(cost("gpt-4o", hour), cost("gpt-4o", plain));
    let dear = Tokens { cache_write_hour: 0, ..hour };
    assert_eq!(cost("gpt-5.6-sol", hour), cost("gpt-5.6-sol", dear));
    assert!(cost("gpt-5.6-sol", hour) > cost("gpt-5.6-sol", plain));
}

#[test]
fn what_is_said_to_be_within_is_never_more_than_what_it_is_within() {
    let told = Tokens { input: 10, output: 10, cache_read: 7, cache_write: 3, ..Tokens::default() };
    let more = Tokens { cache_write: 30, cache_write_hour: 0, ..told };
    assert_eq!(cost("claude-sonnet-4-5", told), cost("claude-sonnet-4-5", more));
    let hours = Tokens { cache_write_hour: 3, ..told };
    assert_eq!(
        cost("claude-sonnet-4-5", Tokens { cache_write_hour: 30, ..told }),
        cost("claude-sonnet-4-5", hours)
    );
    let read = Tokens { cache_read: u64::MAX, cache_write: u64::MAX, reasoning: u64::MAX, ..told };
    assert_eq!(cost("claude-sonnet-4-5", read), 10 * 300 + 10 * 15_000);
}

#[test]
fn a_cost_is_exact_and_rounded_once_to_a_nano_dollar() {
    let few = |input| Tokens { input, ..Tokens::default() };
    assert_eq!(cost("text-embedding-3-small", few(20)), 400);
    assert_eq!(100 * cost("text-embedding-3-small", few(20)), cost("text-embedding-3-small", few(2_000)));
    assert_eq!(cost("gpt-4o-mini", few(3)), 450);
    assert_eq!(cost("gpt-4o-mini", Tokens { cache_read: 1, ..few(1) }), 75);
    // Half goes up, once for the sum.
    let nova =
        |input, cache_read| cost("amazon.nova-micro-v1:0", Tokens { input, cache_read, ..Tokens::default() });
    assert_eq!((nova(1, 1), nova(2, 2), nova(2, 1)), (9, 18, 44), "8.75, 17.5 and 43.75 nano-USD");
    // Tokens without a price are not free, and no number is too large to be told from a small one.
    let call = Call { model: "text-embedding-3-small", ..Call::default() };
    assert_eq!(price(&call, Tokens { output: 1, ..Tokens::default() }), None);
    assert_eq!(price(&Call { model: "gpt-4o", ..call }, few(u64::MAX)), None);
    assert_eq!(cost("gpt-4o", few(1 << 40)), (1 << 40) * 2_500);
}

#[test]
fn the_book_says_what_it_is() {
    let book = BOOK.as_ref().expect("the book reads");
    let name = book.name();
    assert!(name.starts_with("genai-prices ") && name.ends_with(')'), "{name}");
    let call = Call { model: "gpt-4o", ..Call::default() };
    assert_eq!(price(&call, Tokens::default()).expect("known").book, name);
}

#[test]
fn a_call_costs_what_its_seller_asks_at_that_hour() {
    let whenever = Call { provider: Some("deepseek"), model: "deepseek-v4-flash", ..Call::default() };
    let at = |hour: u16, minute: u16| {
        let call = Call { minute: Some(60 * hour + minute), ..whenever };
        price(&call, PLAIN).expect("it is in the book").cost_nanousd
    };
    let (low, high) = (10_000 * 150 + 1_000 * 600, 10_000 * 300 + 1_000 * 1_200);
    for (hour, minute, cost) in [
        (0, 0, low),
        (0, 59, low),
        (1, 0, high),
        (3, 59, high),
        (4, 0, low),
        (5, 59, low),
        (6, 0, high),
        (9, 59, high),
        (10, 0, low),
        (23, 59, low),
    ] {
        assert_eq!(at(hour, minute), cost, "{hour}:{minute}");
    }
    assert_eq!(price(&whenever, PLAIN), None, "the hour is not known");
}

/// V3, R1, V3.2 and V4 were called so, at a price each.
#[test]
fn a_name_that_stood_for_many_models_has_no_price() {
    let cost = |provider, model| {
        let call = Call { provider: Some(provider), model, minute: Some(600), ..Call::default() };
        price(&call, PLAIN).map(|priced| priced.cost_nanousd)
    };
    for name in ["deepseek-chat", "deepseek-reasoner", "deepseek/deepseek-chat"] {
        assert_eq!((cost("deepseek", name), cost("litellm", name)), (None, None), "{name}");
    }
    assert!(cost("deepseek", "deepseek-chat-v3-0324").is_some(), "which says its model");
    assert!(cost("openrouter", "deepseek/deepseek-chat").is_some(), "another seller's own name");
}

#[test]
fn a_long_call_of_claude_costs_more_whoever_sells_it() {
    let long = Tokens { input: 300_000, output: 1_000, ..Tokens::default() };
    let cost = |provider, model| {
        let call = Call { provider: Some(provider), model, ..Call::default() };
        price(&call, long).expect("it is in the book").cost_nanousd
    };
    let (list, regional) = (300_000 * 6_000 + 1_000 * 22_500, 300_000 * 6_600 + 1_000 * 24_750);
    for (provider, model, long) in [
        ("anthropic", "claude-sonnet-4-20250514", list),
        ("anthropic", "claude-sonnet-4-5", list),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", regional),
        ("aws.bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", list),
        ("gcp.vertex_ai", "claude-sonnet-4@20250514", list),
        // No more than any call.
        ("anthropic", "claude-sonnet-4-6", 300_000 * 3_000 + 1_000 * 15_000),
    ] {
        assert_eq!(cost(provider, model), long, "{provider} {model}");
    }
}
