//! Nothing of what was said is dropped: members of messages that few have, and messages that are told in two places.

use serde_json::{Value, json};

use crate::spans::{read, span};

const ABC: &str = "3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Prompt and response of a model call with these attributes and events.
fn call(attributes: &Value, events: &[Value]) -> (Option<String>, Option<String>) {
    let mut all = json!({ "gen_ai.operation.name": "chat" });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let mut one = span("eee19b7ec3c1b174", &all);
    one["events"] = events.into();
    let llm = read(&[one]).spans.pop().unwrap().llm.unwrap();
    (llm.prompt, llm.response)
}

fn answer(message: &Value) -> String {
    call(&json!({ "gen_ai.output.messages": json!([message]).to_string() }), &[]).1.unwrap()
}

#[test]
fn what_stands_beside_the_content_of_a_message_is_kept() {
    for (members, kept) in [
        (json!({ "content": "", "reasoning": "RSN" }), "RSN".to_owned()),
        (json!({ "content": "ANS", "thinking": "RSN" }), "RSN\nANS".to_owned()),
        (json!({ "content": "ANS", "reasoning": "RSN", "reasoning_details": [{}] }), "RSN\nANS".to_owned()),
        (
            json!({ "content": "ANS", "thinking_blocks": [{ "type": "thinking", "thinking": "RSN", "signature": "x" }] }),
            "RSN\nANS".to_owned(),
        ),
        (
            json!({ "content": "ANS", "reasoning_details": [{ "type": "reasoning.text", "text": "RSN" }] }),
            "RSN\nANS".to_owned(),
        ),
        (
            json!({ "content": "ANS", "additional_kwargs": { "reasoning_content": "RSN" } }),
            "RSN\nANS".to_owned(),
        ),
        (json!({ "content": "ANS", "images": ["YWJj"] }), format!("ANS\n[image, {ABC}]")),
        // What nobody here knows stays as it came; what says nothing of what was said goes.
        (json!({ "content": "ANS", "tool_plan": "PLAN" }), "ANS\n{\"tool_plan\":\"PLAN\"}".to_owned()),
        (
            json!({ "content": "ANS", "annotations": [], "refusal": null, "id": "m1", "usage": { "n": 1 } }),
            "ANS".to_owned(),
        ),
    ] {
        let mut message = json!({ "role": "assistant" });
        message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        assert_eq!(answer(&message), kept, "{members}");
    }
    for (name, value) in [("reasoning_content", "RSN"), ("refusal", "NO")] {
        let attributes =
            json!({ "gen_ai.completion.0.content": "ANS", format!("gen_ai.completion.0.{name}"): value });
        let said = call(&attributes, &[]).1.unwrap();
        assert!(said.contains(value) && said.contains("ANS"), "{said}");
    }
    let failed = json!([{ "role": "tool", "content": "no", "tool_call_id": "c", "is_error": true }]);
    let failed = call(&json!({ "gen_ai.input.messages": failed.to_string() }), &[]).0;
    assert!(failed.is_some_and(|told| told.contains("\"is_error\":true")));
}

#[test]
fn files_are_told_by_where_they_are_and_what_is_said_in_them() {
    let stored = json!([{ "role": "user", "content": [
        { "image": { "format": "png", "source": { "s3Location": { "uri": "s3://b/i.png" } } } }] }]);
    let stored = call(&json!({ "gen_ai.input.messages": stored.to_string() }), &[]).0;
    assert_eq!(stored.as_deref(), Some("[image png s3://b/i.png]"));
    let sound = call(
        &json!({ "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "audio",
            "llm.input_messages.0.message.contents.0.message_content.audio.audio.mime_type": "audio/wav",
            "llm.input_messages.0.message.contents.0.message_content.audio.audio.url": "data:audio/wav;base64,YWJj",
            "llm.input_messages.0.message.contents.0.message_content.audio.audio.transcript": "AUDTXT" }),
        &[],
    );
    assert_eq!(sound.0, Some(format!("[audio audio/wav, {ABC}]\nAUDTXT")));
    let gemini = json!([{ "role": "user", "parts": [{ "functionResponse": { "name": "shot", "response": { "ok": true },
        "parts": [{ "inlineData": { "mimeType": "image/png", "data": "YWJj" } }] } }] }]);
    let gemini = call(&json!({ "gen_ai.input.messages": gemini.to_string() }), &[]).0.unwrap();
    assert!(gemini.contains(&format!("[image image/png, {ABC}]")) && gemini.contains("ok"), "{gemini}");
}

