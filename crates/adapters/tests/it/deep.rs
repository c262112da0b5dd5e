//! Messages that are made to cost: parts within parts, and parts without number.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value, json};

use crate::spans::{read, span, step};

/// Each level of parts is a frame of the stack, and whoever exports says how many there are.
#[test]
fn parts_within_parts_exhaust_no_stack() {
    const LEVELS: usize = 4_000;
    let shapes = [
        (r#"{"type":"text","content":["#, "]}"),
        (r#"{"type":"tool_result","tool_use_id":"a","content":["#, "]}"),
        (r#"{"type":"reasoning","content":["#, "]}"),
        (r#"{"type":"reasoning","summary":["#, "]}"),
        (r#"{"functionResponse":{"name":"t","response":["#, "]}}"),
        (r#"{"toolResult":{"toolUseId":"a","content":["#, "]}}"),
    ];
    let small = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        for (open, close) in shapes {
            let inner = r#"{"type":"text","text":"the deepest"}"#;
            let parts = format!("{}{inner}{}", open.repeat(LEVELS), close.repeat(LEVELS));
            let whole = format!(r#"[{{"role":"user","content":[{parts}]}}]"#);
            for (key, value) in [
                ("gen_ai.input.messages", whole),
                ("gen_ai.system_instructions", format!("[{parts}]")),
                ("gen_ai.prompt.0.content", format!("[{parts}]")),
            ] {
                let read = step(&json!({ "gen_ai.operation.name": "chat", key: value }));
                let prompt = read.llm.and_then(|llm| llm.prompt).unwrap_or_default();
                assert!(read.cut && prompt.contains("the deepest"), "{key}: {open}");
            }
        }
    });
    small.expect("a thread starts").join().expect("no message exhausts the stack");
}

#[test]
fn what_lies_within_a_few_parts_is_read() {
    let result =
        json!({ "type": "tool_result", "tool_use_id": "b", "content": [{ "type": "text", "text": "4C" }] });
    let outer = json!({ "type": "tool_result", "tool_use_id": "a", "content": [result, { "type": "text", "text": "done" }] });
    let messages = json!([{ "role": "user", "content": [outer] }]).to_string();
    let read = step(&json!({ "gen_ai.operation.name": "chat", "gen_ai.input.messages": messages }));
    assert!(!read.cut);
    assert_eq!(
        read.llm.and_then(|llm| llm.prompt).as_deref(),
        Some(
            r#"[{"role":"tool","content":"4C","tool_call_id":"b"},{"role":"tool","content":"done","tool_call_id":"a"}]"#
        )
    );
}

/// The prompt of a message with that text, and with parts of these.
fn with_parts(whole: &str, parts: &[&str]) -> String {
    let mut attributes = Map::new();
    attributes.insert("gen_ai.operation.name".to_owned(), "chat".into());
    attributes.insert("llm.input_messages.0.message.role".to_owned(), "user".into());
    attributes.insert("llm.input_messages.0.message.content".to_owned(), whole.into());
    for (at, part) in parts.iter().enumerate() {
        let key = format!("llm.input_messages.0.message.contents.{at}.message_content.text");
        attributes.insert(key, (*part).into());
    }
    step(&Value::Object(attributes)).llm.and_then(|llm| llm.prompt).unwrap_or_default()
}

#[test]
fn what_a_message_says_whole_and_in_parts_is_said_once() {
    for (whole, parts, said) in [
        ("one two", &["one", "two"][..], "one two"),
        ("one two", &["two", "one", "one"], "one two"),
        ("one two", &["one", "three", "two"], "one two\nthree"),
        ("one", &["", "one"], "one"),
    ] {
        assert_eq!(with_parts(whole, parts), said, "{parts:?}");
    }
}

/// To look for each of many parts in a long text would take a core for minutes.
#[test]
fn many_parts_beside_a_long_text_are_read_at_once() {
    let long = "p".repeat(4 << 20);
    let parts = vec!["pppppppppppppppppppqp"; 40_000];
    let begun = Instant::now();
    let said = with_parts(&long, &parts);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    assert_eq!(said.len(), long.len() + 40_000 * (parts[0].len() + 1));
}

/// The time that this thread was on a processor: whatever else runs adds nothing to it.
fn on_this_thread() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Eight times as much takes about eight times as long. Where each of a list is held against each of another, it is 64
/// times.
fn takes_no_longer_than_it_is_long(much: usize, work: impl Fn(usize)) {
    let least = |much: usize| {
        let took = |_| {
            let begun = on_this_thread();
            work(much);
            on_this_thread().saturating_sub(begun)
        };
        (0..3).map(took).min().unwrap_or_default()
    };
    let (one, eight) = (least(much), least(8 * much));
    assert!(eight < 24 * one, "{one:?}, and for eight times as much {eight:?}");
}

#[test]
fn many_instructions_beside_many_messages_are_read_at_once() {
    takes_no_longer_than_it_is_long(4_000, |many| {
        let instructions = vec![json!({ "type": "tool_result", "content": "a" }); many];
        let messages = vec![json!({ "role": "u", "content": "b" }); many];
        let read = step(&json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.system_instructions": Value::from(instructions).to_string(),
            "gen_ai.input.messages": Value::from(messages).to_string(),
        }));
        let prompt = read.llm.and_then(|llm| llm.prompt).unwrap_or_default();
        assert_eq!(prompt.matches("\"content\"").count(), 2 * many);
    });
}

/// What a tool was called with is blanks: the events behind are asked for more, and the blanks not again for each of
/// them.
#[test]
fn many_events_behind_long_blanks_are_read_at_once() {
    takes_no_longer_than_it_is_long(1_000, |many| {
        let call = json!({ "id": "a", "name": "t", "arguments": " ".repeat(16 * many) });
        let messages = json!([{ "role": "assistant", "tool_calls": [call] }]).to_string();
        let attributes =
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.input.messages": messages });
        let mut tool = span("eee19b7ec3c1b174", &attributes);
        tool["events"] = vec![json!({ "name": "gen_ai.tool.message" }); many].into();
        assert_eq!(read(&[tool]).spans.len(), 1);
    });
}
