//! Whether a span failed, by whatever says so, and what is known then of what it used.

use serde_json::{Value, json};

use crate::spans::{read, span, step};

/// A span with that status and these attributes: why it failed, and what it came to.
fn came_to(attributes: &Value, status: &Value, events: &[Value]) -> (Option<String>, Option<String>) {
    let mut one = span("eee19b7ec3c1b174", attributes);
    one["status"] = status.clone();
    one["events"] = events.into();
    let step = read(&[one]).spans.pop().unwrap();
    (step.failure, step.outcome_data)
}

#[test]
fn a_span_fails_by_what_is_there_only_of_failures() {
    let (unset, ok, error) = (json!({}), json!({ "code": 1 }), json!({ "code": 2 }));
    for (attributes, status, failure) in [
        (json!({}), &unset, None),
        (json!({}), &error, Some("ERROR")),
        (json!({ "error.type": "RateLimitError" }), &unset, Some("RateLimitError")),
        (json!({ "error.type": "RateLimitError" }), &error, Some("RateLimitError")),
        (json!({ "error.type": "RateLimitError" }), &ok, None),
        (json!({ "error.type": " " }), &unset, None),
        (json!({ "gen_ai.tool.status": "error" }), &unset, Some("ERROR")),
        (json!({ "gen_ai.tool.status": "success" }), &unset, None),
        (json!({ "gen_ai.tool.status": "Cancelled" }), &unset, Some("ERROR")),
        (json!({ "gen_ai.response.finish_reasons": ["error"] }), &unset, Some("ERROR")),
        (json!({ "gen_ai.response.finish_reasons": ["cancelled"] }), &unset, Some("ERROR")),
        (json!({ "gen_ai.response.finish_reasons": ["canceled"] }), &unset, Some("ERROR")),
        (json!({ "gen_ai.response.finish_reasons": ["cancelled"] }), &ok, None),
        (json!({ "gen_ai.response.finish_reasons": ["stop"] }), &unset, None),
    ] {
        let (why, _) = came_to(&attributes, status, &[]);
        assert_eq!(why.as_deref(), failure, "{attributes} {status}");
    }
}

