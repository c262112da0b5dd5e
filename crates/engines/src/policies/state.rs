//! A rule and a limit as the Audit Ledger shows them: the whole definition, and where it stands.

use models::policies::{Limit, Rule};
use serde_json::{Value, json};

/// The state that audit rows about a rule embed.
#[must_use]
pub fn rule_state(rule: &Rule) -> Value {
    let mut state = json!(rule.definition);
    state["status"] = json!(rule.status);
    state["superseded_by"] = json!(rule.superseded_by);
    state["retired_at"] = json!(rule.retired_at.map(models::time::text));
    state["retired_by"] = json!(rule.retired_by);
    state["retirement_reason"] = json!(rule.retirement_reason);
    state
}

/// The state that audit rows about a limit embed.
#[must_use]
pub fn limit_state(limit: &Limit) -> Value {
    let mut state = json!(limit.definition);
    state["status"] = json!(limit.status);
    state
}
