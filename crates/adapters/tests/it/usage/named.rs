//! What a call used, by whatever name it is told.

use orchestrator::{choke::call::LlmReport, ports::SpanAct};
use serde_json::json;

use super::call;
use crate::spans::step;

/// A call of 1,000 tokens in and 100 out, with one count beside.
fn with_part(name: &str, count: u64) -> LlmReport {
    call(&json!({ "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100, name: count }))
}

#[test]
fn cached_tokens_and_reasoning_are_known_by_everybodys_names() {
    for name in [
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_read_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.prompt_tokens_details.cache_read",
        "gen_ai.usage.prompt_tokens_details.cached_tokens",
        "gen_ai.usage.input_tokens_details.cached_tokens",
        "gen_ai.usage.details.cached_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cached_content_tokens",
        "gen_ai.usage.cached_content_token_count",
        "llm.token_count.prompt_details.cache_read",
        "llm.usage.cache_read_input_tokens",
    ] {
        let call = with_part(name, 800);
        assert_eq!((call.input_tokens, call.cache_read_tokens, call.cost_note), (1_000, 800, None), "{name}");
    }
    for name in [
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_creation_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.cache_write_tokens",
        "gen_ai.usage.input_tokens.cache_write",
        "gen_ai.usage.prompt_tokens_details.cache_write",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
        "llm.usage.cache_creation_input_tokens",
    ] {
        let call = with_part(name, 800);
        assert_eq!(
            (call.input_tokens, call.cache_write_tokens, call.cost_note),
            (1_000, 800, None),
            "{name}"
        );
    }
    for name in [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.output_tokens.reasoning",
        "gen_ai.usage.completion_tokens_details.reasoning",
        "gen_ai.usage.completion_tokens_details.reasoning_tokens",
        "gen_ai.usage.output_tokens_details.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "gen_ai.usage.details.thoughts_tokens",
        "gen_ai.usage.thoughts_token_count",
        "llm.token_count.completion_details.reasoning",
        "llm.usage.reasoning_tokens",
    ] {
        let call = with_part(name, 80);
        assert_eq!((call.output_tokens, call.reasoning_tokens, call.cost_note), (100, 80, None), "{name}");
    }
}

#[test]
fn what_is_kept_for_minutes_and_what_for_an_hour_is_one_sum() {
    let (minutes, hour) = (
        "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
    );
    let sum = "gen_ai.usage.cache_creation.input_tokens";
    for (told, written, for_an_hour) in [
        (json!({ minutes: 1_000, hour: 500 }), 1_500, 500),
        (json!({ minutes: 1_000 }), 1_000, 0),
        (json!({ hour: 500 }), 500, 500),
        (json!({ minutes: 1_000, hour: 500, sum: 1_500 }), 1_500, 500),
        (json!({ hour: 500, sum: 1_500 }), 1_500, 500),
    ] {
        let mut all = json!({ "gen_ai.usage.input_tokens": 3_000, "gen_ai.usage.output_tokens": 100 });
        all.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let call = call(&all);
        let counts = (call.input_tokens, call.cache_write_tokens, call.cache_write_hour_tokens);
        assert_eq!((counts, call.cost_note), ((3_000, written, for_an_hour), None), "{told}");
    }
    let odd = call(
        &json!({ "gen_ai.usage.input_tokens": 3_000, "gen_ai.usage.output_tokens": 100, sum: 500, hour: 900 }),
    );
    assert!(odd.cost_note.is_some(), "more for an hour than was written");
}

/// Anthropic's SDK traces by itself, and tells some counts by names of its own.
#[test]
fn what_is_written_for_an_hour_is_told_by_the_providers_own_name_too() {
    let anthropic = call(&json!({ "gen_ai.usage.input_tokens": 3_500, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 1_000, "gen_ai.usage.cache_write.input_tokens": 500,
        "anthropic.usage.input_tokens": 2_000,
        "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 200,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 300,
        "anthropic.response.service_tier": "standard" }));
    let counts = (anthropic.input_tokens, anthropic.cache_write_tokens, anthropic.cache_write_hour_tokens);
    assert_eq!((counts, anthropic.cache_read_tokens, anthropic.cost_note), ((3_500, 500, 300), 1_000, None));
}

/// Many write a word where they find no name. Another name of the same may say it.
#[test]
fn a_word_for_nothing_is_no_name() {
    for nothing in ["unknown", "None", "null", "undefined", "N/A", "<unknown>", "_OTHER", " Unknown "] {
        let told = call(&json!({ "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": nothing,
            "gen_ai.provider.name": nothing, "gen_ai.system": "openai", "gen_ai.response.id": nothing }));
        assert_eq!(
            (told.model.as_deref(), told.provider.as_deref(), told.request_id),
            (Some("gpt-4o"), Some("openai"), None),
            "{nothing}"
        );
        let tool = step(&json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": nothing,
            "tool.name": "run_shell", "session.id": nothing, "user.id": nothing, "enduser.pseudo.id": "u-1" }));
        let part_of = (tool.part_of.session_id.as_deref(), tool.part_of.user_id.as_deref());
        assert_eq!((tool.skill_name.as_str(), part_of), ("run_shell", (None, Some("u-1"))), "{nothing}");
        let agent = step(&json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": nothing,
            "agent.name": "planner" }));
        assert_eq!(agent.skill_name, "planner", "{nothing}");
    }
    let failed = step(&json!({ "gen_ai.operation.name": "chat", "error.type": "unknown" }));
    assert_eq!(failed.failure.as_deref(), Some("unknown"), "that it failed is something");
}

