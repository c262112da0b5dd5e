//! What a provider's answer, kept as it came, tells of a call's use beside the attributes.

use serde_json::{Value, json};

use crate::spans::step;

/// What a call of OpenInference's, of these counts beside 100 tokens out, is read as where Anthropic answered with that
/// use: tokens in, read, written, and of those for an hour; and whether that is known.
fn read(counts: &Value, usage: &Value) -> ([u64; 4], bool) {
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant",
        "content": [{ "type": "text", "text": "It rains." }], "usage": usage });
    let mut all = json!({ "openinference.span.kind": "LLM", "llm.provider": "anthropic", "llm.model_name": "claude-sonnet-4-5",
        "llm.token_count.completion": 100, "output.value": answer.to_string(), "output.mime_type": "application/json" });
    all.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
    let call = step(&all).llm.unwrap();
    let told =
        [call.input_tokens, call.cache_read_tokens, call.cache_write_tokens, call.cache_write_hour_tokens];
    (told, call.cost_note.is_none())
}

/// OpenInference has no name for the hour, for which twice as much is paid as for what goes in.
#[test]
fn what_is_written_for_an_hour_is_told_by_the_answer() {
    let usage = json!({ "input_tokens": 3, "output_tokens": 100, "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 12_304,
        "cache_creation": { "ephemeral_5m_input_tokens": 304, "ephemeral_1h_input_tokens": 12_000 } });
    let counts =
        json!({ "llm.token_count.prompt": 12_307, "llm.token_count.prompt_details.cache_write": 12_304 });
    assert_eq!(read(&counts, &usage), ([12_307, 0, 12_304, 12_000], true));
    let counts = json!({ "llm.token_count.prompt": 12_307, "llm.token_count.total": 12_407 });
    assert_eq!(read(&counts, &usage), ([12_307, 0, 12_304, 12_000], true));
}

#[test]
fn what_lies_beside_the_fresh_tokens_is_told_by_the_answer() {
    let usage = json!({ "input_tokens": 2_000, "output_tokens": 100, "cache_read_input_tokens": 1_500,
        "cache_creation_input_tokens": 0 });
    let cached = "llm.token_count.prompt_details.cache_read";
    for (counts, input, is_known) in [
        (json!({ "llm.token_count.prompt": 2_000, cached: 1_500 }), 3_500, true),
        (json!({ "llm.token_count.prompt": 2_000 }), 3_500, true),
        (json!({ "llm.token_count.prompt": 3_500, cached: 1_500 }), 3_500, true),
        (
            json!({ "llm.token_count.prompt": 3_500, cached: 1_500, "llm.token_count.total": 3_600 }),
            3_500,
            true,
        ),
        (json!({ "llm.token_count.prompt": 9_000, cached: 1_500 }), 9_000, false),
    ] {
        assert_eq!(read(&counts, &usage), ([input, 1_500, 0, 0], is_known), "{counts}");
    }
    // Who tells no more than what was fresh is told by nothing else.
    let fresh = json!({ "input_tokens": 2_000, "output_tokens": 100, "cache_creation_input_tokens": null });
    assert_eq!(read(&json!({ "llm.token_count.prompt": 2_000 }), &fresh), ([2_000, 0, 0, 0], true));
}
