//! What a call cost, as it is told or as the book may say it.

use serde_json::{Value, json};

use super::call;
use crate::spans::step;

#[test]
fn a_cost_is_taken_by_whatever_name_it_is_reported() {
    for name in [
        "gen_ai.usage.cost",
        "gen_ai.usage.cost_usd",
        "gen_ai.usage.total_cost",
        "gen_ai.usage.cost.total",
        "gen_ai.cost.total_cost",
        "litellm.cost.total",
        "operation.cost",
        "llm.cost.total",
        "llm.usage.total_cost",
    ] {
        assert_eq!(call(&json!({ name: 0.5 })).cost_nanousd, Some(500_000_000), "{name}");
    }
    for (input, output) in [
        ("gen_ai.usage.input_cost", "gen_ai.usage.output_cost"),
        ("gen_ai.cost.input_cost", "gen_ai.cost.output_cost"),
        ("litellm.cost.input", "litellm.cost.output"),
        ("llm.cost.prompt", "llm.cost.completion"),
    ] {
        assert_eq!(call(&json!({ input: 0.1, output: 0.2 })).cost_nanousd, Some(300_000_000), "{input}");
        assert_eq!(call(&json!({ input: 0.1 })).cost_nanousd, None, "half of a cost is none: {input}");
    }
    let with = |cost: Value| {
        let told = json!({ "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 9, "gen_ai.usage.cost": cost });
        call(&told)
    };
    for odd in [json!("$0.0012"), json!("NaN"), json!(-0.5), json!("1,2")] {
        let call = with(odd.clone());
        assert_eq!(
            (call.cost_nanousd, call.cost_note.is_some()),
            (None, true),
            "it is not the book's: {odd}"
        );
    }
    assert_eq!(with(json!("None")).cost_note, None, "nothing is told");
}

/// What a reranker or a tool says that it cost is no zero that is known.
#[test]
fn a_cost_is_taken_whatever_reports_it() {
    for kind in ["RERANKER", "RETRIEVER", "TOOL", "GUARDRAIL", "EVALUATOR", "PROMPT", "AGENT", "CHAIN"] {
        let told = step(&json!({ "openinference.span.kind": kind, "llm.cost.total": 0.002,
            "reranker.model_name": "rerank-v3.5" }));
        assert_eq!(told.llm.unwrap().cost_nanousd, Some(2_000_000), "{kind}");
        let free = step(&json!({ "openinference.span.kind": kind, "llm.cost.total": 0 }));
        assert_eq!(free.llm, None, "{kind}");
        for unread in [json!("many"), json!(-1)] {
            let step = step(&json!({ "openinference.span.kind": kind, "llm.cost.total": unread }));
            let told = step.llm.unwrap();
            assert_eq!((told.cost_nanousd, told.cost_note.is_some()), (None, true), "{kind}: {unread}");
        }
    }
}

/// OpenInference's rerankers tell no tokens and no cost: that a model was asked costs what nobody knows.
#[test]
fn a_reranker_that_names_its_model_costs_something() {
    let rerank = |told: Value| {
        let mut all = json!({ "openinference.span.kind": "RERANKER" });
        all.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        step(&all).llm
    };
    let told = rerank(json!({ "reranker.model_name": "rerank-v3.5" })).unwrap();
    assert_eq!((told.model.as_deref(), told.cost_nanousd), (Some("rerank-v3.5"), None));
    assert!(told.cost_note.is_some());
    assert_eq!(rerank(json!({})), None, "it names no model");
    assert_eq!(rerank(json!({ "reranker.model_name": "rerank-v3.5", "llm.cost.total": 0 })), None);
}

/// Sounds, pictures and other tiers have prices that the book does not have.
#[test]
fn a_call_that_is_paid_otherwise_has_no_price() {
    let usage = json!({ "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100 });
    let with = |extra: &Value| {
        let mut all = usage.clone();
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let call = call(&all);
        assert_eq!((call.input_tokens, call.output_tokens), (1_000, 100), "{extra}");
        call.cost_note.is_none()
    };
    for (extra, has_a_price) in [
        (json!({ "llm.token_count.prompt_details.audio": 900 }), false),
        (json!({ "llm.token_count.completion_details.audio": 90 }), false),
        (
            json!({ "llm.token_count.prompt_details.audio": 0, "llm.token_count.completion_details.audio": 90 }),
            false,
        ),
        (
            json!({ "llm.token_count.prompt_details.audio": 0, "llm.token_count.completion_details.audio": 0 }),
            true,
        ),
        (json!({ "gen_ai.usage.completion_tokens_details.audio": 90 }), false),
        (json!({ "gen_ai.usage.details.input_audio_tokens": 900 }), false),
        (json!({ "gen_ai.usage.output_tokens_details.image_tokens": 90 }), false),
        (json!({ "gen_ai.usage.details.image_prompt_tokens": 900 }), true),
        (json!({ "gen_ai.operation.name": "image_generation" }), false),
        (json!({ "gen_ai.request.model": "gemini-2.5-flash-image" }), false),
        (json!({ "gen_ai.request.model": "gpt-4o-audio-preview" }), false),
        (json!({ "gen_ai.request.model": "gpt-4o-search-preview" }), false),
        (json!({ "gen_ai.request.model": "gpt-4o" }), true),
        (json!({ "openai.response.service_tier": "flex" }), false),
        (json!({ "gen_ai.openai.response.service_tier": "priority" }), false),
        (json!({ "gen_ai.openai.request.service_tier": "flex" }), false),
        (
            json!({ "gen_ai.openai.request.service_tier": "auto", "gen_ai.openai.response.service_tier": "default" }),
            true,
        ),
        (json!({ "openai.request.service_tier": "flex", "openai.response.service_tier": "default" }), true),
        (json!({ "gen_ai.usage.service_tier": "batch" }), false),
        (json!({ "anthropic.response.service_tier": "batch" }), false),
        (
            json!({ "anthropic.request.service_tier": "auto", "anthropic.response.service_tier": "priority" }),
            false,
        ),
        (json!({ "gen_ai.usage.service_tier": "standard" }), true),
    ] {
        assert_eq!(with(&extra), has_a_price, "{extra}");
    }
}

/// A provider bills nothing for a request that it refuses; for one that failed otherwise nobody knows.
#[test]
fn a_call_that_was_refused_costs_nothing() {
    let (kind, status) = ("error.type", "http.response.status_code");
    let usage = "gen_ai.usage.input_tokens";
    for (extra, cost) in [
        (json!({ kind: "RateLimitError", status: 429 }), Some(0)),
        (json!({ kind: "litellm.RateLimitError" }), Some(0)),
        (json!({ kind: "429" }), Some(0)),
        (json!({ kind: "rate_limit_error" }), Some(0)),
        (json!({ kind: "insufficient_quota" }), Some(0)),
        (json!({ kind: "RESOURCE_EXHAUSTED" }), Some(0)),
        (json!({ kind: "overloaded_error", status: 529 }), Some(0)),
        (json!({ kind: "overloaded_error" }), None),
        (json!({ kind: "rate_limit_error", usage: 10 }), None),
        (json!({ kind: "AuthenticationError", status: 401 }), Some(0)),
        (json!({ kind: "RateLimitError", status: 200 }), None),
        (json!({ kind: "BadRequestError", status: 400 }), None),
        (json!({ kind: "TimeoutError" }), None),
        (json!({ kind: "InternalServerError", status: 500 }), None),
        (json!({ kind: "RateLimitError", usage: 10 }), None),
        (json!({ kind: "RateLimitError", usage: "many" }), None),
        (json!({ kind: "RateLimitError", "gen_ai.response.id": "a" }), None),
        (json!({ kind: "RateLimitError", "output.value": "It rains." }), None),
        (json!({ kind: "RateLimitError", "output.value": "None" }), Some(0)),
        (json!({ kind: "RateLimitError", "output.value": r#"{"error": "too many"}"# }), Some(0)),
        (json!({ kind: "RateLimitError", "gen_ai.usage.cost": 0.5 }), Some(500_000_000)),
        (json!({ status: 429 }), None),
    ] {
        assert_eq!(call(&extra).cost_nanousd, cost, "{extra}");
    }
}
