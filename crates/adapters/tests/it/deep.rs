//! Messages that are made to cost: parts within parts, and parts without number.

use serde_json::json;

use crate::spans::step;

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
