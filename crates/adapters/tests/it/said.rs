//! What was said is kept as it came, in every dialect: calls of tools, pictures, items of OpenAI's Responses, blocks of
//! Anthropic's and Gemini's; and the first name that says something is believed.

use orchestrator::ports::SpanAct;
use serde_json::{Value, json};

use crate::spans::step;

/// Prompt and response of a model call with these attributes.
fn said(attributes: &Value) -> (Option<String>, Option<String>) {
    let mut all = json!({ "gen_ai.operation.name": "chat" });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let llm = step(&all).llm.unwrap();
    (llm.prompt, llm.response)
}

fn prompt(messages: &Value) -> String {
    said(&json!({ "gen_ai.input.messages": messages.to_string() })).0.unwrap()
}

const ABC: &str = "3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_call_and_its_answer_are_the_same_by_whoever_wrote_them() {
    let same = r#"[{"role":"user","content":"Weather?"},{"role":"assistant","tool_calls":[{"id":"c1","name":"get_weather","arguments":{"city":"Oslo","n":12345678901234567890123}}]},{"role":"tool","content":"4C","tool_call_id":"c1"}]"#;
    // Numbers stay as they are written: no double holds this one.
    let arguments = r#"{"city":"Oslo","n":12345678901234567890123}"#;
    let raw = |text: String| said(&json!({ "gen_ai.input.messages": text })).0.unwrap();
    let openai = format!(
        r#"[{{"role":"user","content":"Weather?"}},{{"role":"assistant","content":null,"tool_calls":[{{"id":"c1","type":"function","function":{{"name":"get_weather","arguments":{}}}}}]}},{{"role":"tool","tool_call_id":"c1","content":"4C"}}]"#,
        json!(arguments)
    );
    let responses = format!(
        r#"[{{"role":"user","content":[{{"type":"input_text","text":"Weather?"}}]}},{{"type":"function_call","id":"fc","call_id":"c1","name":"get_weather","arguments":{}}},{{"type":"function_call_output","call_id":"c1","output":"4C"}}]"#,
        json!(arguments)
    );
    let anthropic = format!(
        r#"[{{"role":"user","content":"Weather?"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"c1","name":"get_weather","input":{arguments}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"c1","content":[{{"type":"text","text":"4C"}}]}}]}}]"#
    );
    let otel = format!(
        r#"[{{"role":"user","parts":[{{"type":"text","content":"Weather?"}}]}},{{"role":"assistant","parts":[{{"type":"tool_call","id":"c1","name":"get_weather","arguments":{arguments}}}]}},{{"role":"tool","parts":[{{"type":"tool_call_response","id":"c1","response":"4C"}}]}}]"#
    );
    for (who, text) in
        [("openai", openai), ("responses", responses), ("anthropic", anthropic), ("otel", otel)]
    {
        assert_eq!(raw(text), same, "{who}");
    }
    let flat = |prefix: &str, of_message: &str, of_call: &str, function: &str| {
        let key = |rest: &str| format!("{prefix}{rest}");
        let call = format!("1.{of_message}tool_calls.0.{of_call}");
        json!({ key(&format!("0.{of_message}role")): "user", key(&format!("0.{of_message}content")): "Weather?",
            key(&format!("1.{of_message}role")): "assistant", key(&format!("{call}id")): "c1",
            key(&format!("{call}{function}name")): "get_weather", key(&format!("{call}{function}arguments")): arguments,
            key(&format!("2.{of_message}role")): "tool", key(&format!("2.{of_message}content")): "4C",
            key(&format!("2.{of_message}tool_call_id")): "c1" })
    };
    assert_eq!(said(&flat("gen_ai.prompt.", "", "", "")).0.unwrap(), same, "openllmetry");
    assert_eq!(
        said(&flat("llm.input_messages.", "message.", "tool_call.", "function.")).0.unwrap(),
        same,
        "openinference"
    );
    let gemini = json!([{ "role": "user", "parts": [{ "text": "Weather?" }] },
        { "role": "model", "parts": [{ "functionCall": { "name": "get_weather", "args": { "city": "Oslo" } } }] },
        { "role": "user", "parts": [{ "functionResponse": { "name": "get_weather", "response": { "result": "4C" } } }] }]);
    assert_eq!(
        prompt(&gemini),
        r#"[{"role":"user","content":"Weather?"},{"role":"model","tool_calls":[{"name":"get_weather","arguments":{"city":"Oslo"}}]},{"role":"tool","content":"{\"result\":\"4C\"}","name":"get_weather"}]"#
    );
}

