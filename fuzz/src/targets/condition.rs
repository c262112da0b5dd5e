//! Conditions of rules: what passes the check compiles, and evaluates without a panic.

use proof::{
    definitions::SnapshotDefinition,
    words::{BindAt, Moment},
};
use rules::{CompiledSnapshot, Facts, condition, conditions};
use serde_json::{Value, json};

const FACTS: &str = r#"{"content":{"input_size":7},"principal":{"agent_id":"a","tenant_id":"t"},
    "resource":{"actor_type":"AGENT","assurance":"ENFORCED","attempt":1,"run_id":"r","source":"sdk"},
    "run":{"cost_nanousd":9000,"steps":2,"tools":["ask"],"last_tool":"ask"},
    "step":{"kind":"LLM_CALL","skill":"ask","model":"gpt-4o","cost_known":true,"cost_nanousd":291000,"input_tokens":5},
    "time":{"hour":14,"weekday":6}}"#;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let conditions: [(BindAt, &str); 8] = [
        (BindAt::StepPre, "context.step.cost_microusd > 500000"),
        (BindAt::StepPost, r#"context.step.skill == "delete" || context.step.model like "gpt-*""#),
        (BindAt::StepPre, r#"context.run.tools.contains("ask") && principal.labels.contains("eu")"#),
        (BindAt::StepPost, "context.step.cost_microusd - context.run.cost_microusd * 3 < 0"),
        (BindAt::RunStart, r#"resource.assurance == "REPORTED" && !(principal.agent_id == "a")"#),
        (BindAt::StepPre, r#"{"all":[{"fact":"step.cost_microusd","op":">","value":500000}]}"#),
        (
            BindAt::StepPost,
            r#"{"any":[{"fact":"step.model","op":"in","value":["a","b"]},{"not":{"fact":"step.cost_known","op":"==","value":true}}]}"#,
        ),
        (BindAt::StepPre, r#"{"fact":"step.labels","op":"contains","value":"eu"}"#),
    ];
    let first =
        |bind_at| BindAt::ALL.iter().position(|at| *at == bind_at).and_then(|at| u8::try_from(at).ok());
    let seed = |(bind_at, text): (BindAt, &str)| {
        [&[first(bind_at).expect("one of three")], text.as_bytes()].concat()
    };
    conditions.map(seed).into()
}

pub(crate) fn run(bytes: &[u8]) {
    let Some((first, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let bind_at = BindAt::ALL[usize::from(*first) % BindAt::ALL.len()];
    if let Ok(listed) = serde_json::from_str::<Value>(text)
        && let Ok(cedar) = conditions::to_cedar(bind_at, &listed)
    {
        condition::validate(bind_at, &cedar).expect("a list that is taken makes a condition that passes");
        evaluate(bind_at, &cedar);
    }
    if condition::validate(bind_at, text).is_ok() {
        evaluate(bind_at, text);
    }
}

fn evaluate(bind_at: BindAt, condition: &str) {
    let snapshot: SnapshotDefinition = serde_json::from_value(json!({
        "rules": [{ "rule_id": "rul_1", "version": 1, "name": "n", "description": "", "rule_type": "SAFETY",
            "enforcement_mode": "BLOCK", "scope": "TENANT", "scope_id": null, "bind_at": bind_at.as_str(),
            "precedence": 100, "condition": condition, "source": "MANUAL", "source_incident_id": null }],
        "limits": [], "time_zone": "UTC", "block_unknown_cost": false
    }))
    .expect("a snapshot");
    let compiled = CompiledSnapshot::compile(&snapshot);
    let facts: Facts = serde_json::from_str(FACTS).expect("facts");
    for moment in [Moment::StepPre, Moment::StepPost, Moment::StepBoth] {
        let conclusion = rules::conclude(&compiled.evaluate(moment, &facts), &[]);
        let again = rules::conclude(&compiled.evaluate(moment, &facts), &[]);
        assert_eq!(conclusion.action, again.action, "the same facts, the same verdict");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_pass_the_check() {
        for seed in seeds() {
            let bind_at = BindAt::ALL[usize::from(seed[0]) % BindAt::ALL.len()];
            let text = std::str::from_utf8(&seed[1..]).expect("UTF-8");
            let listed = serde_json::from_str::<Value>(text).map(|list| conditions::to_cedar(bind_at, &list));
            match listed {
                Ok(cedar) => assert!(cedar.is_ok(), "{text}: {cedar:?}"),
                Err(_) => condition::validate(bind_at, text).unwrap_or_else(|err| panic!("{text}: {err:?}")),
            }
        }
    }
}
