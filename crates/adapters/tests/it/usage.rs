//! What a call used and what it cost, by the names that instrumentations really send.

use orchestrator::{choke::call::LlmReport, ports::SpanAct};
use serde_json::{Value, json};

use crate::spans::step;

/// A model call with these attributes.
fn call(extra: &Value) -> LlmReport {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m" });
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    step(&all).llm.unwrap()
}

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
    assert_eq!(with("TOOL", json!(0), json!(0)), None);
    let embedded = step(&json!({ "openinference.span.kind": "RETRIEVER", "llm.provider": "openai",
        "embedding.model_name": "text-embedding-3-small", "llm.token_count.prompt": 100 }));
    let embedded = embedded.llm.unwrap();
    assert_eq!((embedded.input_tokens, embedded.cost_note), (100, None), "nothing comes back");
    let counting = json!({ "gen_ai.operation.name": "count_tokens", "gen_ai.usage.input_tokens": 1_000 });
    assert_eq!(step(&counting).llm, None);
}

/// What a tool used may be told by the calls below it, or by nobody: no number of it is taken, and it is no known zero.
#[test]
fn tokens_of_a_tool_are_not_taken_and_cost_what_is_not_known() {
    let with = |more: Value| {
        let mut all = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask",
            "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1_000,
            "gen_ai.usage.output_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 800 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step(&all).llm.unwrap()
    };
    let told = with(json!({}));
    let tokens = (told.input_tokens, told.output_tokens, told.cache_read_tokens);
    assert_eq!((tokens, told.cost_nanousd), ((0, 0, 0), None));
    let unread = with(json!({ "gen_ai.usage.cost": "many" }));
    assert_eq!((unread.input_tokens, unread.cost_nanousd), (0, None));
    let priced = with(json!({ "gen_ai.usage.cost": 0.5 }));
    assert_eq!((priced.input_tokens, priced.cost_nanousd), (1_000, Some(500_000_000)));
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
        for kind in ["GUARDRAIL", "RETRIEVER", "PROMPT", "AGENT", "CHAIN", "TOOL"] {
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
