//! For each operation a body that is taken, with as much in it as goes together.

use serde_json::{Value, json};

use crate::harness::in_a_month;

/// No two with other serials are taken for a repetition of each other.
pub(super) fn body(operation: &str, serial: usize) -> Value {
    match operation {
        "activity.start" => json!({
            "agent_id": "support-bot", "project_id": "help", "goal": "to help", "metadata": {"a": 1},
            "environment": {"a": 1}, "actor": {"type": "HUMAN", "id": "bob"}, "idempotency_key": format!("run-{serial}"),
            "conversation_id": "talk-7", "session_id": "s-1",
        }),
        "activity.permit" => json!({
            "kind": "TOOL_CALL", "skill_name": "search", "params": {"q": 1}, "labels": ["a"],
            "estimate": {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.01},
            "idempotency_key": format!("permit-{serial}"),
        }),
        "activity.record" => step(serial),
        "activity.record_batch" => json!({"steps": [step(serial)]}),
        "activity.complete" => json!({"status": "FAILED", "error": "it broke"}),
        "jobs.create" => json!({"kind": "log_check", "run_at": in_a_month()}),
        "activity.abort" | "activity.kill" | "jobs.cancel" | "jobs.requeue" | "policies.retire_rule" => {
            json!({"reason": "no more"})
        }
        "activity.ingest" => spans(serial),
        "policies.freeze" => json!({"agent_id": format!("frozen-{serial}"), "reason": "it misbehaves"}),
        "policies.create_rule" => json!({
            "name": format!("rule {serial}"), "description": "careful", "enforcement_mode": "AUDIT",
            "condition": "context.step.retry_count > 3", "scope": "AGENT", "scope_id": "another-bot",
        }),
        "policies.modify_rule" => json!({
            "description": format!("careful {serial}"), "scope": "AGENT", "scope_id": "yet-another-bot",
        }),
        "policies.create_limit" => json!({
            "name": format!("limit {serial}"), "limit_type": "COST_USD", "max_value": 1_000_000, "scope": "AGENT",
            "reset_period": "DAILY", "enforcement": "DEGRADE", "degrade_to": "smaller", "scope_id": "another-bot",
        }),
        "policies.update_limit" => json!({"max_value": 1_000_000 + serial, "degrade_to": "the smallest"}),
        "policies.validate_rule" => {
            json!({"bind_at": "STEP_POST", "condition": "context.step.retry_count > 3"})
        }
        "incidents.acknowledge" | "incidents.close" => json!({"note": "seen"}),
        "incidents.acknowledge_many" => {
            json!({"incident_ids": [format!("inc_{serial:032x}")], "note": "all of them"})
        }
        "incidents.resolve" => json!({"note": "done", "resolution_type": "fixed"}),
        "account.update_settings" => json!({"name": format!("tenant {serial}"), "block_unknown_cost": false}),
        "account.create_key" => json!({"role": "viewer", "owner": "bob"}),
        id => panic!("{id}: no body is known for it"),
    }
}

fn step(serial: usize) -> Value {
    let llm = json!({
        "provider": "openai", "model": "gpt-4o", "request_id": "r", "finish_reason": "stop", "input_tokens": 12,
        "output_tokens": 3, "cost_usd": 0.01, "prompt": "Where is it?", "response": "On its way.",
    });
    json!({
        "kind": "LLM_CALL", "skill_name": "chat", "status": "SUCCESS", "labels": ["a"], "llm": llm,
        "params": {"q": 1}, "outcome": {"category": "SUCCESS", "code": "fine", "data": {"n": 1}},
        "idempotency_key": format!("step-{serial}"),
    })
}

/// A trace of one span, in what both JSON and protobuf can say of it.
fn spans(serial: usize) -> Value {
    let attribute = |key: &str, value: Value| json!({"key": key, "value": value});
    let text = |value: &str| json!({"stringValue": value});
    let attributes = [
        attribute("gen_ai.operation.name", text("execute_tool")),
        attribute("gen_ai.tool.name", text("search")),
        attribute("error.type", text("timeout")),
        attribute("gen_ai.tool.call.arguments", text("{\"q\": 1}")),
        attribute("gen_ai.request.model", text("gpt-4o")),
        attribute("gen_ai.provider.name", text("openai")),
        attribute("gen_ai.conversation.id", text("conversation")),
        attribute("gen_ai.usage.input_tokens", json!({"intValue": "12"})),
    ];
    let span = json!({
        "traceId": format!("5b8efff798038103d269b633{serial:08x}"), "spanId": "eee19b7ec3c1b174",
        "name": "answer", "status": {"code": 2, "message": "it broke"}, "attributes": attributes,
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000",
    });
    let resource = json!({"attributes": [attribute("service.name", text("bot"))]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})
}
