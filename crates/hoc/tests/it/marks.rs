//! Two runs whose steps have every mark that callers can bring about, for the console in a browser: a step with a mark
//! is as readable as one without.

use serde_json::{Value, json};

use crate::{
    chrome::{Chrome, Look},
    console::{BROKEN, RUNS},
    http::Http,
};

/// What the steps of the first of them say, each of another.
const REPORTED: [&str; 6] = [
    "refused after it was done",
    "its cost is its caller's word",
    "permit_mismatch",
    "permit_unknown",
    "FAILURE",
    "SKIPPED",
];
/// What those of the second say, which is a trace.
const TRACED: [&str; 2] = ["told of by another step: not counted", "WOULD BLOCK"];

/// Reports the two. The demo's rule refuses models that it does not approve of.
pub(crate) fn report(http: &mut Http, key: &str) -> [String; 2] {
    [reported(http, key), traced(http, key)]
}

fn reported(http: &mut Http, key: &str) -> String {
    let begun = json!({ "agent_id": "support-bot", "goal": "Answer the ticket" });
    let run = text(&http.post(RUNS, key, &begun).expect(201)["run_id"]);
    let steps = format!("{RUNS}/{run}/steps");
    let call = |model: &str, used: Value| {
        let mut llm = json!({ "provider": "openai", "model": model });
        llm.as_object_mut().expect("an object").extend(used.as_object().cloned().unwrap_or_default());
        json!({ "kind": "LLM_CALL", "skill_name": "openai.chat", "status": "SUCCESS", "llm": llm })
    };
    let none = json!({ "input_tokens": 0, "output_tokens": 0, "cost_usd": 0 });
    http.post(&steps, key, &call("gpt-3.5-turbo", none)).expect(403);
    let free = json!({ "input_tokens": 100, "output_tokens": 10, "cost_usd": 0 });
    http.post(&steps, key, &call("gpt-4o", free)).expect(200);
    let asked = json!({ "kind": "TOOL_CALL", "skill_name": "search_orders" });
    let permit = text(&http.post(&format!("{RUNS}/{run}/permits"), key, &asked).expect(201)["permit_id"]);
    for (skill, permit) in [("send_mail", permit), ("search_orders", format!("prm_{}", "0".repeat(32)))] {
        let step =
            json!({ "kind": "TOOL_CALL", "skill_name": skill, "status": "SUCCESS", "permit_id": permit });
        http.post(&steps, key, &step).expect(200);
    }
    // Each within the one before: the deeper, the less room has its name.
    for (within, status) in (0_u64..).zip(["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", "SKIPPED"])
    {
        let step = json!({ "kind": "TOOL_CALL", "skill_name": "search_orders", "status": status,
            "duration_ms": 120, "parent_step_index": 3 + within });
        http.post(&steps, key, &step).expect(200);
    }
    http.post(&format!("{RUNS}/{run}/complete"), key, &json!({ "status": "SUCCEEDED" })).expect(200);
    run
}

/// An agent that tells its sum, above a call to a model that the rule approves of, and one to another.
fn traced(http: &mut Http, key: &str) -> String {
    let span = |id: u64, parent: u64, operation: &str, model: &str, tokens: u64| {
        let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let number = |key: &str| json!({ "key": key, "value": { "intValue": tokens.to_string() } });
        let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
        json!({ "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": format!("{id:016x}"),
            "parentSpanId": parent, "name": format!("{operation} {model}"),
            "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000",
            "attributes": [text("gen_ai.operation.name", operation), text("gen_ai.provider.name", "openai"),
                text("gen_ai.agent.name", "research-assistant"), text("gen_ai.request.model", model),
                number("gen_ai.usage.input_tokens"), number("gen_ai.usage.output_tokens")] })
    };
    let spans = [
        span(1, 0, "invoke_agent", "gpt-4o", 2_000),
        span(2, 1, "chat", "gpt-4o", 1_000),
        span(3, 1, "chat", "gpt-3.5-turbo", 1_000),
    ];
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    http.post("/v1/traces", key, &body).expect(200);
    text(&http.get(&format!("{RUNS}?source=otlp"), key).expect(200)["items"][0]["run_id"])
}

/// At widths on both sides of where the columns of steps begin, every mark is there, and none breaks its row.
pub(crate) fn are_shown(chrome: &mut Chrome, reported: &str, traced: &str) {
    for width in [1280, 1110, 1000, 390] {
        chrome.look(Look { width, height: 800, dark: false });
        for (page, marks) in [(reported, &REPORTED[..]), (traced, &TRACED[..])] {
            chrome.open(page);
            let found = chrome
                .evaluate("[...document.querySelectorAll('.steps .badge')].map(one => one.textContent)");
            let found = found.as_array().expect("a list");
            for mark in marks {
                assert!(found.iter().any(|one| one == mark), "{mark}: {found:?}");
            }
            let shape = chrome.evaluate(BROKEN);
            assert_eq!(shape["broken"], json!([]), "at {width}: {shape}");
            assert!(shape["wide"].as_u64() <= shape["window"].as_u64(), "at {width}: {shape}");
        }
    }
    chrome.look(Look { width: 1280, height: 800, dark: false });
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
