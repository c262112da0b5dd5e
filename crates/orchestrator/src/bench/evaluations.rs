//! What one evaluation takes in process: from facts and a compiled snapshot to a conclusion.

use std::{
    collections::BTreeSet,
    hint::black_box,
    time::{Duration, Instant},
};

use proof::{
    definitions::{RuleDefinition, SnapshotDefinition},
    words::{
        ActorType, Assurance, BindAt, EnforcementMode, Moment, RuleSource, RuleType, RunSource, Scope,
        StepKind, StepStatus,
    },
};
use rules::{
    CompiledSnapshot, Facts, conclude,
    facts::{ContentFacts, ParamFacts, Principal, Resource, RunFacts, StepFacts, TimeFacts},
};

/// Rules that the step is evaluated against, and none of which fires.
const APPLYING: [&str; 5] = [
    "context.content.secrets.contains(\"PRIVATE_KEY\")",
    "context.step.cost_known && context.step.cost_microusd > 5000000",
    "context.run.refused > 50 && context.step.status == \"FAILURE\"",
    "context.step.output_tokens > 32000",
    "context.run.tool_calls > 2000 || context.run.tools.containsAny([\"shell\", \"browser\"])",
];

/// Evaluates a step against `rules` rules, of which five apply, and gives what each of `times` evaluations took.
#[must_use]
pub fn evaluations(rules: usize, times: usize) -> Vec<Duration> {
    let definitions = (0..rules).map(rule).collect();
    let snapshot = CompiledSnapshot::compile(&SnapshotDefinition {
        rules: definitions,
        limits: Vec::new(),
        time_zone: "UTC".to_owned(),
        block_unknown_cost: false,
    });
    let facts = facts();
    let evaluate = || {
        let began = Instant::now();
        let fired = snapshot.evaluate(Moment::StepPost, black_box(&facts));
        black_box(conclude(&fired, &[]));
        began.elapsed()
    };
    // Until caches and branches are as they will be.
    for _ in 0..times / 10 {
        evaluate();
    }
    (0..times).map(|_| evaluate()).collect()
}

/// The first apply; the others are of other tools and other agents, as most of a tenant's are.
fn rule(at: usize) -> RuleDefinition {
    let (condition, scope, scope_id) = match (APPLYING.get(at), at % 2) {
        (Some(condition), _) => ((*condition).to_owned(), Scope::Tenant, None),
        (None, 0) => {
            let condition =
                format!("context.step.skill == \"wire_transfer_{at}\" && context.step.retry_count > 2");
            (condition, Scope::Tenant, None)
        }
        (None, _) => ("context.time.hour < 6".to_owned(), Scope::Agent, Some(format!("other-{at}"))),
    };
    RuleDefinition {
        rule_id: format!("rule_{at:05}"),
        version: 1,
        name: format!("rule {at}"),
        description: String::new(),
        rule_type: RuleType::Safety,
        enforcement_mode: EnforcementMode::Block,
        scope,
        scope_id,
        bind_at: BindAt::StepPost,
        precedence: 100,
        condition,
        source: RuleSource::Manual,
        source_incident_id: None,
    }
}

fn facts() -> Facts {
    Facts {
        principal: Principal {
            agent_id: "support-agent".to_owned(),
            project_id: "support".to_owned(),
            tenant_id: "tenant".to_owned(),
            labels: BTreeSet::new(),
        },
        resource: Resource {
            run_id: "run".to_owned(),
            assurance: Assurance::Enforced,
            source: RunSource::Sdk,
            actor_type: ActorType::Agent,
            provider_type: "openai".to_owned(),
            attempt: 1.into(),
            is_replay: false,
            is_synthetic: false,
        },
        step: Some(StepFacts {
            told_elsewhere: false,
            cache_read_tokens: 0.into(),
            cache_write_tokens: 0.into(),
            kind: StepKind::LlmCall,
            skill: "chat".to_owned(),
            provider: "openai".to_owned(),
            model: "gpt-4o-mini".to_owned(),
            model_requested: String::new(),
            input_tokens: 420.into(),
            output_tokens: 380.into(),
            cost_nanousd: 291.into(),
            cost_known: true,
            duration_ms: 700.into(),
            retry_count: 0.into(),
            status: Some(StepStatus::Success),
            params: ParamFacts::default(),
            labels: BTreeSet::new(),
        }),
        content: ContentFacts::default(),
        run: RunFacts {
            steps: 40.into(),
            tool_calls: 20.into(),
            last_tool: "search".to_owned(),
            ..RunFacts::default()
        },
        time: TimeFacts { hour: 10.into(), weekday: 2.into() },
        tampered: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_rules_apply_and_none_fires_or_is_at_fault() {
        for rules in [10, 100] {
            let definition = SnapshotDefinition {
                rules: (0..rules).map(rule).collect(),
                limits: Vec::new(),
                time_zone: "UTC".to_owned(),
                block_unknown_cost: false,
            };
            let snapshot = CompiledSnapshot::compile(&definition);
            assert_eq!(snapshot.evaluate(Moment::StepPost, &facts()).fired, []);
        }
        assert_eq!(evaluations(10, 20).len(), 20);
    }
}
