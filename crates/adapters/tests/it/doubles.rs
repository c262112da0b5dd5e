//! JSON in which a member is there twice: most read the last, and some the first. What nobody can read for sure tells
//! nothing, and hides nothing of what is beside it.

use orchestrator::ports::{ReportedSpan, SpanAct};
use serde_json::{Value, json};

use crate::spans::{read, span, step};

/// A model call with these attributes.
fn call(extra: &Value) -> ReportedSpan {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o" });
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    step(&all)
}

#[test]
fn counts_that_are_there_twice_are_not_known() {
    let twice = |name: &str| format!(r#"{{"{name}":1000,"{name}":1,"output_tokens":100,"output":100}}"#);
    for (name, told) in [
        ("gen_ai.usage", twice("input_tokens")),
        ("llm.usage", twice("prompt_tokens")),
        ("langfuse.observation.usage_details", twice("input")),
        ("gen_ai.usage", r#"{"input_tokens":1,"output_tokens":100,"details":{"a":1,"a":2}}"#.to_owned()),
    ] {
        let llm = call(&json!({ name: told })).llm.unwrap();
        assert_eq!((llm.input_tokens, llm.cost_note.is_some()), (0, true), "{name}: {told}");
    }
    let counts = json!({ "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100 });
    for (name, told) in [
        ("gen_ai.usage.prompt_tokens_details", r#"{"cached_tokens":800,"cached_tokens":8}"#),
        ("gen_ai.usage.cache_creation", r#"{"ephemeral_1h_input_tokens":800,"ephemeral_1h_input_tokens":8}"#),
        ("llm.invocation_parameters", r#"{"service_tier":"flex","service_tier":"default"}"#),
    ] {
        let mut all = counts.clone();
        all[name] = json!(told);
        let llm = call(&all).llm.unwrap();
        assert_eq!((llm.input_tokens, llm.cost_note.is_some()), (1_000, true), "{name}: {told}");
    }
    let told_elsewhere = {
        let mut all = counts.clone();
        all["gen_ai.usage"] = json!(twice("input_tokens"));
        call(&all).llm.unwrap()
    };
    assert_eq!(
        (told_elsewhere.input_tokens, told_elsewhere.cost_note),
        (1_000, None),
        "another name tells them"
    );
}

/// The same as an attribute with members, and of an agent, which counts where nothing below it does.
#[test]
fn members_of_an_attribute_that_are_there_twice_are_not_known() {
    let count = |key: &str, count: u32| json!({ "key": key, "value": { "intValue": count } });
    let values = [count("input_tokens", 1_000), count("input_tokens", 1), count("output_tokens", 100)];
    for operation in ["chat", "invoke_agent"] {
        let mut one = span("eee19b7ec3c1b174", &json!({ "gen_ai.operation.name": operation }));
        let usage = json!({ "key": "gen_ai.usage", "value": { "kvlistValue": { "values": values } } });
        one["attributes"].as_array_mut().unwrap().push(usage);
        let llm = read(&[one]).spans.pop().unwrap().llm.unwrap();
        assert_eq!((llm.input_tokens, llm.cost_note.is_some()), (0, true), "{operation}");
    }
}

#[test]
fn what_is_there_twice_names_nobody_and_stays_text() {
    let metadata = json!({ "metadata": r#"{"thread_id":"t1","thread_id":"t2"}"# });
    assert_eq!(step(&metadata).part_of.conversation_id, None);
    let parameters = call(&json!({ "llm.invocation_parameters": r#"{"temperature":0.1,"temperature":2}"# }));
    assert_eq!(parameters.params, None);
    let twice = r#"{"command":"ls","command":"rm -rf /"}"#;
    let tool = step(&json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t",
        "mcp.request.argument.first": twice, "mcp.request.argument.second": "{\"a\":1}" }));
    let arguments: Value = serde_json::from_str(&tool.params.unwrap()).unwrap();
    assert_eq!(arguments, json!({ "first": twice, "second": { "a": 1 } }));
    // No schema, so it is what the tool was called with: the door keeps it as text.
    let schema = r#"{"properties":{"command":{"type":"string"}},"type":"object","type":"string"}"#;
    let tool = step(&json!({ "openinference.span.kind": "TOOL", "tool.name": "t", "tool.parameters": schema,
        "input.value": "other" }));
    assert_eq!(tool.params.as_deref(), Some(schema));
}

#[test]
fn two_attributes_of_one_name_hide_no_address() {
    let mut one =
        span("eee19b7ec3c1b174", &json!({ "http.request.method": "GET", "url.full": "https://a.example/" }));
    one["kind"] = json!(3);
    let other = json!({ "key": "url.full", "value": { "stringValue": "https://b.example/" } });
    one["attributes"].as_array_mut().unwrap().push(other);
    let request = read(&[one]).spans.pop().unwrap();
    let params: Value = serde_json::from_str(&request.params.unwrap()).unwrap();
    assert_eq!((request.act, &params["url"]), (SpanAct::HttpCall, &json!("https://a.example/")));
    let attributes = params["attributes"].as_str().unwrap();
    assert!(attributes.contains("https://a.example/") && attributes.contains("https://b.example/"));
}