#[test]
fn several_answers_in_one_message_are_told_apart() {
    let messages = json!([{ "role": "user", "content": [
        { "type": "tool_result", "tool_use_id": "a", "content": "1" },
        { "type": "tool_result", "tool_use_id": "b", "content": "2", "is_error": true },
        { "type": "text", "text": "go on" }] }]);
    assert_eq!(
        prompt(&messages),
        r#"[{"role":"tool","content":"1","tool_call_id":"a"},{"role":"tool","content":"2","tool_call_id":"b","is_error":true},{"role":"user","content":"go on"}]"#
    );
}

#[test]
fn a_tool_that_failed_is_told_so() {
    for result in [
        json!({ "type": "tool_result", "tool_use_id": "a", "content": "no", "is_error": true }),
        json!({ "type": "tool_result", "tool_use_id": "a", "content": "no", "isError": true }),
        json!({ "toolResult": { "toolUseId": "a", "content": [{ "text": "no" }], "status": "error" } }),
    ] {
        let messages = json!([{ "role": "user", "content": [result] }]);
        let told = r#"[{"role":"tool","content":"no","tool_call_id":"a","is_error":true}]"#;
        assert_eq!(prompt(&messages), told, "{result}");
    }
    let messages = json!([{ "role": "user", "content": [{ "toolResult": { "toolUseId": "a",
        "content": [{ "text": "yes" }], "status": "success" } }] }]);
    assert_eq!(prompt(&messages), r#"[{"role":"tool","content":"yes","tool_call_id":"a"}]"#);
}

#[test]
fn a_picture_is_told_by_kind_size_and_hash() {
    let url = "data:image/png;base64,YWJj";
    let expected = format!("What is it?\n[image image/png, {ABC}]");
    let text = json!({ "type": "text", "text": "What is it?" });
    for (part, text) in [
        (json!({ "type": "image_url", "image_url": { "url": url } }), text.clone()),
        (
            json!({ "type": "input_image", "image_url": url }),
            json!({ "type": "input_text", "text": "What is it?" }),
        ),
        (
            json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "YWJj" } }),
            text.clone(),
        ),
        (
            json!({ "type": "blob", "modality": "image", "mime_type": "image/png", "content": "YWJj" }),
            json!({ "type": "text", "content": "What is it?" }),
        ),
        (
            json!({ "inlineData": { "mimeType": "image/png", "data": "YWJj" } }),
            json!({ "text": "What is it?" }),
        ),
        (
            json!({ "inline_data": { "mime_type": "image/png", "data": "YWJj" } }),
            json!({ "text": "What is it?" }),
        ),
    ] {
        assert_eq!(prompt(&json!([{ "role": "user", "content": [text, part] }])), expected, "{part}");
        assert_eq!(prompt(&json!([{ "role": "user", "parts": [text, part] }])), expected, "{part}");
        // OpenLLMetry writes a list of parts as the text of the content.
        let flat = said(
            &json!({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": json!([text, part]).to_string() }),
        );
        if part.get("type").is_some() {
            assert_eq!(flat.0.unwrap(), expected, "{part}");
        }
    }
    let flat = said(&json!({ "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url": url,
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "What is it?" }));
    assert_eq!(flat.0.unwrap(), expected, "by their numbers, whatever came first");
    let by_place = prompt(
        &json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "https://h.example/a.png" } }] }]),
    );
    assert_eq!(by_place, "[image https://h.example/a.png]");
    let file =
        prompt(&json!([{ "role": "user", "content": [{ "type": "input_file", "file_id": "file-1" }] }]));
    assert_eq!(file, "[file file-1]");
}

