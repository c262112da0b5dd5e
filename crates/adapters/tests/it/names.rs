//! Names of models, tools, agents and people: one that says nothing hides none that does, and by itself is none.

use orchestrator::choke::call::PartOf;
use serde_json::{Value, json};

use crate::spans::{read, span, step};

/// What instrumentations write for a name that they did not find.
const NOTHING: [&str; 14] = [
    "unknown",
    "UNKNOWN",
    "Unknown",
    "None",
    "null",
    "undefined",
    "N/A",
    "<unknown>",
    "<none>",
    "nil",
    "-",
    "??",
    "unset",
    "NOT_GIVEN",
];

/// OpenLLMetry writes `unknown` as the model that was asked for and as the one that answered.
#[test]
fn a_word_for_no_name_hides_no_name() {
    for nothing in NOTHING {
        let call = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": nothing, "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": nothing, "gen_ai.response.id": nothing,
            "llm.response.id": "r1", "server.address": nothing, "net.peer.name": "api.openai.com",
            "gen_ai.response.finish_reasons": [nothing, "stop"] });
        let call = step(&call);
        assert_eq!(call.skill_name, "openai.chat", "{nothing}");
        let llm = call.llm.unwrap();
        assert_eq!(
            (llm.model.as_deref(), llm.request_id.as_deref(), llm.server_address.as_deref()),
            (Some("gpt-4o"), Some("r1"), Some("api.openai.com")),
            "{nothing}"
        );
        assert_eq!(llm.finish_reason.as_deref(), Some("stop"), "{nothing}");
        let tool = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": nothing, "tool.name": "run_shell" });
        assert_eq!(step(&tool).skill_name, "run_shell", "{nothing}");
        let agent = json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": nothing, "agent.name": "planner" });
        assert_eq!(step(&agent).skill_name, "planner", "{nothing}");
        let word = json!({ "openinference.span.kind": nothing, "gen_ai.operation.name": nothing, "llm.request.type": "chat" });
        assert!(step(&word).llm.is_some(), "{nothing}");
        let people = json!({ "gen_ai.conversation.id": nothing, "conversation.id": "c1", "session.id": nothing,
            "gen_ai.session.id": "s1", "user.id": nothing, "enduser.id": "u1" });
        let of = step(&people).part_of;
        assert_eq!(
            (of.conversation_id.as_deref(), of.session_id.as_deref(), of.user_id.as_deref()),
            (Some("c1"), Some("s1"), Some("u1")),
            "{nothing}"
        );
    }
}

/// A list of reasons comes as a list, or as the text that a program makes of one.
#[test]
fn why_it_ended_is_one_word_however_it_is_listed() {
    for told in [
        json!("stop"),
        json!(["stop"]),
        json!(["", "stop", "length"]),
        json!("[\"stop\"]"),
        json!("['stop', 'length']"),
        json!("[null, \"stop\"]"),
        json!(" [stop] "),
    ] {
        let call = step(&json!({ "gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": told }));
        assert_eq!(call.llm.unwrap().finish_reason.as_deref(), Some("stop"), "{told}");
    }
    for nothing in [json!("[]"), json!("[null]"), json!([])] {
        let call =
            step(&json!({ "gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": nothing }));
        assert_eq!(call.llm.unwrap().finish_reason, None, "{nothing}");
    }
}

#[test]
fn a_word_for_no_name_is_none_by_itself() {
    for nothing in NOTHING {
        let call = step(&json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": nothing,
            "gen_ai.request.model": nothing, "gen_ai.response.model": nothing, "user.id": nothing }));
        assert_eq!((call.skill_name.as_str(), call.part_of.user_id), ("chat", None), "{nothing}");
        let llm = call.llm.unwrap();
        assert_eq!((llm.model, llm.model_requested, llm.provider), (None, None, None), "{nothing}");
        let bare = step(&json!({ "gen_ai.tool.name": nothing }));
        assert_eq!(bare.skill_name, "a span", "{nothing}: nothing says that it is a tool");
        let mut tool = span("eee19b7ec3c1b174", &json!({ "gen_ai.operation.name": "execute_tool" }));
        tool["name"] = format!("execute_tool {nothing}").into();
        let named = read(&[tool.clone()]).spans.pop().unwrap();
        assert_eq!(named.skill_name, format!("execute_tool {nothing}"), "as a span without a tool's name");
    }
    for name in ["none-such", "unknown_service", "nullify", "get_unknown"] {
        let tool = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "tool.name": "other" });
        assert_eq!(step(&tool).skill_name, name, "a name that only has such a word in it");
    }
}

