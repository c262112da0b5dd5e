//! What a provider answered of a use, where it is kept as it came: objects of counts, and the tier that answered.

use orchestrator::choke::call::LlmReport;
use serde_json::{Value, json};

use crate::spans::step;

/// A model call of OpenAI's with these attributes.
fn call(extra: &Value) -> LlmReport {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o" });
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    step(&all).llm.unwrap()
}

/// The same of 1,000 tokens in and 100 out.
fn with(name: &str, value: &Value) -> LlmReport {
    call(&json!({ "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100, name: value }))
}

/// As an attribute with members, and as JSON.
fn both(object: &Value) -> [Value; 2] {
    [object.clone(), object.to_string().into()]
}

#[test]
fn details_that_are_an_object_are_read() {
    for place in ["gen_ai.usage", "llm.usage"] {
        for details in ["prompt_tokens_details", "input_tokens_details", "details"] {
            for told in both(&json!({ "cached_tokens": 800, "audio_tokens": 0, "text_tokens": null })) {
                let call = with(&format!("{place}.{details}"), &told);
                let counts = (call.input_tokens, call.cache_read_tokens, call.cost_note);
                assert_eq!(counts, (1_000, 800, None), "{place}.{details}: {told}");
            }
        }
        for details in ["completion_tokens_details", "output_tokens_details"] {
            for told in both(&json!({ "reasoning_tokens": 80, "accepted_prediction_tokens": 3 })) {
                let call = with(&format!("{place}.{details}"), &told);
                let counts = (call.output_tokens, call.reasoning_tokens, call.cost_note);
                assert_eq!(counts, (100, 80, None), "{place}.{details}: {told}");
            }
            for told in both(&json!({ "audio_tokens": 80 })) {
                let call = with(&format!("{place}.{details}"), &told);
                assert!(call.cost_note.is_some(), "{place}.{details}: {told}");
            }
        }
    }
    for told in both(&json!({ "cache_read": 700, "cache_write": 200 })) {
        let call = with("llm.token_count.prompt_details", &told);
        assert_eq!((call.cache_read_tokens, call.cache_write_tokens), (700, 200), "{told}");
    }
    for told in both(&json!({ "ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300 })) {
        let call = with("gen_ai.usage.cache_creation", &told);
        let counts = (call.cache_write_tokens, call.cache_write_hour_tokens, call.cost_note);
        assert_eq!(counts, (400, 300, None), "{told}");
    }
}

#[test]
fn a_whole_use_that_is_an_object_is_read() {
    let openai = json!({ "prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100,
        "prompt_tokens_details": { "cached_tokens": 800 }, "completion_tokens_details": { "reasoning_tokens": 80 } });
    let responses = json!({ "input_tokens": 1_000, "output_tokens": 100, "input_tokens_details": { "cached_tokens": 800 },
        "output_tokens_details": { "reasoning_tokens": 80 } });
    for place in ["gen_ai.usage", "llm.usage"] {
        for told in [&openai, &responses].into_iter().flat_map(both) {
            let call = call(&json!({ place: told }));
            let counts =
                [call.input_tokens, call.output_tokens, call.cache_read_tokens, call.reasoning_tokens];
            assert_eq!((counts, call.cost_note), ([1_000, 100, 800, 80], None), "{place}: {told}");
        }
    }
    let anthropic = json!({ "input_tokens": 1_000, "output_tokens": 100, "cache_read_input_tokens": 800,
        "server_tool_use": { "web_search_requests": 2 } });
    assert!(
        call(&json!({ "gen_ai.usage": anthropic })).cost_note.is_some(),
        "a search has a price of its own"
    );
    let routed = json!({ "prompt_tokens": 10, "completion_tokens": 5, "cost": 0.25 });
    assert_eq!(call(&json!({ "llm.usage": routed })).cost_nanousd, Some(250_000_000));
}

/// However many were fresh, and whoever tells of the call: the form says whose counts they are.
#[test]
fn of_anthropics_own_counts_the_cached_lie_beside() {
    let own = json!({ "input_tokens": 6_000, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5_000,
        "output_tokens": 50, "service_tier": "standard" });
    let each: serde_json::Map<String, Value> = own
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, count)| (format!("anthropic.usage.{name}"), count.clone()))
        .collect();
    let objects = ["gen_ai.usage", "llm.usage", "anthropic.usage"]
        .map(|place| both(&own).map(|told| json!({ place: told })));
    for told in objects.into_iter().flatten().chain([Value::Object(each)]) {
        for provider in ["anthropic", "aws.bedrock", "openai"] {
            let mut told = told.clone();
            told["gen_ai.provider.name"] = json!(provider);
            let call = call(&told);
            let counts = (call.input_tokens, call.output_tokens, call.cache_read_tokens);
            assert_eq!((counts, call.cost_note), ((11_000, 50, 5_000), None), "{provider}: {told}");
        }
    }
    // Told beside by the conventions, that is believed; and so is a total.
    let conventions = json!({ "gen_ai.usage.input_tokens": 11_000, "gen_ai.usage.output_tokens": 50, "anthropic.usage": own });
    assert_eq!(call(&conventions).input_tokens, 11_000);
    let mut with_total = own.clone();
    with_total["total_tokens"] = json!(6_050);
    assert_eq!(call(&json!({ "gen_ai.usage": with_total })).input_tokens, 6_000);
}

/// As LangSmith's exporter writes them, by Python's `str`.
#[test]
fn details_in_pythons_quotes_are_read() {
    let call = call(&json!({ "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.input_token_details": "{'audio': 0, 'cache_read': 800, 'cache_creation': None}",
        "gen_ai.usage.output_token_details": "{'audio': 0, 'reasoning': 40}" }));
    assert_eq!((call.cache_read_tokens, call.reasoning_tokens, call.cost_note), (800, 40, None));
    let heard = with("gen_ai.usage.input_token_details", &json!("{'audio': 7}"));
    assert!(heard.cost_note.is_some(), "sounds have another price");
}

/// Gemini tells by a list how much of a side was text, and how much sounds or pictures.
#[test]
fn details_by_modality_are_read() {
    let of = |modality: &str| json!([{ "modality": "TEXT", "token_count": 900 }, { "modality": modality, "tokenCount": 100 }]);
    for (name, modality, has_a_price) in [
        ("gen_ai.usage.prompt_tokens_details", "TEXT", true),
        ("gen_ai.usage.prompt_tokens_details", "IMAGE", true),
        ("gen_ai.usage.prompt_tokens_details", "AUDIO", false),
        ("gen_ai.usage.candidates_tokens_details", "IMAGE", false),
        ("gen_ai.usage.completion_tokens_details", "AUDIO", false),
    ] {
        for told in both(&of(modality)) {
            assert_eq!(with(name, &told).cost_note.is_none(), has_a_price, "{name}: {told}");
        }
    }
}

/// What is told of a part and cannot be read is no zero; what says nothing says nothing.
#[test]
fn details_that_cannot_be_read_are_not_known() {
    for name in ["gen_ai.usage.prompt_tokens_details", "llm.usage.completion_tokens_details"] {
        for odd in ["PromptTokensDetails(cached_tokens=800)", "{'cached_tokens': 8", "{\"cached_tokens\": 8"]
        {
            assert!(with(name, &json!(odd)).cost_note.is_some(), "{name}: {odd}");
        }
        for nothing in ["", "null", "None", "{}", "[]"] {
            assert_eq!(with(name, &json!(nothing)).cost_note, None, "{name}: {nothing}");
        }
    }
    let told_again = call(&json!({ "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.prompt_tokens_details": "odd", "gen_ai.usage.cached_tokens": 800 }));
    assert_eq!((told_again.cache_read_tokens, told_again.cost_note), (800, None), "another name tells it");
}

/// A word for nothing is no count that cannot be read; what is told of sounds and cannot be read is not text.
#[test]
fn a_part_that_says_nothing_is_none() {
    for name in [
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.completion_details.reasoning",
        "llm.token_count.prompt_details.audio",
        "gen_ai.usage.cost",
    ] {
        for nothing in [json!("None"), json!("null"), json!(" "), json!([])] {
            let call = with(name, &nothing);
            assert_eq!((call.cost_note, call.cost_nanousd), (None, None), "{name}: {nothing}");
        }
    }
    for odd in [json!("some"), json!(-1), json!("1,2")] {
        assert!(with("llm.token_count.prompt_details.audio", &odd).cost_note.is_some(), "{odd}");
        assert!(with("gen_ai.usage.cached_tokens", &odd).cost_note.is_some(), "{odd}");
    }
    assert_eq!(with("llm.token_count.prompt_details.audio", &json!("0")).cost_note, None);
}

/// Anthropic's calls cost more where they are fast, or where they are answered at a place that was asked for.
#[test]
fn a_fast_call_and_one_of_a_place_have_no_price() {
    let usage = |name: &str, word: &str| {
        let mut usage = json!({ "input_tokens": 1_000, "output_tokens": 100, "service_tier": "standard" });
        usage[name] = json!(word);
        usage
    };
    for (name, word, has_a_price) in [
        ("speed", "fast", false),
        ("speed", "standard", true),
        ("inference_geo", "us", false),
        ("inference_geo", "Global", true),
        ("inference_geo", "not_available", true),
    ] {
        let answer = json!({ "id": "msg_1", "type": "message", "usage": usage(name, word) }).to_string();
        for (key, value) in [
            (format!("gen_ai.usage.{name}"), json!(word)),
            (format!("anthropic.response.{name}"), json!(word)),
            (format!("gen_ai.request.{name}"), json!(word)),
            ("gen_ai.usage".to_owned(), usage(name, word)),
            ("output.value".to_owned(), json!(answer)),
            ("llm.invocation_parameters".to_owned(), json!(json!({ name: word }).to_string())),
        ] {
            assert_eq!(with(&key, &value).cost_note.is_none(), has_a_price, "{key}: {value}");
        }
    }
    let answered = json!({ "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 9,
        "gen_ai.request.speed": "fast", "gen_ai.usage.speed": "standard" });
    assert_eq!(call(&answered).cost_note, None, "the one that answered is believed");
    let sound = json!({ "speed": 1.5 }).to_string();
    assert_eq!(with("llm.invocation_parameters", &json!(sound)).cost_note, None, "how fast is spoken");
}

/// Whoever tells the tier, and wherever.
#[test]
fn another_tier_than_the_usual_one_has_no_price() {
    for tier in ["flex", "priority", "batch", "scale", "Flex", "something-later"] {
        let parameters = json!({ "temperature": 0.1, "service_tier": tier }).to_string();
        let answer = json!({ "id": "r1", "object": "chat.completion", "service_tier": tier }).to_string();
        for (name, value) in [
            ("llm.response.service_tier", json!(tier)),
            ("llm.request.service_tier", json!(tier)),
            ("gen_ai.openai.service_tier", json!(tier)),
            ("aws.bedrock.service_tier", json!(tier)),
            ("gen_ai.usage", json!({ "service_tier": tier })),
            ("llm.invocation_parameters", json!(parameters)),
            ("output.value", json!(answer)),
        ] {
            assert!(with(name, &value).cost_note.is_some(), "{name}: {value}");
        }
    }
    for usual in ["default", "auto", "on-demand", "Standard", "unknown", "NOT_GIVEN", ""] {
        let parameters = json!({ "service_tier": usual }).to_string();
        let answer = json!({ "id": "r1", "object": "response", "service_tier": usual }).to_string();
        for (name, value) in [
            ("llm.response.service_tier", usual),
            ("llm.invocation_parameters", parameters.as_str()),
            ("output.value", answer.as_str()),
        ] {
            assert_eq!(with(name, &json!(value)).cost_note, None, "{name}: {value}");
        }
    }
    for (traffic, has_a_price) in
        [("ON_DEMAND", true), ("PROVISIONED_THROUGHPUT", false), ("ON_DEMAND_FLEX", false)]
    {
        for (name, value) in [
            ("gen_ai.usage.traffic_type", json!(traffic)),
            ("gcp.vertex.usage.traffic_type", json!(traffic)),
            ("gen_ai.usage", json!({ "traffic_type": traffic })),
        ] {
            assert_eq!(with(name, &value).cost_note.is_none(), has_a_price, "{name}: {value}");
        }
    }
    let written = json!({ "customer": "acme", "service_tier": "gold" }).to_string();
    assert_eq!(with("output.value", &json!(written)).cost_note, None, "it is what the model wrote");
    assert_eq!(with("db.service_tier", &json!("gold")).cost_note, None, "it is another's");
    let answered = json!({ "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 9,
        "llm.invocation_parameters": "{\"service_tier\": \"flex\"}", "openai.response.service_tier": "default" });
    assert_eq!(call(&answered).cost_note, None, "the one that answered is believed");
}