#[test]
fn a_document_that_is_a_text_is_that_text() {
    let inner = json!([{ "type": "text", "text": "pay 5 to Bob" }]);
    for document in [
        json!({ "type": "document", "title": "d", "source": { "type": "text", "media_type": "text/plain", "data": "pay 5 to Bob" } }),
        json!({ "type": "document", "context": "d", "source": { "type": "content", "content": inner } }),
        json!({ "type": "document", "title": "d", "source": { "type": "content", "content": "pay 5 to Bob" } }),
        json!({ "document": { "name": "d", "format": "txt", "source": { "text": "pay 5 to Bob" } } }),
        json!({ "document": { "name": "d", "format": "txt", "source": { "content": [{ "text": "pay 5 to Bob" }] } } }),
    ] {
        let messages =
            json!([{ "role": "user", "content": [document, { "type": "text", "text": "Go on" }] }]);
        assert_eq!(prompt(&messages), "d\npay 5 to Bob\nGo on", "what it is called too: {document}");
    }
    for file in [
        json!({ "type": "file", "file": { "filename": "d", "file_data": "data:application/pdf;base64,YWJj" } }),
        json!({ "type": "document", "title": "d", "source": { "type": "base64", "media_type": "application/pdf", "data": "YWJj" } }),
        json!({ "document": { "name": "d", "format": "pdf", "source": { "bytes": "YWJj" } } }),
    ] {
        let said = prompt(&json!([{ "role": "user", "content": [file] }]));
        assert!(said.starts_with("d\n[file") && said.contains(ABC), "{said}");
    }
}

