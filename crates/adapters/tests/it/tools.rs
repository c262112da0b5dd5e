//! Calls of tools, as the span of the tool tells them: by attributes, by events, by messages.

use orchestrator::ports::{ReportedSpan, SpanAct};
use serde_json::{Value, json};

use crate::spans::{read, span};

const CALLED_WITH: &str = r#"{"command":"rm -rf /"}"#;

/// The step of a tool's span with these attributes and events.
fn tool(attributes: &Value, events: &[Value]) -> ReportedSpan {
    let mut all = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "sh" });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let mut one = span("eee19b7ec3c1b174", &all);
    one["events"] = events.into();
    let step = read(&[one]).spans.pop().unwrap();
    assert_eq!((step.act, step.skill_name.as_str()), (SpanAct::ToolCall, "sh"));
    step
}

fn event(name: &str, attributes: &Value) -> Value {
    json!({ "name": name, "attributes": attributes })
}

#[test]
fn arguments_and_results_are_known_by_everybodys_names() {
    for (arguments, result) in [
        ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        ("gen_ai.tool.arguments", "gen_ai.tool.result"),
        ("gen_ai.tool.input", "gen_ai.tool.output"),
        ("gen_ai.tool.args", "gen_ai.tool.output"),
        ("gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response"),
        ("tool_arguments", "tool_response"),
        ("mcp.request.arguments", "mcp.tool.result.content"),
        ("tool.parameters", "output.value"),
        ("input.value", "traceloop.entity.output"),
        ("gen_ai.tool.parameters", "output.value"),
        ("gen_ai.prompt", "gen_ai.completion"),
        ("input", "output"),
        ("lk.function_tool.arguments", "lk.function_tool.output"),
        ("haystack.tool.input", "haystack.tool.output"),
        ("mlflow.spanInputs", "mlflow.spanOutputs"),
        ("lmnr.span.input", "lmnr.span.output"),
    ] {
        let step = tool(&json!({ arguments: CALLED_WITH, result: "done" }), &[]);
        assert_eq!(step.params.as_deref(), Some(CALLED_WITH), "{arguments}");
        assert_eq!(step.outcome_data.as_deref(), Some(r#"{"output":"done"}"#), "{result}");
        assert!(!step.arguments_untold, "{arguments}");
    }
}

/// What a rule on commands is to see lies somewhere, and that nobody knows where is told.
#[test]
fn arguments_by_a_name_that_nobody_knows_do_not_vanish() {
    for name in ["of.ours", "gen_ai.tool.invocation", "mcp.request.body", "tool_params"] {
        let step = tool(&json!({ name: CALLED_WITH, "thread.id": 7, "server.address": "h.example" }), &[]);
        let params: Value = serde_json::from_str(step.params.as_deref().unwrap()).unwrap();
        assert_eq!((params, step.arguments_untold), (json!({ name: CALLED_WITH }), true));
    }
    let nothing = tool(&json!({ "gen_ai.tool.call.id": "t1", "gen_ai.tool.description": "runs it" }), &[]);
    assert_eq!((nothing.params, nothing.arguments_untold), (None, true));
    let none = tool(&json!({ "gen_ai.tool.call.arguments": "{}", "of.ours": "x" }), &[]);
    assert_eq!(
        (none.params.as_deref(), none.arguments_untold),
        (Some("{}"), false),
        "it is told that there are none"
    );
}

/// LangSmith's exporter has one name for what goes into anything; of MCP some keep the parameters of the request.
#[test]
fn what_went_into_a_tool_is_what_it_was_called_with() {
    let wrapped = r#"{"input":"{'command': 'rm -rf /'}"}"#;
    for (name, told, kept) in [
        ("gen_ai.prompt", wrapped, wrapped),
        ("gen_ai.prompt", r#"{"type":"now","command":"ls"}"#, r#"{"type":"now","command":"ls"}"#),
        ("gen_ai.prompt", "ls -l", r#"{"input":"ls -l"}"#),
        ("gen_ai.input.messages", CALLED_WITH, CALLED_WITH),
        (
            "mcp.request.params",
            r#"{"name":"sh","arguments":{"n":12345678901234567890123}}"#,
            r#"{"n":12345678901234567890123}"#,
        ),
        ("mcp.request.params", "{'name': 'sh'", r#"{"input":"{'name': 'sh'"}"#),
    ] {
        let step = tool(&json!({ name: told }), &[]);
        assert_eq!((step.params.as_deref(), step.arguments_untold), (Some(kept), false), "{name}");
    }
    let both =
        tool(&json!({ "input.value": CALLED_WITH, "gen_ai.prompt": "{}", "input": "of another" }), &[]);
    assert_eq!(both.params.as_deref(), Some(CALLED_WITH), "what is known for that is believed first");
}

/// Sentry's MCP servers give each argument an attribute, in JSON.
#[test]
fn arguments_that_have_an_attribute_each_are_one_object() {
    let one = |name: &str, value: &Value| {
        let attributes = json!({ "mcp.method.name": "tools/call", "mcp.tool.name": "sh", "mcp.request.id": "1",
            "mcp.request.argument.times": "12345678901234567890123", name: value });
        let step = read(&[span("eee19b7ec3c1b174", &attributes)]).spans.pop().unwrap();
        assert_eq!((step.act, step.skill_name.as_str()), (SpanAct::ToolCall, "sh"));
        step.params.unwrap()
    };
    for (value, kept) in [
        (json!("\"rm -rf /\""), r#""rm -rf /""#),
        (json!("rm -rf /"), r#""rm -rf /""#),
        (json!(r#"["rm", "-rf"]"#), r#"["rm", "-rf"]"#),
        (json!(true), "true"),
        (json!(7), "7"),
    ] {
        assert_eq!(
            one("mcp.request.argument.command", &value),
            format!(r#"{{"command":{kept},"times":12345678901234567890123}}"#),
            "each digit of it"
        );
    }
    let first = one("gen_ai.tool.call.arguments", &json!(CALLED_WITH));
    assert_eq!(first, CALLED_WITH, "the whole is believed before its parts");
}

/// Strands tells of a tool in events, or, by the newest conventions, in messages.
#[test]
fn events_and_messages_tell_what_a_tool_was_called_with() {
    let called = json!([{ "role": "tool", "parts": [{ "type": "tool_call", "name": "sh", "id": "t1",
        "arguments": { "command": "rm -rf /" } }] }]);
    let answered = json!([{ "role": "tool", "parts": [{ "type": "tool_call_response", "id": "t1",
        "response": [{ "text": "done" }] }] }]);
    let (called, answered) = (called.to_string(), answered.to_string());
    let details = "gen_ai.client.inference.operation.details";
    let by_events = [
        event("gen_ai.tool.message", &json!({ "role": "tool", "content": CALLED_WITH, "id": "t1" })),
        event("gen_ai.choice", &json!({ "message": r#"[{"text":"done"}]"#, "id": "t1" })),
    ];
    let by_details = [
        event(details, &json!({ "gen_ai.input.messages": called })),
        event(details, &json!({ "gen_ai.output.messages": answered })),
    ];
    for step in [
        tool(&json!({}), &by_events),
        tool(&json!({}), &by_details),
        tool(&json!({ "gen_ai.input.messages": called, "gen_ai.output.messages": answered }), &[]),
    ] {
        assert_eq!(step.params.as_deref(), Some(CALLED_WITH));
        assert_eq!(step.outcome_data.as_deref(), Some(r#"{"output":"done"}"#));
    }
    let both = tool(&json!({ "gen_ai.tool.call.arguments": r#"{"command":"ls"}"# }), &by_events);
    assert_eq!(both.params.as_deref(), Some(r#"{"command":"ls"}"#), "an attribute is believed first");
    let schema = r#"{"type": "object", "properties": {"command": {"type": "string"}}}"#;
    let doubtful = tool(&json!({ "tool.parameters": schema }), &by_events);
    assert_eq!(doubtful.params.as_deref(), Some(CALLED_WITH), "a schema is not what it was called with");
}

/// A framework says of its own span that it is a chain, and the conventions' word beside it what it did.
#[test]
fn a_tools_call_is_one_whatever_else_the_span_is_called() {
    let called = |extra: Value| {
        let mut all = json!({ "gen_ai.tool.name": "sh", "gen_ai.tool.call.arguments": CALLED_WITH });
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        read(&[span("eee19b7ec3c1b174", &all)]).spans.pop().unwrap()
    };
    for extra in [
        json!({ "openinference.span.kind": "CHAIN", "gen_ai.operation.name": "execute_tool" }),
        json!({ "openinference.span.kind": "AGENT", "mcp.method.name": "tools/call" }),
        json!({ "traceloop.span.kind": "workflow" }),
        json!({ "langfuse.observation.type": "agent" }),
        json!({ "gen_ai.operation.name": "invoke_agent" }),
        json!({ "gen_ai.operation.name": "function_call", "gen_ai.tool.name": "", "tool.name": "sh" }),
    ] {
        let step = called(extra.clone());
        assert_eq!((step.act, step.skill_name.as_str()), (SpanAct::ToolCall, "sh"), "{extra}");
        assert_eq!(step.params.as_deref(), Some(CALLED_WITH), "{extra}");
    }
    let nameless = called(json!({ "gen_ai.tool.name": "" }));
    assert_eq!(nameless.act, SpanAct::ToolCall, "what it was called with says it");
    let agent = called(json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 9 }));
    assert_eq!((agent.act, agent.llm.is_some()), (SpanAct::Other, true), "its use is an agent's");
}

/// A message may have several calls, and a tool's span is of one.
#[test]
fn of_several_calls_a_tools_own_is_taken() {
    let part = |name: &str, id: &str, arguments: &Value| json!({ "type": "tool_call", "name": name, "id": id, "arguments": arguments });
    let own = json!({ "command": "rm -rf /" });
    let said = |parts: &[Value]| json!([{ "role": "assistant", "parts": parts }]).to_string();
    let several = said(&[part("a", "t1", &json!({ "q": 1 })), part("sh", "t2", &own)]);
    let others = said(&[part("a", "t1", &json!({ "q": 1 })), part("b", "t3", &json!({ "q": 2 }))]);
    let answered = json!([
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "t1", "response": "no" }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "t2", "response": "done" }] },
    ]);
    for id in ["t2", "of nobody's"] {
        let of =
            |raw: &str| tool(&json!({ "gen_ai.tool.call.id": id, "gen_ai.input.messages": raw }), &[]).params;
        assert_eq!(of(&several).as_deref(), Some(CALLED_WITH), "by its id, else by its name: {id}");
        assert_eq!(of(&others), None, "nobody's is not its own: {id}");
    }
    let anothers = said(&[part("a", "t1", &json!({ "q": 1 }))]);
    let step = tool(&json!({ "gen_ai.tool.call.id": "t2", "gen_ai.input.messages": anothers }), &[]);
    assert_eq!(step.params, None, "the only one may be another's too");
    let twice = said(&[part("sh", "t1", &json!({ "q": 1 })), part("sh", "t3", &own)]);
    let step = tool(&json!({ "gen_ai.input.messages": twice }), &[]);
    assert_eq!(step.params.as_deref(), Some(CALLED_WITH), "of several of its name the last");
    let other = json!({ "gen_ai.tool.call.id": "t9", "gen_ai.output.messages": answered.to_string() });
    assert_eq!(tool(&other, &[]).outcome_data, None, "what others answered is not its own");
    let step =
        tool(&json!({ "gen_ai.tool.call.id": "t2", "gen_ai.output.messages": answered.to_string() }), &[]);
    assert_eq!(step.outcome_data.as_deref(), Some(r#"{"output":"done"}"#));
}

/// What says that there are no arguments is believed where nothing else says any.
#[test]
fn arguments_that_say_nothing_hide_none() {
    for nothing in ["{}", "null", "None", "[]", " {} "] {
        for (name, other) in [
            ("gen_ai.tool.call.arguments", "gen_ai.tool.input"),
            ("gen_ai.tool.call.arguments", "input.value"),
            ("tool_arguments", "tool.parameters"),
            ("input.value", "tool.parameters"),
        ] {
            let step = tool(&json!({ name: nothing, other: CALLED_WITH }), &[]);
            assert_eq!(step.params.as_deref(), Some(CALLED_WITH), "{name} {nothing}, {other}");
        }
        let message = |content: &str| event("gen_ai.tool.message", &json!({ "content": content }));
        let step = tool(&json!({ "tool_arguments": nothing }), &[message("{}"), message(CALLED_WITH)]);
        assert_eq!(step.params.as_deref(), Some(CALLED_WITH), "{nothing}");
    }
    for nothing in [r#"{"args": [], "kwargs": {}}"#, r#"{"command": null}"#, r#"[""]"#, "NULL", "nil", "\"\""]
    {
        for other in ["gen_ai.tool.input", "traceloop.entity.input"] {
            let of = |name: &str| tool(&json!({ name: nothing, other: CALLED_WITH }), &[]).params;
            assert_eq!(of("gen_ai.tool.call.arguments").as_deref(), Some(CALLED_WITH), "{nothing}, {other}");
            assert_eq!(of("input.value").as_deref(), Some(CALLED_WITH), "{nothing}, {other}");
        }
        let answered = tool(&json!({ "gen_ai.tool.call.result": nothing, "output.value": "done" }), &[]);
        assert_eq!(answered.outcome_data.as_deref(), Some(r#"{"output":"done"}"#), "{nothing}");
        let agent =
            json!({ "gen_ai.operation.name": "invoke_agent", "input.value": nothing, "gen_ai.prompt": "Hi" });
        assert_eq!(crate::spans::step(&agent).params.as_deref(), Some(r#"{"input":"Hi"}"#), "{nothing}");
    }
    for something in [r#"{"n": 0}"#, r#"{"dry": false}"#, "[0]"] {
        let step = tool(&json!({ "gen_ai.tool.call.arguments": something, "input.value": CALLED_WITH }), &[]);
        assert_ne!(step.params.as_deref(), Some(CALLED_WITH), "{something}");
    }
    let none = tool(&json!({ "gen_ai.tool.call.arguments": "{}", "tool.parameters": "{}" }), &[]);
    assert_eq!(none.params.as_deref(), Some("{}"), "there were none");
}

/// So the tree sees through it, between the two sides of a tool.
#[test]
fn a_servers_request_is_named_by_its_method() {
    for (attribute, kind, name, named) in [
        ("http.request.method", 2, "POST /mcp", "POST /mcp"),
        ("http.request.method", 2, "/mcp", "POST /mcp"),
        ("http.method", 2, "/mcp", "POST /mcp"),
        ("http.method", 2, "HTTP POST", "HTTP POST"),
        ("http.request.method", 1, "/mcp", "/mcp"),
        ("another", 2, "/mcp", "/mcp"),
    ] {
        let mut one = span("eee19b7ec3c1b174", &json!({ attribute: "POST" }));
        one["kind"] = kind.into();
        one["name"] = name.into();
        let step = read(&[one]).spans.pop().unwrap();
        assert_eq!(
            (step.act, step.skill_name.as_str()),
            (SpanAct::Other, named),
            "{attribute} {kind} {name}"
        );
    }
}

/// A rule on hosts sees where a request went, also where nothing tells the whole URL.
#[test]
fn a_request_that_is_told_in_parts_has_a_url() {
    for (parts, url) in [
        (
            json!({ "url.full": "https://a.example/x", "server.address": "b.example" }),
            Some("https://a.example/x"),
        ),
        (
            json!({ "server.address": "a.example", "url.path": "/x", "url.scheme": "http" }),
            Some("http://a.example/x"),
        ),
        (json!({ "net.peer.name": "a.example", "http.target": "x?y=1" }), Some("https://a.example/x?y=1")),
        (json!({ "server.address": "2001:db8::7" }), Some("https://[2001:db8::7]/")),
        (json!({ "url.path": "/x" }), None),
    ] {
        let mut all = json!({ "http.request.method": "GET" });
        all.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        let mut one = span("eee19b7ec3c1b174", &all);
        one["kind"] = 3.into();
        let step = read(&[one]).spans.pop().unwrap();
        let params: Value = serde_json::from_str(step.params.as_deref().unwrap()).unwrap();
        assert_eq!((step.act, params["url"].as_str()), (SpanAct::HttpCall, url), "{parts}");
    }
}