#[test]
fn a_name_and_a_closed_thought_are_kept() {
    let named =
        call(&json!({ "gen_ai.input.messages": r#"[{"role":"user","name":"alice","content":"Hi"}]"# }), &[]);
    assert_eq!(named.0.as_deref(), Some(r#"[{"role":"user","content":"Hi","name":"alice"}]"#));
    let closed = format!("[reasoning, {ABC}]");
    assert_eq!(answer(&json!({ "type": "reasoning", "summary": [], "encrypted_content": "YWJj" })), closed);
    let redacted =
        json!({ "role": "assistant", "content": [{ "type": "redacted_thinking", "data": "YWJj" }] });
    assert_eq!(answer(&redacted), closed);
    let told = json!({ "type": "reasoning", "summary": [{ "type": "summary_text", "text": "RSN" }], "encrypted_content": "YWJj" });
    assert_eq!(answer(&told), "RSN", "what is told is enough");
}

/// Each side is taken from whoever tells it, and what the model is told to be stands before it.
#[test]
fn messages_are_read_from_wherever_they_are() {
    let event = |name: &str, attributes: Value| json!({ "name": name, "attributes": attributes });
    let system = r#"[{"type":"text","content":"Be brief."}]"#;
    let both = r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]"#;
    let details = "gen_ai.client.inference.operation.details";
    let with_system = |rest: Value| {
        let mut all = json!({ "gen_ai.system_instructions": system });
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let hi = r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#;
    for (attributes, events) in [
        (with_system(json!({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi" })), vec![]),
        (
            with_system(
                json!({ "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
            "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": "Hi" }),
            ),
            vec![],
        ),
        (with_system(json!({ "gen_ai.input.messages": hi })), vec![]),
        (with_system(json!({ "gen_ai.prompt": "Hi" })), vec![]),
        (with_system(json!({ "input.value": "Hi" })), vec![]),
        (with_system(json!({})), vec![event(details, json!({ "gen_ai.input.messages": hi }))]),
        (with_system(json!({})), vec![event("gen_ai.user.message", json!({ "content": "Hi" }))]),
        (
            json!({ "gen_ai.input.messages": hi }),
            vec![event(details, json!({ "gen_ai.system_instructions": system }))],
        ),
    ] {
        assert_eq!(call(&attributes, &events).0.as_deref(), Some(both), "{attributes} {events:?}");
    }
    let (user, choice) = (
        event("gen_ai.user.message", json!({ "content": "Hi" })),
        event("gen_ai.choice", json!({ "message": "Ho", "finish_reason": "stop" })),
    );
    let said = (Some("Hi".to_owned()), Some("Ho".to_owned()));
    let out = json!({ "gen_ai.output.messages": r#"[{"role":"assistant","content":"Ho"}]"# });
    assert_eq!(call(&out, std::slice::from_ref(&user)), said);
    assert_eq!(call(&json!({ "gen_ai.prompt": "Hi" }), std::slice::from_ref(&choice)), said);
    assert_eq!(
        call(&json!({ "gen_ai.input.messages": "null", "gen_ai.output.messages": "[]" }), &[user, choice]),
        said
    );
}

/// A file is told by size and hash wherever it lies: in an item that nobody knows, in a tool's answer, in a request
/// told whole.
#[test]
fn no_file_is_kept_in_what_stays_as_it_came() {
    let mark = format!("[image image/png, {ABC}]");
    let url = "data:image/png;base64,YWJj";
    let png = format!("iVBORw0KGgo{}", "A".repeat(61));
    let result = json!({ "content": [{ "type": "image", "mimeType": "image/png", "data": "YWJj" }] });
    let items =
        |item: Value| call(&json!({ "gen_ai.input.messages": json!([item]).to_string() }), &[]).0.unwrap();
    let screen = items(json!({ "type": "computer_call_output", "call_id": "c",
        "output": { "type": "computer_screenshot", "image_url": url } }));
    assert_eq!(screen, format!(r#"[{{"role":"tool","content":"{mark}","tool_call_id":"c"}}]"#));
    for item in [
        json!({ "type": "code_interpreter_call", "id": "c", "code": "plot()", "outputs": [{ "type": "image", "url": url }] }),
        json!({ "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c", "response": result }] }),
        json!({ "role": "tool", "content": result.to_string(), "tool_call_id": "c" }),
        json!({ "role": "user", "content": [{ "type": "text", "text": format!("See ![it]({url}).") }] }),
        json!({ "role": "user", "content": "Hi", "later": { "picture": url } }),
    ] {
        let told = items(item.clone());
        assert!(told.contains(&mark) && !told.contains("YWJj"), "{item}: {told}");
    }
    let request = json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url } }] }] });
    let answered = json!({ "created": 1, "data": [{ "b64_json": png }] });
    let (prompt, response) =
        call(&json!({ "input.value": request.to_string(), "output.value": answered.to_string() }), &[]);
    assert_eq!(prompt.unwrap(), request.to_string().replace(url, &mark), "and all around it as it came");
    assert!(
        response.is_some_and(
            |told| told.contains("[image image/png, 54 bytes, sha256:") && !told.contains("iVBOR")
        )
    );
    let tool = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "shot", "gen_ai.tool.call.result": result.to_string() });
    let tool = crate::spans::step(&tool).outcome_data.unwrap();
    assert!(tool.contains(&mark) && !tool.contains("YWJj"), "{tool}");
}

/// Pydantic AI lists what would be events of the span in one of its attributes, or all that was said in a run.
#[test]
fn messages_that_are_listed_in_an_attribute_are_kept() {
    let events = json!([
        { "content": "Be brief.", "role": "system", "gen_ai.message.index": 0, "event.name": "gen_ai.system.message" },
        { "content": "Weather?", "gen_ai.message.index": 1, "event.name": "gen_ai.user.message" },
        { "index": 0, "message": { "role": "assistant", "content": "4C" }, "event.name": "gen_ai.choice" },
    ]);
    let parts = |content: &str| json!([{ "type": "text", "content": content }]);
    let all = json!([
        { "role": "system", "parts": parts("Be brief.") },
        { "role": "user", "parts": parts("Weather?") },
        { "role": "assistant", "parts": parts("4C") },
    ]);
    for (name, told) in
        [("events", &events), ("all_messages_events", &events), ("pydantic_ai.all_messages", &all)]
    {
        for told in [told.clone(), json!(told.to_string())] {
            let (prompt, response) = call(&json!({ name: told }), &[]);
            assert_eq!(
                prompt.as_deref(),
                Some(r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Weather?"}]"#),
                "{name}"
            );
            assert_eq!(response.as_deref(), Some("4C"), "{name}");
        }
    }
    let asked = json!([{ "content": "Weather?", "role": "user", "event.name": "gen_ai.user.message" },
        { "role": "assistant", "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "w", "arguments": "{}" } }],
            "event.name": "gen_ai.assistant.message" },
        { "role": "tool", "content": "4C", "id": "c", "event.name": "gen_ai.tool.message" }]);
    let prompt = call(&json!({ "events": asked.to_string() }), &[]).0.unwrap();
    assert!(prompt.contains(r#""name":"w""#) && prompt.contains(r#""content":"4C""#), "{prompt}");
    let known = json!({ "gen_ai.prompt": "Hi", "events": events.to_string() });
    assert_eq!(call(&known, &[]), (Some("Hi".to_owned()), Some("4C".to_owned())), "behind all others");
    for others in [json!("clicked"), json!([{ "type": "click", "x": 1 }]), json!([1]), json!({ "a": 1 })] {
        assert_eq!(call(&json!({ "events": others }), &[]), (None, None), "{others}");
    }
}

/// The event with a call's details may tell what was used, and alone.
#[test]
fn what_a_call_used_is_told_by_its_details_too() {
    let used = |name: &str, own: Value| {
        let mut all = json!({ "gen_ai.operation.name": "chat" });
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let mut one = span("eee19b7ec3c1b174", &all);
        one["events"] = json!([{ "name": name, "attributes": { "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10,
            "gen_ai.input.messages": r#"[{"role":"user","content":"Hi"}]"# } }]);
        let llm = read(&[one]).spans.pop().unwrap().llm.unwrap();
        (llm.input_tokens, llm.output_tokens, llm.prompt)
    };
    let details = "gen_ai.client.inference.operation.details";
    assert_eq!(used(details, json!({})), (100, 10, Some("Hi".to_owned())));
    let own = json!({ "gen_ai.usage.input_tokens": 90, "gen_ai.usage.output_tokens": 9 });
    assert_eq!(
        used(details, own),
        (90, 9, Some("Hi".to_owned())),
        "what the span says by itself is believed first"
    );
    assert_eq!(used("of.ours", json!({})).0, 0);
}
