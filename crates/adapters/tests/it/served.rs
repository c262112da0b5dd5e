//! Tools of its own that a provider ran within a call: no book has what they cost.

use serde_json::{Value, json};

use crate::spans::step;

/// Whether the price of a call of 1,000 tokens in and 100 out, of which this is told too, is to be known.
fn has_a_price(extra: &Value) -> bool {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100 });
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let call = step(&all).llm.unwrap();
    assert_eq!((call.input_tokens, call.output_tokens), (1_000, 100), "{extra}");
    call.cost_note.is_none()
}

#[test]
fn a_call_in_which_the_provider_ran_a_tool_has_no_price() {
    let said = |part: Value| {
        let text = json!({ "type": "text", "content": "It rains." });
        json!([{ "role": "assistant", "parts": [part, text], "finish_reason": "stop" }]).to_string()
    };
    let messages = "gen_ai.output.messages";
    let blocks = json!([{ "type": "server_tool_use", "id": "s", "name": "web_search", "input": { "query": "oslo" } },
        { "type": "text", "text": "It rains." }]);
    let message = |usage: Value| {
        json!({ "id": "msg_1", "type": "message", "role": "assistant", "content": [{ "type": "text", "text": "It rains." }],
            "usage": usage })
        .to_string()
    };
    let response =
        |item: Value| json!({ "id": "resp_1", "object": "response", "output": [item] }).to_string();
    let gemini = |metadata: Value| json!({ "candidates": [{ "groundingMetadata": metadata }] }).to_string();
    let searched = "{\"id\": \"c\", \"object\": \"chat.completion\", \"usage\": {\"num_search_queries\": 2}}";
    for (extra, is_priced) in [
        (
            json!({ messages: said(json!({ "type": "server_tool_call", "id": "s", "name": "web_search" })) }),
            false,
        ),
        (
            json!({ messages: said(json!({ "type": "server_tool_call", "id": "s", "name": "web_fetch" })) }),
            true,
        ),
        (
            json!({ messages: said(json!({ "type": "tool_call", "id": "s", "name": "code_execution", "builtin": true })) }),
            false,
        ),
        (json!({ messages: said(json!({ "type": "tool_call", "id": "s", "name": "web_search" })) }), true),
        (
            json!({ messages: said(json!({ "toolUse": { "type": "server_tool_use", "name": "nova_grounding" } })) }),
            false,
        ),
        (
            json!({ messages: said(json!({ "toolUse": { "toolUseId": "t", "name": "search", "input": {} } })) }),
            true,
        ),
        (
            json!({ "gen_ai.input.messages": said(json!({ "type": "server_tool_call", "name": "web_search" })) }),
            true,
        ),
        (
            json!({ "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": blocks.to_string() }),
            false,
        ),
        (
            json!({ "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.contents.0.message_content.type": "web_search_call",
                "llm.output_messages.0.message.contents.0.message_content.id": "ws_1" }),
            false,
        ),
        (
            json!({ "output.value": message(json!({ "server_tool_use": { "web_search_requests": 1 } })) }),
            false,
        ),
        (
            json!({ "output.value": message(json!({ "server_tool_use": { "web_search_requests": 0 } })) }),
            true,
        ),
        (
            json!({ "output.value": response(json!({ "type": "web_search_call", "id": "ws_1", "status": "completed" })) }),
            false,
        ),
        (json!({ "output.value": response(json!({ "type": "file_search_call", "id": "fs_1" })) }), false),
        (
            json!({ "output.value": response(json!({ "type": "function_call", "id": "fc_1", "name": "search" })) }),
            true,
        ),
        (json!({ "output.value": gemini(json!({ "webSearchQueries": ["oslo"] })) }), false),
        (json!({ "output.value": gemini(json!({})) }), true),
        (json!({ "output.value": searched }), false),
        (json!({ "output.value": "{\"type\": \"web_search_call\"}" }), true),
        (json!({ "gen_ai.usage.num_sources_used": 3 }), false),
    ] {
        assert_eq!(has_a_price(&extra), is_priced, "{extra}");
    }
}

#[test]
fn what_such_a_call_is_said_to_cost_stays() {
    let answer = json!({ "id": "resp_1", "object": "response", "output": [{ "type": "web_search_call" }] });
    let told = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "output.value": answer.to_string(),
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100, "gen_ai.usage.cost": 0.0135 });
    assert_eq!(step(&told).llm.unwrap().cost_nanousd, Some(13_500_000));
}
