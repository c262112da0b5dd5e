//! What nobody tells of a use is not known, and no zero.

use serde_json::{Value, json};

use super::call;
use crate::spans::step;

/// Zero is what was told to be zero, and nothing else.
#[test]
fn a_side_that_nobody_tells_is_not_known() {
    let (input, output) = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens");
    let total = "gen_ai.usage.total_tokens";
    for (told, sides, known) in [
        (json!({ input: 100, output: 20 }), (100, 20), true),
        (json!({ input: 100, output: 0 }), (100, 0), true),
        (json!({ input: 100, total: 120 }), (100, 20), true),
        (json!({ output: 20, total: 120 }), (100, 20), true),
        (json!({ input: 100 }), (100, 0), false),
        (json!({ output: 50 }), (0, 50), false),
        (json!({ input: "NaN", output: 50 }), (0, 50), false),
        (json!({ input: 100, total: 50 }), (100, 0), false),
        (json!({ output: 100, total: 50 }), (0, 100), false),
        (json!({ total: 120 }), (120, 0), false),
    ] {
        let call = call(&told);
        assert_eq!(
            ((call.input_tokens, call.output_tokens), call.cost_note.is_none()),
            (sides, known),
            "{told}"
        );
    }
}

#[test]
fn an_embedding_gives_nothing_back() {
    for told in [
        json!({ "gen_ai.usage.input_tokens": 100 }),
        json!({ "gen_ai.usage.total_tokens": 100 }),
        json!({ "gen_ai.usage.input_tokens": 100, "gen_ai.usage.total_tokens": 100 }),
    ] {
        let mut all = json!({ "gen_ai.operation.name": "embeddings" });
        all.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let call = call(&all);
        assert_eq!((call.input_tokens, call.output_tokens, call.cost_note), (100, 0, None), "{told}");
    }
    // Some instrumentations call every call of a model the same.
    for model in ["text-embedding-3-small", "voyage-3.5", "rerank-v3.5"] {
        let told = call(&json!({ "gen_ai.request.model": model, "gen_ai.usage.input_tokens": 100 }));
        assert_eq!((told.input_tokens, told.output_tokens, told.cost_note), (100, 0, None), "{model}");
    }
}

/// A guardrail, a retriever or an agent that alone tells tokens stands for the call that used them.
#[test]
fn tokens_are_taken_from_what_stands_for_a_call() {
    let with = |kind: &str, input: Value, output: Value| {
        step(&json!({ "openinference.span.kind": kind, "llm.model_name": "gpt-4o", "llm.provider": "openai",
            "llm.token_count.prompt": input, "llm.token_count.completion": output }))
        .llm
    };
    for kind in ["GUARDRAIL", "EVALUATOR", "RETRIEVER", "RERANKER", "PROMPT", "AGENT", "CHAIN"] {
        let told = with(kind, json!(100), json!(10)).unwrap();
        assert_eq!((told.input_tokens, told.output_tokens, told.cost_note), (100, 10, None), "{kind}");
        let unread = with(kind, json!("12,345"), json!("1,1")).unwrap();
        assert_eq!((unread.input_tokens, unread.cost_note.is_some()), (0, true), "{kind}");
        assert_eq!(with(kind, json!(0), json!(0)), None, "{kind}");
    }
    assert_eq!(with("TOOL", json!(100), json!(10)), None, "they may be those of calls below it");
    let embedded = step(&json!({ "openinference.span.kind": "RETRIEVER", "llm.provider": "openai",
        "embedding.model_name": "text-embedding-3-small", "llm.token_count.prompt": 100 }));
    let embedded = embedded.llm.unwrap();
    assert_eq!((embedded.input_tokens, embedded.cost_note), (100, None), "nothing comes back");
    let counting = json!({ "gen_ai.operation.name": "count_tokens", "gen_ai.usage.input_tokens": 1_000 });
    assert_eq!(step(&counting).llm, None);
}

/// An agent that alone tells of a cache, or in a way that nobody can read, used what nobody knows, and not nothing.
#[test]
fn a_part_of_a_use_is_no_zero_that_is_known() {
    for name in [
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
        "llm.token_count.completion_details.reasoning",
    ] {
        let with = |kind: &str, count: &Value| {
            step(&json!({ "openinference.span.kind": kind, "gen_ai.request.model": "gpt-4o", name: count }))
                .llm
        };
        for kind in ["GUARDRAIL", "RETRIEVER", "PROMPT", "AGENT", "CHAIN"] {
            for count in [json!(50), json!("1,2")] {
                let told = with(kind, &count).unwrap();
                assert_eq!((told.input_tokens, told.output_tokens), (0, 0), "{kind} {name}: {count}");
                assert_eq!(
                    (told.cost_nanousd, told.cost_note.is_some()),
                    (None, true),
                    "{kind} {name}: {count}"
                );
            }
            assert_eq!(with(kind, &json!(0)), None, "{kind} {name}");
        }
    }
    let sounds = json!({ "openinference.span.kind": "AGENT", "gen_ai.usage.details.input_audio_tokens": 50 });
    assert!(step(&sounds).llm.unwrap().cost_note.is_some());
}

/// A stream of which nobody saw the end tells that nothing came out of it.
#[test]
fn nothing_that_came_out_beside_an_answer_is_not_known() {
    let message = |parts: Value| json!([{ "role": "assistant", "parts": parts }]).to_string();
    let text = message(json!([{ "type": "text", "content": "It rains." }]));
    let tool = message(json!([{ "type": "tool_call", "id": "a", "name": "search", "arguments": {} }]));
    let told = "gen_ai.usage.output_tokens";
    for (extra, known) in [
        (json!({ told: 0 }), true),
        (json!({ told: 0, "gen_ai.output.messages": text }), false),
        (json!({ told: 0, "gen_ai.output.messages": tool }), false),
        (json!({ told: 0, "gen_ai.output.messages": "[]" }), true),
        (json!({ told: 0, "llm.output_messages.0.message.content": "It rains." }), false),
        (json!({ told: 0, "output.value": "It rains." }), false),
        (json!({ told: 0, "output.value": "{}" }), true),
        (json!({ told: 0, "gen_ai.operation.name": "embeddings", "output.value": "It rains." }), true),
        (
            json!({ told: 0, "gen_ai.request.model": "text-embedding-3-small", "output.value": "It rains." }),
            true,
        ),
        (json!({ told: 1, "gen_ai.output.messages": text }), true),
    ] {
        let mut all = extra.clone();
        all["gen_ai.usage.input_tokens"] = json!(100);
        let call = call(&all);
        assert_eq!((call.input_tokens, call.cost_note.is_none()), (100, known), "{extra}");
    }
}
