//! An agent and its policy owner, as tests speak of them.

use std::str::FromStr as _;

use kit::{Kit, limit};
use models::{
    account::Role,
    activity::Run,
    ids::RunId,
    policies::{LimitDraft, RuleDraft},
};
use orchestrator::{
    CallContext, Error,
    choke::call::{
        EndRun, EstimateRequest, Granted, LlmReport, PartOf, PermitRequest, Recorded, StartRun, StepReport,
    },
    coordinators::export_bundle,
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

    async fn rule_at(
        &self,
        name: &str,
        mode: EnforcementMode,
        condition: &str,
        at: Option<BindAt>,
    ) -> String {
        let draft = RuleDraft { bind_at: at, ..rule(name, mode, condition) };
        policies::create_rule(&self.kit.spine, &self.admin, draft).await.unwrap().rule.definition.rule_id
    }

    pub(crate) async fn rule_pre(&self, name: &str, mode: EnforcementMode, condition: &str) -> String {
        self.rule_at(name, mode, condition, Some(BindAt::StepPre)).await
    }

    pub(crate) async fn limit(&self, limit_type: LimitType, max: u64) -> String {
        self.limit_as(limit(limit_type, max)).await
    }

    pub(crate) async fn limit_as(&self, draft: LimitDraft) -> String {
        policies::create_limit(&self.kit.spine, &self.admin, draft).await.unwrap().limit.definition.limit_id
    }

    pub(crate) async fn start(&self) -> RunId {
        let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
        activity::start(&self.kit.spine, &self.ctx, request).await.unwrap().run.id
    }

    pub(crate) async fn record(&self, run: RunId, report: StepReport) -> Result<Recorded, Error> {
        activity::record(&self.kit.spine, &self.ctx, run, report).await
    }

    pub(crate) async fn permit(&self, run: RunId, request: PermitRequest) -> Result<Granted, Error> {
        activity::permit(&self.kit.spine, &self.ctx, run, request).await
    }

    pub(crate) async fn complete(&self, run: RunId) -> Result<Run, Error> {
        activity::complete(&self.kit.spine, &self.ctx, run, EndRun::Succeeded).await
    }

    /// What a verifier says of the run's bundle, and the bundle.
    pub(crate) async fn verified(&self, run: RunId) -> (verify::Report, serde_json::Value) {
        let bundle = export_bundle::bundle(&self.kit.spine, &self.admin, run).await.unwrap();
        let options = verify::Options { reexecute: true, ..verify::Options::default() };
        let report = verify::bundle(&bundle, &[kit::signing_key().public()], &options).unwrap();
        (report, serde_json::from_slice(&bundle).unwrap())
    }

    pub(crate) async fn run(&self, run: RunId) -> Run {
        activity::get(&self.kit.spine, &self.admin, run).await.unwrap()
    }
}

/// A rule of that name.
pub(crate) fn rule(name: &str, mode: EnforcementMode, condition: &str) -> RuleDraft {
    RuleDraft {
        name: name.to_owned(),
        description: None,
        rule_type: None,
        enforcement_mode: mode,
        scope: None,
        scope_id: None,
        bind_at: None,
        precedence: None,
        condition: Some(condition.to_owned()),
        conditions: None,
    }
}

/// A model call that cost so many micro-USD.
pub(crate) fn llm(micro_usd: u64) -> StepReport {
    StepReport {
        llm: Some(LlmReport {
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o".to_owned()),
            input_tokens: 21,
            output_tokens: 9,
            cost_nanousd: Some(micro_usd * 1_000),
            prompt: Some("Weather in Oslo?".to_owned()),
            response: Some("It is 4C in Oslo.".to_owned()),
            ..LlmReport::default()
        }),
        ..step(StepKind::LlmCall, "gpt-4o")
    }
}

/// A tool call.
pub(crate) fn tool(name: &str) -> StepReport {
    StepReport { params: Some(r#"{"city":"Oslo"}"#.to_owned()), ..step(StepKind::ToolCall, name) }
}

fn step(kind: StepKind, skill_name: &str) -> StepReport {
    StepReport {
        kind,
        skill_name: skill_name.to_owned(),
        params: None,
        status: StepStatus::Success,
        outcome_category: None,
        outcome_code: None,
        outcome_data: None,
        llm: None,
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

/// The same under a key.
pub(crate) fn keyed(key: &str, report: StepReport) -> StepReport {
    StepReport { idempotency_key: Some(key.to_owned()), ..report }
}

/// Leave for a tool call.
pub(crate) fn ask(tool: &str) -> PermitRequest {
    PermitRequest {
        kind: StepKind::from_str("TOOL_CALL").unwrap(),
        skill_name: tool.to_owned(),
        params: Some(r#"{"city":"Oslo"}"#.to_owned()),
        provider: None,
        model: None,
        estimate: EstimateRequest::default(),
        labels: Vec::new(),
        idempotency_key: None,
    }
}

/// The refusal that an answer must be.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> StepEnforcementError {
    match answer {
        Err(Error::StepHalted(halted)) => *halted,
        other => panic!("a refusal was expected: {other:?}"),
    }
}