/// Some tell beside the content what a model thought, said in sound or drew.
#[test]
fn what_stands_beside_the_content_is_kept() {
    let url = "data:image/png;base64,YWJj";
    for (message, kept) in [
        (json!({ "content": "4C", "reasoning_content": "I look it up." }), "I look it up.\n4C".to_owned()),
        (json!({ "content": "4C", "reasoning": "I look it up." }), "I look it up.\n4C".to_owned()),
        (
            json!({ "content": null, "audio": { "id": "au1", "data": "YWJj", "transcript": "4C" } }),
            format!("[audio, {ABC}]\n4C"),
        ),
        (
            json!({ "content": "4C", "images": [{ "type": "image_url", "image_url": { "url": url } }] }),
            format!("4C\n[image image/png, {ABC}"),
        ),
    ] {
        let mut said_so = json!({ "role": "assistant" });
        said_so.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
        let told = said(&json!({ "gen_ai.output.messages": json!([said_so]).to_string() })).1.unwrap();
        assert!(told.starts_with(&kept), "{message}: {told}");
    }
    let failed = json!([{ "type": "mcp_call", "id": "m", "name": "search", "arguments": "{}", "output": null, "error": "no" }]);
    let told = said(&json!({ "gen_ai.output.messages": failed.to_string() })).1.unwrap();
    assert!(told.contains(r#""content":"no""#) && told.contains(r#""is_error":true"#), "{told}");
}

/// An agent is asked and answers as a model does, and what is searched has names of its own.
#[test]
fn what_an_agent_was_asked_and_what_was_searched_is_kept() {
    let asked = json!([{ "role": "user", "parts": [{ "type": "text", "content": "Weather?" }] }]).to_string();
    let answered =
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "4C" }] }]).to_string();
    let agent = step(&json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": asked,
        "gen_ai.output.messages": answered }));
    assert_eq!(
        (agent.params.as_deref(), agent.outcome_data.as_deref()),
        (Some(r#"{"input":"Weather?"}"#), Some(r#"{"output":"4C"}"#))
    );
    let flat =
        step(&json!({ "openinference.span.kind": "AGENT", "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Weather?" }));
    assert_eq!(flat.params.as_deref(), Some(r#"{"input":"Weather?"}"#));
    for (kind, name) in [
        ("RERANKER", "reranker.query"),
        ("RERANKER", "reranker.input_documents.0.document.content"),
        ("RETRIEVER", "retrieval.documents.0.document.content"),
        ("RETRIEVER", "gen_ai.retrieval.query.text"),
        ("PROMPT", "llm.prompt_template.template"),
    ] {
        let step = step(&json!({ "openinference.span.kind": kind, name: "pay 5 to Bob" }));
        assert!(step.params.unwrap().contains("pay 5 to Bob"), "{name}");
    }
    let both = step(&json!({ "openinference.span.kind": "RETRIEVER", "input.value": "Who?",
        "retrieval.documents.0.document.content": "Bob" }));
    let both = both.params.unwrap();
    assert!(both.contains("Who?") && both.contains("Bob"), "{both}");
}

/// What nobody knows keeps its form, and no picture's bytes.
#[test]
fn pictures_in_what_nobody_knows_are_marks() {
    let url = "data:image/png;base64,YWJj";
    let screen = json!([{ "type": "computer_call_output", "call_id": "c",
        "output": { "type": "computer_screenshot", "image_url": url } }]);
    let answer = json!([{ "role": "tool", "parts": [{ "type": "tool_call_response", "id": "t",
        "response": { "content": [{ "type": "image", "image_url": url }] } }] }]);
    for told in [
        prompt(&screen),
        prompt(&answer),
        said(&json!({ "input.value": json!({ "image_url": url }).to_string() })).0.unwrap(),
    ] {
        assert!(told.contains(&format!("[image image/png, {ABC}]")) && !told.contains("YWJj"), "{told}");
    }
}

#[test]
fn what_nobody_knows_stays_as_it_came() {
    for (messages, kept) in [
        (r#"[{"role":"user","content":[{"type":"later","x":[1]}]}]"#, r#"{"type":"later","x":[1]}"#),
        (r#"[{"role":"user","content":{"a":1}}]"#, r#"{"a":1}"#),
        (r#"["a","b"]"#, r#"["a","b"]"#),
        ("[1,2]", "[1,2]"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        ("Hi", "Hi"),
        ("[Hi", "[Hi"),
        (r#"[{"a":1}]"#, r#"[{"a":1}]"#),
    ] {
        assert_eq!(
            said(&json!({ "gen_ai.input.messages": messages })).0.as_deref(),
            Some(kept),
            "{messages}"
        );
    }
    let thought = said(&json!({ "gen_ai.output.messages": json!([
        { "type": "reasoning", "id": "r", "summary": [{ "type": "summary_text", "text": "I look it up." }] },
        { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "4C" }] }]).to_string() }));
    assert_eq!(
        thought.1.unwrap(),
        r#"[{"role":"assistant","content":"I look it up."},{"role":"assistant","content":"4C"}]"#
    );
    // A list of the user's own is no list of parts.
    let own = said(&json!({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "[{\"a\": 1}]" }));
    assert_eq!(own.0.as_deref(), Some("[{\"a\": 1}]"));
    assert_eq!(said(&json!({ "gen_ai.input.messages": "[]", "input.value": "Hi" })).0.as_deref(), Some("Hi"));
}

#[test]
fn a_name_that_says_nothing_hides_none_that_does() {
    let base = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.output_tokens": 1 });
    let with = |extra: Value| {
        let mut all = base.clone();
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        step(&all).llm.unwrap()
    };
    for nothing in [json!(""), json!(" \n"), json!(5), json!(true), json!(["x"])] {
        let call = with(
            json!({ "gen_ai.response.model": nothing, "gen_ai.provider.name": nothing, "gen_ai.system": "openai" }),
        );
        assert_eq!(
            (call.model.as_deref(), call.provider.as_deref()),
            (Some("gpt-4o"), Some("openai")),
            "{nothing}"
        );
    }
    for nothing in
        [json!(""), json!("12,345"), json!("many"), json!(-1), json!(true), json!(1.5), json!(["7"])]
    {
        let call = with(json!({ "gen_ai.usage.input_tokens": nothing, "llm.token_count.prompt": "100.0" }));
        assert_eq!(call.input_tokens, 100, "{nothing}");
    }
    assert_eq!(
        with(json!({ "gen_ai.usage.cost": "", "llm.cost.total": "0.5" })).cost_nanousd,
        Some(500_000_000)
    );
    assert_eq!(
        with(json!({ "gen_ai.provider.name": "_OTHER", "gen_ai.system": "openai" })).provider.as_deref(),
        Some("openai")
    );
    let tool =
        step(&json!({ "openinference.span.kind": "TOOL", "gen_ai.tool.name": "", "tool.name": "get_weather",
        "gen_ai.tool.call.arguments": " ", "tool.parameters": "", "input.value": "{\"city\":\"Oslo\"}" }));
    assert_eq!(
        (tool.skill_name.as_str(), tool.params.as_deref()),
        ("get_weather", Some("{\"city\":\"Oslo\"}"))
    );
    let chat = step(
        &json!({ "openinference.span.kind": "UNKNOWN", "gen_ai.operation.name": " ", "llm.request.type": "chat" }),
    );
    assert_eq!(chat.act, SpanAct::ModelCall);
}

#[test]
fn counts_are_those_that_can_be_read() {
    let with = |extra: Value| {
        let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "m" });
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        step(&all).llm.unwrap()
    };
    for written in [
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "llm.usage.cache_creation_input_tokens",
    ] {
        let call = with(
            json!({ "gen_ai.usage.input_tokens": 12_307, "gen_ai.usage.output_tokens": 550, written: 12_304 }),
        );
        assert_eq!(
            (call.input_tokens, call.cache_write_tokens, call.cost_note),
            (12_307, 12_304, None),
            "{written}"
        );
    }
    let beside = with(json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 128_955, "gen_ai.usage.total_tokens": 129_060 }));
    assert_eq!((beside.input_tokens, beside.cache_read_tokens), (128_960, 128_955));
    for unknown in [
        json!({}),
        json!({ "gen_ai.usage.input_tokens": "12,345", "gen_ai.usage.output_tokens": "1,000" }),
        json!({ "gen_ai.usage.input_tokens": -5, "gen_ai.usage.output_tokens": -5 }),
        json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 5, "gen_ai.usage.cache_read.input_tokens": "some" }),
    ] {
        assert!(with(unknown.clone()).cost_note.is_some(), "{unknown}");
    }
    let blank = with(
        json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": "7.0", "gen_ai.usage.cache_read.input_tokens": "" }),
    );
    assert_eq!((blank.input_tokens, blank.output_tokens, blank.cost_note), (5, 7, None));
    for (address, host) in [
        ("openrouter.ai", Some("openrouter.ai")),
        ("https://u:p@OpenRouter.ai:443/api/v1", Some("openrouter.ai")),
        ("[2001:DB8::7]:8000", Some("2001:db8::7")),
        ("http://[2001:db8::7]/v1", Some("2001:db8::7")),
        ("::1", Some("::1")),
        ("no host", None),
        ("[no host]:80", None),
    ] {
        assert_eq!(with(json!({ "server.address": address })).server_address.as_deref(), host, "{address}");
    }
}

