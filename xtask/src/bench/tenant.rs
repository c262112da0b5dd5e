//! The tenant under measure: ten limits, all of which hold; a hundred rules, of which five apply to a step and none
//! fires.

use super::http::Client;
use anyhow::Context as _;
use serde_json::{Value, json};

pub(super) const AGENT: &str = "support-agent";
pub(super) const PROJECT: &str = "support";
const PROVIDER: &str = "openai";
const POLICIES: &str = "/api/v1/runtime/policies";

/// So high that nothing comes near: a bench that breaches measures something else.
const NEVER: u64 = 1_000_000_000;

/// The same in USD: a record holds no more than 2^53 nano-USD.
const NEVER_USD: u64 = 9_000_000;

/// Rules that a step of the bench is evaluated against: these, and one of each pair by kind.
const APPLYING: [(&str, &str, &str); 4] = [
    ("no private keys", "STEP_PRE", "context.content.secrets.contains(\"PRIVATE_KEY\")"),
    ("dear steps", "STEP_POST", "context.step.cost_known && context.step.cost_microusd > 5000000"),
    ("too many failures", "STEP_POST", "context.run.refused > 50 && context.step.status == \"FAILURE\""),
    ("long answers", "STEP_POST", "context.step.output_tokens > 32000"),
];
const BY_KIND: [(&str, &str, &str); 2] = [
    (
        "old models",
        "STEP_PRE",
        "context.step.kind == \"LLM_CALL\" && [\"gpt-3.5-turbo\", \"davinci\"].contains(context.step.model)",
    ),
    (
        "onion hosts",
        "STEP_PRE",
        "context.step.kind == \"TOOL_CALL\" && context.step.url_host like \"*.onion\"",
    ),
];

/// Makes limits and rules.
pub(super) fn govern(admin: &mut Client) -> anyhow::Result<()> {
    for limit in limits() {
        let path = format!("{POLICIES}/limits");
        admin.post(&path, limit.to_string().as_bytes())?.expect(201).with_context(|| format!("{limit}"))?;
    }
    for rule in rules() {
        let path = format!("{POLICIES}/rules");
        admin.post(&path, rule.to_string().as_bytes())?.expect(201).with_context(|| format!("{rule}"))?;
    }
    Ok(())
}

/// All ten hold for a call to a model, nine for a call to a tool; seven of them count over runs.
fn limits() -> Vec<Value> {
    let limit = |name: &str, category: &str, of: &str, scope: Option<(&str, &str)>, reset: Option<&str>| {
        let mut limit = json!({
            "name": name, "limit_category": category, "limit_type": of, "max_value": if of.ends_with("COST_USD") { NEVER_USD } else { NEVER },
            "enforcement": "BLOCK", "consequence": "INCIDENT",
        });
        if let Some((scope, id)) = scope {
            limit["scope"] = scope.into();
            limit["scope_id"] = id.into();
        }
        if let Some(reset) = reset {
            limit["reset_period"] = reset.into();
        }
        limit
    };
    let (agent, project, provider) = (("AGENT", AGENT), ("PROJECT", PROJECT), ("PROVIDER", PROVIDER));
    vec![
        limit("cost a month", "BUDGET", "COST_USD", None, Some("MONTHLY")),
        limit("cost a day", "BUDGET", "COST_USD", None, Some("DAILY")),
        limit("tokens a day", "BUDGET", "TOKENS_TOTAL", None, Some("DAILY")),
        limit("cost of support a week", "BUDGET", "COST_USD", Some(project), Some("WEEKLY")),
        limit("tokens of support", "BUDGET", "TOKENS_TOTAL", Some(project), Some("NONE")),
        limit("cost of the agent a day", "BUDGET", "COST_USD", Some(agent), Some("DAILY")),
        limit("cost at the provider a month", "BUDGET", "COST_USD", Some(provider), Some("MONTHLY")),
        limit("cost of a run", "THRESHOLD", "RUN_COST_USD", None, None),
        limit("steps of a run", "THRESHOLD", "RUN_STEPS", None, None),
        limit("cost of a step", "THRESHOLD", "STEP_COST_USD", None, None),
    ]
}

fn rules() -> Vec<Value> {
    let rule = |name: String, bind_at: &str, condition: String| json!({ "name": name, "enforcement_mode": "BLOCK", "bind_at": bind_at, "condition": condition });
    let applying = APPLYING.iter().chain(&BY_KIND);
    let mut rules: Vec<Value> =
        applying.map(|(name, at, condition)| rule((*name).to_owned(), at, (*condition).to_owned())).collect();
    for number in 0.. {
        let mut next = match number % 3 {
            0 => {
                let condition = format!(
                    "context.step.skill == \"wire_transfer_{number}\" && context.step.recipient_domains.containsAny([\"x.example\"])"
                );
                rule(format!("transfers {number}"), "STEP_PRE", condition)
            }
            kind => {
                let condition = "context.run.tool_calls > 20 || context.time.hour < 6".to_owned();
                let mut scoped = rule(format!("night shift {number}"), "STEP_POST", condition);
                scoped["scope"] = if kind == 1 { "AGENT" } else { "PROJECT" }.into();
                scoped["scope_id"] = format!("other-{number}").into();
                scoped
            }
        };
        next["description"] = "So that a hundred rules are there, as in a real tenant.".into();
        rules.push(next);
        if rules.len() == 100 {
            break;
        }
    }
    rules
}

/// Starts a run of the agent; gives its id.
pub(super) fn start_run(agent: &mut Client) -> anyhow::Result<String> {
    let body = json!({
        "agent_id": AGENT, "project_id": PROJECT, "goal": "answer the customer", "provider_type": PROVIDER,
        "environment": { "sdk": "bench", "environment": "bench" },
    });
    let run =
        agent.post("/api/v1/runtime/activity/runs", body.to_string().as_bytes())?.expect(201)?.json()?;
    Ok(run["run_id"].as_str().context("a started run has an id")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ten_limits_and_a_hundred_rules_under_names_of_their_own() {
        let named =
            |policies: &[Value]| policies.iter().map(|of| of["name"].to_string()).collect::<BTreeSet<_>>();
        assert_eq!((limits().len(), named(&limits()).len()), (10, 10));
        assert_eq!((rules().len(), named(&rules()).len()), (100, 100));
        assert_eq!(rules().iter().filter(|rule| rule["scope_id"].is_null()).count(), 6 + 32);
    }
}