/// A call of text, of which that is told.
fn chat(more: &Value) -> Value {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o" });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn used(input: u64, output: u64) -> Value {
    chat(&json!({ "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output }))
}

/// An answer, and why it ended.
fn said(ended: Option<&str>) -> Value {
    let mut message = json!({ "role": "assistant", "parts": [{ "type": "text", "content": "a" }] });
    if let Some(ended) = ended {
        message["finish_reason"] = ended.into();
    }
    json!({ "gen_ai.output.messages": json!([message]).to_string() })
}

fn event(name: &str, attributes: &Value) -> Value {
    json!({ "name": name, "attributes": attributes })
}

fn thrown(name: &str) -> Value {
    event(name, &json!({ "exception.type": "RateLimitError", "exception.message": "cut" }))
}

/// Some tell it in the messages alone.
#[test]
fn a_model_call_fails_by_why_its_answer_ended() {
    let (unset, ok) = (json!({}), json!({ "code": 1 }));
    for (ended, is_failure) in [
        (Some("error"), true),
        (Some("failed"), true),
        (Some("CANCELLED"), true),
        (Some("canceled"), true),
        (Some("stop"), false),
        (Some("content_filter"), false),
        (None, false),
    ] {
        let told = chat(&said(ended));
        let failure = Some("ERROR").filter(|_| is_failure);
        assert_eq!(came_to(&told, &unset, &[]).0.as_deref(), failure, "{ended:?}");
        assert_eq!(came_to(&told, &ok, &[]).0, None, "{ended:?}");
    }
}

/// Where no status says how it went: an exception may have been overcome within the span, and then a model's answer
/// ends.
#[test]
fn a_model_call_fails_by_what_it_threw_before_its_end() {
    let (unset, ok) = (json!({}), json!({ "code": 1 }));
    for (attributes, status, failure) in [
        (chat(&json!({})), &unset, Some("RateLimitError")),
        // It came to an answer, and nobody knows what that used.
        (chat(&said(None)), &unset, None),
        (chat(&said(Some("stop"))), &unset, None),
        (chat(&json!({ "gen_ai.response.finish_reasons": ["stop"] })), &unset, None),
        (chat(&json!({})), &ok, None),
        // So it did where something else came out, and not where that is a word for nothing, or why nothing came.
        (chat(&json!({ "output.value": "It rains." })), &unset, None),
        (chat(&json!({ "output.value": r#"{"text": "It rains.", "error": null}"# })), &unset, None),
        (chat(&json!({ "output.value": "None" })), &unset, Some("RateLimitError")),
        (chat(&json!({ "output.value": "null" })), &unset, Some("RateLimitError")),
        (chat(&json!({ "output.value": "{}" })), &unset, Some("RateLimitError")),
        (chat(&json!({ "output.value": r#"{"error": {"code": 429}}"# })), &unset, Some("RateLimitError")),
        (
            chat(&json!({ "output.value": "{'error': 'too many', 'id': None}" })),
            &unset,
            Some("RateLimitError"),
        ),
        // What a model said is what it said.
        (chat(&json!({ "gen_ai.completion": "None" })), &unset, None),
        (used(1_000, 0), &unset, Some("RateLimitError")),
        (used(1_000, 1), &unset, Some("RateLimitError")),
        // A framework's, which keeps what it threw before it tried again, or that of the try that came through.
        (used(1_000, 2), &unset, None),
        (used(1_000, 100), &unset, None),
        // Whatever else is called says nothing of its end.
        (json!({ "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai" }), &unset, None),
        (json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "sh" }), &unset, None),
        (json!({ "gen_ai.operation.name": "invoke_agent" }), &unset, None),
    ] {
        for name in ["exception", "Exception"] {
            let (why, outcome) = came_to(&attributes, status, &[thrown(name)]);
            assert_eq!(why.as_deref(), failure, "{attributes} {status} {name}");
            if failure.is_some() {
                assert_eq!(outcome.as_deref(), Some(r#"{"error":"cut"}"#), "{attributes}");
            }
        }
    }
    let mut broken = span("eee19b7ec3c1b174", &chat(&json!({})));
    broken["events"] = json!([thrown("exception")]);
    let llm = read(&[broken]).spans.pop().unwrap().llm.unwrap();
    assert_eq!(llm.cost_nanousd, None, "it is not known that it was refused");
}

/// It may be a try that broke behind its first tokens, or one that came through behind another that did.
#[test]
fn what_a_call_cost_that_threw_is_known_by_its_end() {
    let told = |one: &Value, more: &Value| {
        let mut all = one.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let stop = json!({ "gen_ai.response.finish_reasons": ["stop"] });
    for (attributes, note) in [
        (used(1_000, 1), None),
        (told(&used(1_000, 1), &json!({ "output.value": "None" })), None),
        (told(&used(1_000, 1), &said(None)), Some("NO_PRICE")),
        (used(1_000, 40), Some("NO_PRICE")),
        (told(&used(1_000, 40), &said(None)), Some("NO_PRICE")),
        (told(&used(1_000, 40), &said(Some("stop"))), None),
        (told(&used(1_000, 40), &stop), None),
        (chat(&said(None)), Some("NO_TOKENS")),
    ] {
        let mut one = span("eee19b7ec3c1b174", &attributes);
        one["events"] = json!([thrown("exception")]);
        let threw = read(&[one.clone()]).spans.pop().unwrap().llm.unwrap();
        assert_eq!(json!(threw.cost_note), json!(note), "{attributes}");
        one["status"] = json!({ "code": 1 });
        let ended = read(&[one]).spans.pop().unwrap().llm.unwrap();
        assert_eq!(ended.cost_note, step(&attributes).llm.unwrap().cost_note, "{attributes}");
    }
}

#[test]
fn what_a_failed_tool_answered_is_kept() {
    let bad = json!({ "code": 2, "message": "bad" });
    let result = |result: &str| json!({ "gen_ai.tool.name": "sh", "gen_ai.tool.call.result": result });
    let outcome = |attributes: &Value, events: &[Value]| came_to(attributes, &bad, events).1.unwrap();
    assert_eq!(outcome(&result("exit 1: partial"), &[]), r#"{"error":"bad","output":"exit 1: partial"}"#);
    assert_eq!(
        outcome(&result(r#"{"n":12345678901234567890123}"#), &[]),
        r#"{"error":"bad","output":{"n":12345678901234567890123}}"#,
        "each digit of it"
    );
    let thrown = |message: &str| [event("exception", &json!({ "exception.message": message }))];
    assert_eq!(outcome(&json!({}), &thrown("disk full")), r#"{"error":"bad\ndisk full"}"#);
    assert_eq!(outcome(&json!({}), &thrown("bad")), r#"{"error":"bad"}"#, "said once");
}