/// Dialects fill the names that they have no value for with zeros.
#[test]
fn a_zero_is_believed_where_no_other_name_says_more() {
    let told = call(
        &json!({ "gen_ai.usage.input_tokens": 0, "gen_ai.usage.prompt_tokens": 100, "llm.token_count.completion": 10,
        "gen_ai.usage.output_tokens": "0", "gen_ai.usage.cached_tokens": 0, "llm.usage.cache_read_input_tokens": 80,
        "gen_ai.usage.cost": 0.0, "llm.cost.total": 0.5 }),
    );
    let counts = (told.input_tokens, told.output_tokens, told.cache_read_tokens, told.cost_nanousd);
    assert_eq!(counts, (100, 10, 80, Some(500_000_000)));
    let parts =
        call(&json!({ "llm.cost.total": 0.0, "llm.cost.prompt": 0.001, "llm.cost.completion": 0.002 }));
    assert_eq!(parts.cost_nanousd, Some(3_000_000));
    let none = call(&json!({ "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 10 }));
    assert!(none.cost_note.is_some(), "no model is asked with nothing");
    let free = call(&json!({ "llm.cost.total": 0.0, "llm.cost.prompt": 0.0, "llm.cost.completion": 0.0 }));
    assert_eq!(free.cost_nanousd, Some(0));
}

/// LiteLLM calls what is waited for by the same word with an `a` before it.
#[test]
fn a_call_of_litellms_is_what_its_word_says() {
    let call = |word: &str, model: &str| {
        step(&json!({ "llm.request.type": word, "gen_ai.system": "openai", "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10 }))
    };
    for (word, name, has_a_price) in [
        ("acompletion", "openai.text_completion", true),
        ("aresponses", "openai.chat", true),
        ("aembedding", "openai.embeddings", true),
        ("aimage_generation", "openai.image_generation", false),
        ("atranscription", "openai.transcription", false),
        ("their_image_call", "openai.image_generation", false),
        ("their_embedder", "openai.embeddings", true),
    ] {
        let step = call(word, "gpt-4o");
        assert_eq!(step.skill_name, name);
        assert_eq!(step.llm.unwrap().cost_note.is_none(), has_a_price, "{word}");
    }
    assert_eq!(call("arerank", "rerank-v3.5").act, SpanAct::Retrieval);
    let stream = step(
        &json!({ "llm.request.type": "acompletion", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o" }),
    );
    assert!(stream.llm.unwrap().cost_note.is_some(), "what it used is not known");
}

/// Langfuse's SDK has names of its own, and all counts in one of them.
#[test]
fn a_generation_of_langfuse_is_a_model_call() {
    let span = |details: &str, cost: &str| {
        step(&json!({ "langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.usage_details": details, "langfuse.observation.cost_details": cost,
            "langfuse.observation.input": "Hi", "langfuse.observation.output": "Hello" }))
    };
    for (details, counts) in [
        (r#"{"input": 200, "output": 100, "total": 1100, "input_cache_read": 800}"#, (1_000, 100, 800)),
        (r#"{"input": 1000, "output": 100, "total": 1100, "input_cached_tokens": 800}"#, (1_000, 100, 800)),
        (
            r#"{"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 800}}"#,
            (1_000, 100, 800),
        ),
        (r#"{"input": "1000", "output": 100.0}"#, (1_000, 100, 0)),
        // Without a total, all of them are parts of it.
        (r#"{"input": 200, "output": 100, "cache_read_input_tokens": 800}"#, (1_000, 100, 800)),
        (
            r#"{"input": 990, "output": 98, "input_cached_tokens": 10, "output_reasoning_tokens": 2}"#,
            (1_000, 100, 10),
        ),
        (r#"{"input": 1000, "output": 100, "input_cached_tokens": 800}"#, (1_800, 100, 800)),
    ] {
        let call = span(details, r#"{"total": 0.5}"#).llm.unwrap();
        assert_eq!((call.input_tokens, call.output_tokens, call.cache_read_tokens), counts, "{details}");
        assert_eq!((call.cost_nanousd, call.cost_note), (Some(500_000_000), None), "{details}");
        assert_eq!((call.model.as_deref(), call.prompt.as_deref()), (Some("gpt-4o"), Some("Hi")));
    }
    let parts = span("{}", r#"{"input": 0.1, "output": 0.2}"#).llm.unwrap();
    assert_eq!(parts.cost_nanousd, Some(300_000_000));
    let parts = span("{}", r#"{"input": 1, "cache_read_input_tokens": 0.5, "output": 1}"#).llm.unwrap();
    assert_eq!(parts.cost_nanousd, Some(2_500_000_000));
    let all = span("{}", r#"{"input": 0.5}"#).llm.unwrap();
    assert_eq!(all.cost_nanousd, Some(500_000_000), "it holds all costs");
    for odd in ["", "many", "[1]", "null"] {
        let call = span(odd, odd).llm.unwrap();
        assert_eq!(
            (call.input_tokens, call.cost_nanousd, call.cost_note.is_some()),
            (0, None, true),
            "{odd}"
        );
    }
    // What was made of an attribute is not told as one that came.
    let other = step(
        &json!({ "langfuse.observation.type": "event", "langfuse.observation.usage_details": "{\"input\": 1}" }),
    );
    assert_eq!(
        other.params.as_deref(),
        Some(
            r#"{"langfuse.observation.type":"event","langfuse.observation.usage_details":"{\"input\": 1}"}"#
        )
    );
}