/// What failed without anybody knowing why has failed all the same.
#[test]
fn an_error_of_an_unknown_type_is_one() {
    let fails = |kind: &str| step(&json!({ "error.type": kind })).failure;
    assert_eq!(fails("unknown").as_deref(), Some("unknown"));
    assert_eq!((fails("None"), fails("null"), fails("undefined")), (None, None, None));
    let mut thrown = span("eee19b7ec3c1b174", &json!({ "error.type": "unknown" }));
    thrown["events"] = json!([{ "name": "exception", "attributes": { "exception.type": "ValueError" } }]);
    assert_eq!(read(&[thrown]).spans[0].failure.as_deref(), Some("ValueError"));
}

#[test]
fn a_resource_without_a_name_takes_the_next_that_says_something() {
    let agent = |attributes: Value| {
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span("eee19b7ec3c1b174", &json!({}))] }],
            "resource": { "attributes": attributes } }] });
        let read = crate::spans::json(&body);
        (read.sources[0].agent_id.clone(), read.sources[0].project_id.clone())
    };
    for nothing in NOTHING {
        let named =
            agent(json!({ "hoc.agent_id": nothing, "service.name": "weather", "hoc.project_id": nothing,
            "openinference.project.name": "p" }));
        assert_eq!(named, ("weather".to_owned(), Some("p".to_owned())), "{nothing}");
        let nobody = agent(json!({ "service.name": nothing, "hoc.project_id": nothing }));
        assert_eq!(nobody, ("unknown_service".to_owned(), None), "{nothing}");
    }
}

/// A user may be a number, however it is written.
#[test]
fn a_number_may_be_a_name() {
    for (id, name) in [(json!(7), "7"), (json!(7.0), "7"), (json!("7"), "7"), (json!(7.5), "7.5")] {
        assert_eq!(step(&json!({ "user.id": id })).part_of.user_id.as_deref(), Some(name), "{id}");
    }
}

/// A process for each conversation says so once, as its resource; LangGraph says its thread in the metadata of a span.
#[test]
fn whose_conversation_it_is_is_told_by_the_resource_and_by_metadata_too() {
    let own = json!({ "session.id": "s2" });
    let body = json!({ "resourceSpans": [
        { "scopeSpans": [{ "spans": [span("0000000000000001", &json!({})), span("0000000000000002", &own)] }],
          "resource": { "attributes": { "session.id": "s1", "user.id": "u1", "gen_ai.conversation.id": "c1" } } },
        { "scopeSpans": [{ "spans": [span("0000000000000003", &json!({}))] }] },
    ] });
    let read = crate::spans::json(&body);
    let said = |of: &PartOf| [&of.conversation_id, &of.session_id, &of.user_id].map(Option::clone);
    let name = |name: &str| Some(name.to_owned());
    let of_spans: Vec<_> = read.spans.iter().map(|span| (span.source, said(&span.part_of))).collect();
    // Each says what is its own: what all of them are of may be long, and stands once.
    assert_eq!(of_spans, [(0, [None, None, None]), (0, [None, name("s2"), None]), (1, [None, None, None])]);
    assert_eq!(
        read.sources.iter().map(|source| said(&source.part_of)).collect::<Vec<_>>(),
        [[name("c1"), name("s1"), name("u1")], [None, None, None]]
    );
    let of =
        step(&json!({ "metadata": r#"{"thread_id": "t1", "session_id": null, "user_id": 7, "step": 1}"# }))
            .part_of;
    assert_eq!(
        (of.conversation_id.as_deref(), of.session_id, of.user_id.as_deref()),
        (Some("t1"), None, Some("7"))
    );
    for metadata in [
        json!({ "thread_id": "t1", "user_id": 7, "n": [1] }),
        json!("{'thread_id': 't1', 'user_id': 7, 'n': None}"),
    ] {
        let of = step(&json!({ "metadata": metadata })).part_of;
        assert_eq!(
            (of.conversation_id.as_deref(), of.user_id.as_deref()),
            (Some("t1"), Some("7")),
            "{metadata}"
        );
    }
    for place in [
        "langsmith.metadata.",
        "langfuse.trace.metadata.",
        "langfuse.observation.metadata.",
        "lmnr.association.properties.",
        "langwatch.metadata.",
    ] {
        let ids = ["thread_id", "session_id", "user_id"].map(|id| (format!("{place}{id}"), json!(id)));
        let of = step(&Value::Object(ids.into_iter().collect())).part_of;
        assert_eq!(said(&of), [name("thread_id"), name("session_id"), name("user_id")], "{place}");
    }
    let of = step(&json!({ "langwatch.thread.id": "t1", "session.id": 2_f64.powi(60) })).part_of;
    assert_eq!(said(&of), [name("t1"), name("1152921504606846976"), None], "each digit");
    let first = step(&json!({ "metadata": r#"{"thread_id": "t1"}"#, "conversation.id": "c1" })).part_of;
    assert_eq!(first.conversation_id.as_deref(), Some("c1"));
}
