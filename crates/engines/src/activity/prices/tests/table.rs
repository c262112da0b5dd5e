//! Some hundred calls as instrumentations, SDKs and gateways name them, at the prices of a second source.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::super::{Call, Tokens, price};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "version")]
    _version: String,
    calls: Vec<Known>,
}

/// USD for a million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    provider: Option<String>,
    address: Option<String>,
    model: String,
    input: f64,
    output: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_hour: Option<f64>,
}

/// Few enough that no call is a long one.
const FEW: u64 = 1_000;

#[test]
fn calls_cost_what_a_second_source_says() {
    let sample: Sample = serde_json::from_str(include_str!("../sample.json")).expect("the sample reads");
    let pairs: BTreeSet<_> =
        sample.calls.iter().map(|call| (call.provider.as_deref(), call.model.as_str())).collect();
    assert!(pairs.len() >= 300, "{} pairs of provider and model", pairs.len());
    let mut differ = BTreeMap::<_, Vec<_>>::new();
    for known in &sample.calls {
        let call = Call {
            provider: known.provider.as_deref(),
            address: known.address.as_deref(),
            model: &known.model,
            minute: None,
        };
        let ours = |tokens| price(&call, tokens).map(|priced| priced.cost_nanousd);
        let input = Tokens { input: FEW, ..Tokens::default() };
        let written = Tokens { cache_write: FEW, ..input };
        for (side, tokens, theirs) in [
            ("input", input, Some(known.input)),
            ("output", Tokens { output: FEW, ..Tokens::default() }, known.output),
            ("cache_read", Tokens { cache_read: FEW, ..input }, known.cache_read),
            ("cache_write", written, known.cache_write),
            ("cache_write_hour", Tokens { cache_write_hour: FEW, ..written }, known.cache_write_hour),
        ] {
            // A thousand tokens at a dollar a million cost a million nano-USD. They round to a tenth of a cent.
            let Some(theirs) = theirs.map(|usd| format!("{:.0}", usd * 1e6)) else { continue };
            let theirs = theirs.parse::<u64>().expect("a price");
            if ours(tokens).is_none_or(|ours| ours.abs_diff(theirs) > FEW) {
                let said = [known.provider.as_deref().unwrap_or("-"), &known.model].join(" ");
                differ.entry(said).or_default().push(side);
            }
        }
    }
    let differ: Vec<_> = differ.iter().map(|(call, sides)| (call.as_str(), sides.join(" "))).collect();
    let listed: Vec<_> = DIFFER.iter().map(|(call, sides, _)| (*call, (*sides).to_owned())).collect();
    assert_eq!(differ, listed, "what differs, and what is listed as differing");
}

/// Where the sources differ in truth: the call, in what, and why the book's price stands.
const DIFFER: [(&str, &str, &str); 26] = [
    ("- anthropic.claude-haiku-4-5@20251001", ALL, IN_REGION),
    ("- azure_ai/gpt-5.4-pro", "cache_read", UNCACHED),
    ("- bedrock/anthropic.claude-opus-4-5-20251101-v1:0", ALL, IN_REGION),
    (
        "- eu.amazon.nova-2-lite-v1:0",
        "input output cache_read",
        "one price for the regions, not one for each",
    ),
    ("- glm-4p7", "cache_read", UNCACHED),
    ("- mistral/magistral-small-latest", "input output cache_read", DOUBT),
    (
        "- projects/acme/locations/us-central1/publishers/google/models/gemini-2.5-pro-preview-tts",
        "cache_read",
        UNCACHED,
    ),
    (
        "- projects/acme/locations/us-east5/publishers/anthropic/models/claude-haiku-5-5@default",
        ALL,
        IN_VERTEX_S_REGION,
    ),
    (
        "- projects/acme/locations/us-east5/publishers/anthropic/models/claude-sonnet-5-5",
        ALL,
        IN_VERTEX_S_REGION,
    ),
    ("- xai/grok-code-fast", "input output cache_read", LATEST),
    (
        "Fireworks accounts/fireworks/models/deepseek-v4-pro",
        "input output cache_read",
        "an older price of theirs",
    ),
    ("Fireworks minimax-m2p1", "cache_read", UNCACHED),
    ("anthropic anthropic.claude-opus-5", ALL, IN_REGION),
    ("anthropic claude-opus-4-7@default", ALL, IN_VERTEX_S_REGION),
    ("aws.bedrock anthropic.claude-sonnet-4-6", ALL, IN_REGION),
    ("aws.bedrock openai.gpt-6-sol", "input output cache_read cache_write", IN_REGION),
    ("azure ada", "input", ZONE),
    ("azure.responses gpt-5.5-pro", "cache_read", UNCACHED),
    ("bedrock_converse bedrock/converse/anthropic.claude-3-opus-20240229-v1:0", "cache_read", UNCACHED),
    ("cloudflare @cf/mistral/mistral-7b-instruct-v0.1", "input output", "an older price of theirs"),
    ("gcp.vertex_ai claude-3-5-haiku", "input output", "an older price of theirs"),
    (
        "google-vertex gemini-2.0-flash",
        "input output",
        "one price for both of Google's ways, not one for each",
    ),
    ("mistral.chat mistral-medium", "input output cache_read", LATEST),
    ("mistral_ai pixtral-large-latest", "cache_read", UNCACHED),
    ("openai gpt-4-turbo-2024-04-09", "input output", ZONE),
    ("xAI grok-code-fast-1", "input output cache_read", LATEST),
];

const ALL: &str = "input output cache_read cache_write cache_write_hour";
const IN_REGION: &str =
    "a call by the bare id stays in its region, for a tenth more; theirs is the price of worldwide calls";
const IN_VERTEX_S_REGION: &str =
    "a region costs a tenth more than worldwide calls, whose price theirs is; the book has none for it";
const LATEST: &str = "the name stands for another model in time, and the sources say it of two";
const DOUBT: &str = "the name stands for another model in time, and the book has no price for it";
const UNCACHED: &str =
    "the book has no price for reads from a cache: they are paid as input, which is no less";
const ZONE: &str = "theirs is the price of one zone of Azure's";