#[test]
fn a_word_of_their_own_is_judged_by_what_the_span_carries() {
    let call = json!({ "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100 });
    let with = |word: &str, extra: Value| {
        let mut all = call.clone();
        all["gen_ai.operation.name"] = word.into();
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        step(&all)
    };
    for word in
        ["responses", "text_completions", "chat.completions", "messages", "_OTHER", "something of theirs"]
    {
        let step = with(word, json!({}));
        assert_eq!(step.llm.expect(word).input_tokens, 100, "{word}");
    }
    assert_eq!(with("create embeddings", json!({})).skill_name, "openai.embeddings");
    assert_eq!(with("run", json!({ "gen_ai.tool.name": "t" })).act, SpanAct::ToolCall);
    let agents = with("my_llm_step", json!({ "gen_ai.agent.name": "a" }));
    assert_eq!(
        (agents.act, agents.skill_name.as_str()),
        (SpanAct::ModelCall, "openai.chat"),
        "an agent's call"
    );
    assert_eq!(
        with("invoke_agent", json!({ "gen_ai.agent.name": "a" })).act,
        SpanAct::Other,
        "its own word is believed"
    );
    // An agent that answered names a model too; what it used nobody says.
    let agent = step(&json!({ "gen_ai.operation.name": "invoke_swarm", "gen_ai.agent.name": "a",
        "gen_ai.request.model": "gpt-4o", "gen_ai.output.messages": "done" }));
    assert_eq!((agent.act, agent.skill_name.as_str()), (SpanAct::Other, "a"));
    for call in [
        json!({ "llm.model_name": "gpt-4o", "llm.token_count.prompt": 100, "llm.token_count.completion": 10 }),
        json!({ "openinference.span.kind": "UNKNOWN", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 100 }),
    ] {
        assert_eq!(step(&call).llm.expect("a model with usage is a call").input_tokens, 100, "{call}");
    }
    let mut stream = crate::spans::span(
        "eee19b7ec3c1b174",
        &json!({ "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o" }),
    );
    assert_eq!(crate::spans::read(&[stream.clone()]).spans[0].act, SpanAct::Other);
    stream["kind"] = 3.into();
    let stream = crate::spans::read(&[stream]).spans.pop().unwrap();
    assert_eq!(stream.act, SpanAct::ModelCall, "a client called that seller's model");
    assert!(stream.llm.unwrap().cost_note.is_some(), "for what, nobody says");
    let bare = step(&json!({ "gen_ai.operation.name": "plan", "gen_ai.request.model": "gpt-4o" }));
    assert_eq!(bare.act, SpanAct::Other, "nothing answered it");
}

#[test]
fn the_schema_of_a_tool_is_not_what_it_was_called_with() {
    let schema = r#"{"type": "object", "title": "run", "properties": {"command": {"type": "string"}}}"#;
    let with = |extra: Value| {
        let mut all = json!({ "openinference.span.kind": "TOOL", "tool.name": "run" });
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        step(&all).params
    };
    let (given, other) = (r#"{"command": "ls"}"#, r#"{"query": "all of it"}"#);
    assert_eq!(with(json!({ "tool.parameters": schema, "input.value": given })).as_deref(), Some(given));
    assert_eq!(with(json!({ "tool.parameters": "{}", "input.value": given })).as_deref(), Some(given));
    assert_eq!(with(json!({ "tool.parameters": given, "input.value": other })).as_deref(), Some(given));
    assert_eq!(with(json!({ "tool.parameters": schema })).as_deref(), Some(schema), "there is nothing else");
}

/// Whichever side tells of a call, it is one; where both do, the tree counts it once.
#[test]
fn each_side_of_a_tool_tells_of_its_call() {
    let read = |kind: u64, parent: &str, flags: u64| {
        let mut span = crate::spans::span(
            "eee19b7ec3c1b174",
            &json!({ "mcp.method.name": "tools/call",
            "gen_ai.tool.name": "run_shell", "gen_ai.tool.call.arguments": "{\"command\":\"rm -rf /\"}" }),
        );
        span["kind"] = kind.into();
        span["parentSpanId"] = parent.into();
        span["flags"] = flags.into();
        crate::spans::read(&[span]).spans.pop().unwrap()
    };
    for (kind, parent, flags) in [
        (3, "0000000000000001", 0),
        (2, "0000000000000001", 0),
        (2, "0000000000000001", 0x300),
        (1, "0000000000000001", 0),
        (2, "", 0),
    ] {
        let step = read(kind, parent, flags);
        let act = if kind == 2 { SpanAct::ToolServer } else { SpanAct::ToolCall };
        assert_eq!((step.act, step.skill_name.as_str()), (act, "run_shell"), "{kind} {parent}");
        assert_eq!(step.params.as_deref(), Some("{\"command\":\"rm -rf /\"}"));
    }
}

#[test]
fn a_parent_in_another_process_is_told_by_the_flags() {
    for (flags, remote) in [(0, false), (0x101, false), (0x200, false), (0x301, true)] {
        let mut span = crate::spans::span("eee19b7ec3c1b174", &json!({}));
        span["flags"] = flags.into();
        let root = crate::spans::read(&[span.clone()]).spans.pop().unwrap();
        assert!(!root.parent_is_remote);
        span["parentSpanId"] = "0000000000000001".into();
        assert_eq!(crate::spans::read(&[span]).spans[0].parent_is_remote, remote, "{flags:x}");
    }
}
