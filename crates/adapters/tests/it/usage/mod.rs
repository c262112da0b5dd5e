//! What a call used and what it cost, by the names that instrumentations really send.

mod beside;
mod costs;
mod named;
mod unknown;

use orchestrator::choke::call::LlmReport;
use serde_json::{Value, json};

use crate::spans::step;

/// A model call with these attributes.
fn call(extra: &Value) -> LlmReport {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m" });
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    step(&all).llm.unwrap()
}
