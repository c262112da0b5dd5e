//! An agent and its administrator, as these tests speak of them.

use kit::{Kit, limit};
use models::{
    account::Role,
    activity::Run,
    ids::RunId,
    policies::{LimitDraft, RuleDraft},
};
use orchestrator::{
    CallContext, Error,
    choke::call::{EndRun, LlmReport, PartOf, Recorded, StartRun, StepReport},
    errors::StepEnforcementError,
    handlers::{activity, policies},
};
use proof::words::{BindAt, EnforcementMode, LimitType, StepKind, StepStatus};

/// An agent of a tenant, and its administrator.
pub(crate) struct Agent<'k> {
    pub(crate) kit: &'k Kit,
    pub(crate) ctx: CallContext,
    pub(crate) admin: CallContext,
}

impl<'k> Agent<'k> {
    pub(crate) async fn of(kit: &'k Kit, tenant: &str) -> Self {
        let ctx = kit.caller(tenant, Role::Agent).await;
        Self { kit, ctx, admin: kit.caller(tenant, Role::Admin).await }
    }

    pub(crate) async fn rule(&self, mode: EnforcementMode, condition: &str) -> String {
        self.rule_named(&format!("{mode} {condition}"), mode, condition).await
    }

    pub(crate) async fn rule_named(&self, name: &str, mode: EnforcementMode, condition: &str) -> String {
        self.rule_at(name, mode, condition, None).await
    }

    /// A rule that is asked at that moment.
    pub(crate) async fn rule_at(
        &self,
        name: &str,
        mode: EnforcementMode,
        condition: &str,
        bind_at: Option<BindAt>,
    ) -> String {
        let draft = RuleDraft {
            name: name.to_owned(),
            description: None,
            rule_type: None,
            enforcement_mode: mode,
            scope: None,
            scope_id: None,
            bind_at,
            precedence: None,
            condition: Some(condition.to_owned()),
            conditions: None,
        };
        policies::create_rule(&self.kit.spine, &self.admin, draft).await.unwrap().rule.definition.rule_id
    }

    /// A budget on cost that never resets, in micro-USD.
    pub(crate) async fn budget(&self, name: &str, max: u64) -> String {
        let draft = LimitDraft { name: name.to_owned(), ..limit(LimitType::CostUsd, max) };
        policies::create_limit(&self.kit.spine, &self.admin, draft).await.unwrap().limit.definition.limit_id
    }

    pub(crate) async fn start(&self) -> RunId {
        let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
        activity::start(&self.kit.spine, &self.ctx, request).await.unwrap().run.id
    }

    pub(crate) async fn record(&self, run: RunId, report: StepReport) -> Result<Recorded, Error> {
        activity::record(&self.kit.spine, &self.ctx, run, report).await
    }

    pub(crate) async fn complete(&self, run: RunId) -> Result<Run, Error> {
        activity::complete(&self.kit.spine, &self.ctx, run, EndRun::Succeeded).await
    }
}

/// A model call that cost so many micro-USD.
pub(crate) fn llm(micro_usd: u64) -> StepReport {
    StepReport {
        kind: StepKind::LlmCall,
        skill_name: "gpt-4o".to_owned(),
        params: None,
        status: StepStatus::Success,
        outcome_category: None,
        outcome_code: None,
        outcome_data: None,
        llm: Some(LlmReport {
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o".to_owned()),
            input_tokens: 21,
            output_tokens: 9,
            cost_nanousd: Some(micro_usd * 1_000),
            ..LlmReport::default()
        }),
        duration_ms: 12,
        retry_count: 0,
        started_at: None,
        ended_at: None,
        idempotency_key: None,
        replay_behavior: None,
        permit_id: None,
        parent_step_index: None,
        step_index: None,
        external_span_id: None,
        external_parent_span_id: None,
        parent_is_remote: false,
        part_of: PartOf::default(),
        other_side: orchestrator::choke::call::OtherSide::NotTold,
        labels: Vec::new(),
    }
}

/// The refusal that an answer must be.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> StepEnforcementError {
    match answer {
        Err(Error::StepHalted(halted)) => *halted,
        other => panic!("a refusal was expected: {other:?}"),
    }
}
