//! Facts, rules and limits for tests, with defaults for all that a test does not speak about.

use proof::{
    definitions::{LimitDefinition, RuleDefinition, SnapshotDefinition},
    words::{
        ActorType, Assurance, BindAt, Consequence, EnforcementMode, LimitEnforcement, LimitType, ResetPeriod,
        RuleSource, RuleType, RunSource, Scope, StepKind, StepStatus,
    },
};

use crate::{
    CompiledSnapshot,
    facts::{ContentFacts, Facts, ParamFacts, Principal, Resource, RunFacts, StepFacts, TimeFacts},
    limits::category,
};

pub(crate) fn facts() -> Facts {
    Facts {
        principal: Principal {
            agent_id: "agent-1".to_owned(),
            project_id: "project-1".to_owned(),
            tenant_id: "ten_1".to_owned(),
            labels: ["prod".to_owned()].into(),
        },
        resource: Resource {
            run_id: "run_1".to_owned(),
            assurance: Assurance::Enforced,
            source: RunSource::Agent,
            actor_type: ActorType::System,
            provider_type: String::new(),
            attempt: 1.into(),
            is_replay: false,
            is_synthetic: false,
        },
        step: Some(StepFacts {
            told_elsewhere: false,
            cache_read_tokens: crate::Count::ZERO,
            cache_write_tokens: crate::Count::ZERO,
            kind: StepKind::ToolCall,
            skill: "search".to_owned(),
            provider: "openai".to_owned(),
            model: "gpt-4o".to_owned(),
            model_requested: String::new(),
            input_tokens: 100.into(),
            output_tokens: 20.into(),
            cost_nanousd: 1_000_000.into(),
            cost_known: true,
            duration_ms: 40.into(),
            retry_count: 0.into(),
            status: Some(StepStatus::Success),
            params: ParamFacts::default(),
            labels: std::collections::BTreeSet::new(),
        }),
        content: ContentFacts::default(),
        run: RunFacts { steps: 3.into(), last_tool: "read".to_owned(), ..RunFacts::default() },
        time: TimeFacts { hour: 10.into(), weekday: 2.into() },
        tampered: std::collections::BTreeSet::new(),
    }
}

pub(crate) fn with_step(change: impl FnOnce(&mut StepFacts)) -> Facts {
    let mut facts = facts();
    change(facts.step.as_mut().expect("the facts of a test have a step"));
    facts
}

pub(crate) fn rule(id: &str, mode: EnforcementMode, bind_at: BindAt, condition: &str) -> RuleDefinition {
    RuleDefinition {
        rule_id: id.to_owned(),
        version: 1,
        name: format!("name of {id}"),
        description: String::new(),
        rule_type: RuleType::Safety,
        enforcement_mode: mode,
        scope: Scope::Tenant,
        scope_id: None,
        bind_at,
        precedence: 100,
        condition: condition.to_owned(),
        source: RuleSource::Manual,
        source_incident_id: None,
    }
}

pub(crate) fn limit(id: &str, limit_type: LimitType, max_value: u64) -> LimitDefinition {
    let limit_category = category(limit_type);
    LimitDefinition {
        limit_id: id.to_owned(),
        version: 1,
        name: format!("name of {id}"),
        limit_category,
        limit_type,
        scope: Scope::Tenant,
        scope_id: None,
        max_value,
        reset_period: (limit_category == proof::words::LimitCategory::Budget).then_some(ResetPeriod::Daily),
        window_seconds: None,
        measurement_window_seconds: (limit_type == LimitType::ErrorRatePct).then_some(300),
        degrade_to: None,
        enforcement: LimitEnforcement::Block,
        consequence: Consequence::Alert,
    }
}

pub(crate) fn definition(rules: Vec<RuleDefinition>, limits: Vec<LimitDefinition>) -> SnapshotDefinition {
    SnapshotDefinition { rules, limits, time_zone: "UTC".to_owned(), block_unknown_cost: false }
}

pub(crate) fn snapshot(rules: Vec<RuleDefinition>) -> CompiledSnapshot {
    CompiledSnapshot::compile(&definition(rules, Vec::new()))
}
