//! Parts of what a call used that lie within it at one provider, and beside it at another.

use serde_json::json;

use super::call;

/// Strands says of Bedrock's counts what lies beside what went in; the total says that it does.
#[test]
fn what_was_written_to_a_cache_lies_beside_where_the_total_says_so() {
    let strands = call(&json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.total_tokens": 12_409, "gen_ai.usage.cache_read_input_tokens": 0,
        "gen_ai.usage.cache_write_input_tokens": 12_304 }));
    assert_eq!((strands.input_tokens, strands.cache_write_tokens, strands.cost_note), (12_309, 12_304, None));
}

/// OpenLLMetry's total of Bedrock's counts is the sum of what it tells: the cached tokens, which lie beside, are not in
/// it.
#[test]
fn a_total_that_is_a_sum_of_bedrocks_fresh_tokens_hides_no_cached_ones() {
    let of = |provider: &str, input: u64, read: u64| {
        let told = call(&json!({ "gen_ai.provider.name": provider, "gen_ai.usage.input_tokens": input,
            "gen_ai.usage.output_tokens": 100, "gen_ai.usage.total_tokens": input + 100,
            "gen_ai.usage.cache_read.input_tokens": read }));
        (told.input_tokens, told.cost_note.is_none())
    };
    for bedrock in ["aws.bedrock", "AWS", "bedrock", "amazon_bedrock", "AWS Bedrock", "bedrock_converse"] {
        assert_eq!(of(bedrock, 5, 100_000), (100_005, true), "{bedrock}");
        assert_eq!(of(bedrock, 2_000, 1_500), (2_000, false), "{bedrock}: they may lie within or beside");
    }
    assert_eq!(of("openai", 2_000, 1_500), (2_000, true));
    // By the model's name, or the host; and by OpenInference, which tells all that went in.
    let model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let told = json!({ "gen_ai.provider.name": "", "gen_ai.request.model": model, "gen_ai.usage.input_tokens": 2_000,
        "gen_ai.usage.output_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 1_500 });
    assert!(call(&told).cost_note.is_some());
    let told = json!({ "gen_ai.provider.name": "aws", "gen_ai.request.model": model, "llm.token_count.prompt": 2_000,
        "llm.token_count.completion": 100, "llm.token_count.prompt_details.cache_read": 1_500 });
    assert_eq!((call(&told).input_tokens, call(&told).cost_note), (2_000, None));
}

/// xAI's reasoning lies beside what came out in Chat, and within it in Responses.
#[test]
fn reasoning_of_xai_that_may_lie_beside_is_not_known() {
    let of = |provider: &str, output: u64, total: Option<u64>| {
        let mut told = json!({ "gen_ai.provider.name": provider, "gen_ai.request.model": "grok-4",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": output, "gen_ai.usage.reasoning.output_tokens": 94 });
        if let Some(total) = total {
            told["gen_ai.usage.total_tokens"] = json!(total);
        }
        let call = call(&told);
        (call.output_tokens, call.cost_note.is_none())
    };
    for xai in ["x_ai", "xai", "xAI", "grok", "litellm"] {
        assert_eq!(of(xai, 200, None), (200, false), "{xai}");
        assert_eq!(of(xai, 200, Some(300)), (200, false), "{xai}: a sum says nothing");
        assert_eq!(of(xai, 200, Some(394)), (294, true), "{xai}");
        assert_eq!(of(xai, 9, None), (103, true), "{xai}");
    }
    assert_eq!(of("azure", 200, None), (200, true));
}

/// What Gemini thought is counted beside its answer, and what it read from a cache within what went in.
#[test]
fn of_gemini_the_thoughts_lie_beside() {
    let told = json!({ "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 40, "gen_ai.usage.reasoning.output_tokens": 40,
        "gen_ai.usage.total_tokens": 190 });
    for (of, sides) in [
        (
            json!({ "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash" }),
            (100, 90),
        ),
        (
            json!({ "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.request.model": "gemini-2.5-flash" }),
            (100, 90),
        ),
        (json!({ "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude" }), (140, 50)),
    ] {
        let mut all = told.clone();
        all.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
        let call = call(&all);
        assert_eq!(((call.input_tokens, call.output_tokens), call.cost_note), (sides, None), "{of}");
    }
}

/// Without a total, the provider's own word for them says that they are not in the answer's tokens; the conventions'
/// word for reasoning says that it is, and so does Pydantic AI, whose details are those of what it tells.
#[test]
fn of_gemini_the_thoughts_are_added_where_no_total_is_told() {
    for (name, output) in [
        ("gen_ai.usage.thoughts_token_count", 90),
        ("gen_ai.usage.experimental.reasoning_tokens", 90),
        ("gen_ai.usage.details.thoughts_tokens", 50),
        ("gen_ai.usage.reasoning.output_tokens", 50),
        ("llm.token_count.completion_details.reasoning", 50),
    ] {
        let of = |provider: &str, model: &str| {
            let told =
                call(&json!({ "gen_ai.provider.name": provider, "gen_ai.request.model": model, name: 40,
                "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50 }));
            (told.input_tokens, told.output_tokens, told.cost_note)
        };
        assert_eq!(of("gcp.gemini", "gemini-2.5-flash"), (100, output, None), "{name}");
        assert_eq!(of("gcp.vertex_ai", "gemini-2.5-pro"), (100, output, None), "{name}");
        assert_eq!(of("openai", "o3"), (100, 50, None), "{name}");
    }
}

/// What Gemini's tools read is billed as input, and is not in the prompt's tokens.
#[test]
fn of_gemini_what_tools_read_went_in() {
    for (name, total, input, is_known) in [
        ("gen_ai.usage.tool_use_prompt_token_count", None, 5_100, true),
        ("gen_ai.usage.tool_use_prompt_token_count", Some(5_150), 5_100, true),
        ("gen_ai.usage.tool_use_prompt_tokens", Some(150), 100, true),
        ("gen_ai.usage.details.tool_use_prompt_tokens", None, 100, false),
    ] {
        let mut told = json!({ "gen_ai.provider.name": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, name: 5_000 });
        if let Some(total) = total {
            told["gen_ai.usage.total_tokens"] = json!(total);
        }
        let call = call(&told);
        assert_eq!(
            (call.input_tokens, call.output_tokens, call.cost_note.is_none()),
            (input, 50, is_known),
            "{name}"
        );
    }
}

/// As Pydantic AI tells it: 13 tokens of an answer and 369 of thoughts.
#[test]
fn thoughts_that_are_a_detail_of_what_came_out_are_not_billed_twice() {
    let of = |output: u64, thoughts: u64| {
        let told = call(&json!({ "gen_ai.system": "google-gla", "gen_ai.provider.name": "google-gla",
            "gen_ai.request.model": "gemini-2.5-flash", "gen_ai.usage.input_tokens": 48,
            "gen_ai.usage.output_tokens": output, "gen_ai.usage.details.thoughts_tokens": thoughts }));
        (told.input_tokens, told.output_tokens, told.reasoning_tokens, told.cost_note)
    };
    assert_eq!(of(382, 369), (48, 382, 369, None));
    assert_eq!(of(13, 369), (48, 382, 369, None), "of more than came out it was the answer alone");
}
