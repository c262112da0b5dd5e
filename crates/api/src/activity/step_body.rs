//! The body of a step's report, as it is read.

use orchestrator::choke::call::{LlmReport, OtherSide, PartOf, StepReport, TokenCounts};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body::{not_yet, owned};
use crate::{
    Problem,
    extract::{IdempotencyKey, Object, Usd},
    problem::Code,
    view::{
        Time, text,
        words::{self, known},
    },
};

/// A step that was taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepReport)]
pub(crate) struct StepBody {
    /// What it is.
    kind: words::StepKind,
    /// Which tool or model.
    #[schema(value_type = text::Identity)]
    skill_name: String,
    /// The parameters; any JSON, kept exactly, after redaction.
    #[schema(value_type = Option<serde_json::Value>)]
    params: Option<Box<RawValue>>,
    /// Labels of the step, which rules read as `context.step.labels`.
    #[serde(default)]
    #[schema(value_type = Vec<text::Identity>, max_items = 64)]
    labels: Vec<String>,
    /// How it ended.
    status: words::ReportedStatus,
    /// What came of it.
    #[schema(value_type = Option<OutcomeBody>)]
    outcome: Option<Object<OutcomeBody>>,
    /// The model call, for a step of kind `LLM_CALL`.
    #[schema(value_type = Option<LlmBody>)]
    llm: Option<Object<LlmBody>>,
    /// How long it took.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    duration_ms: Option<u64>,
    /// How often it was tried again.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    retry_count: Option<u64>,
    /// When it began.
    started_at: Option<Time>,
    /// A repeat with this key gets the same answer. One thing with the header `Idempotency-Key`.
    #[schema(min_length = 1, max_length = 256)]
    idempotency_key: Option<String>,
    #[schema(ignore)]
    replay_behavior: Option<IgnoredAny>,
    /// The permit under which it was taken. It serves for what it was asked for: the same kind, skill, parameters,
    /// provider, model and labels, where not said is another than said. Else this is a step without permit.
    permit_id: Option<String>,
    /// The step that caused this one.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    parent_step_index: Option<u64>,
    /// Must be the run's next index where it is given.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    step_index: Option<u64>,
}

/// What came of a step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Outcome)]
struct OutcomeBody {
    /// Its nature.
    category: Option<words::OutcomeCategory>,
    /// The caller's code for it.
    #[schema(value_type = Option<text::Word>)]
    code: Option<String>,
    /// Any JSON, kept exactly, after redaction.
    #[schema(value_type = Option<serde_json::Value>)]
    data: Option<Box<RawValue>>,
}

/// A model call, as its provider answered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LlmCall)]
struct LlmBody {
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    provider: Option<String>,
    /// As the agent names it, or as its provider does.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    model: Option<String>,
    /// The model that was asked for, where the provider's answer names another in `model`. Where not given, it is
    /// `model`.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    model_requested: Option<String>,
    /// All that went in, what was cached included. Where more was cached than went in, it is taken to lie beside it.
    /// Where it is not given, the cost is not known.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    input_tokens: Option<u64>,
    /// All that came out, reasoning included. Where it is not given, the cost is not known, unless nothing can come
    /// out: of a step of kind `RETRIEVAL`, and of a model that by its name embeds or ranks. Say 0 where nothing came
    /// out.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    output_tokens: Option<u64>,
    /// Within input_tokens.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_992.0)]
    cache_read_tokens: u64,
    /// Written to the provider's cache, within input_tokens.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_992.0)]
    cache_write_tokens: u64,
    /// Of those that were written, the ones that are kept for an hour.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_992.0)]
    cache_write_hour_tokens: u64,
    /// Within output_tokens.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_992.0)]
    reasoning_tokens: u64,
    /// As the provider says it. Where not given, it is by the price book, or not known.
    cost_usd: Option<Usd>,
    /// The provider's service tier that answered. Of another than the usual one (`auto`, `default`, `standard`,
    /// `standard_only`, `on_demand`), as flex, priority and batch, the price book knows no cost.
    #[schema(value_type = Option<text::Word>)]
    service_tier: Option<String>,
    #[schema(value_type = Option<text::Word>)]
    request_id: Option<String>,
    prompt: Option<String>,
    response: Option<String>,
    #[schema(value_type = Option<text::Word>)]
    finish_reason: Option<String>,
}

impl StepBody {
    pub(crate) fn report(self, key: IdempotencyKey) -> Result<StepReport, Problem> {
        not_yet("/replay_behavior", self.replay_behavior.as_ref())?;
        let Object(outcome) = self.outcome.unwrap_or_default();
        let permit_id = self.permit_id.map(|text| text.parse()).transpose();
        let permit_id =
            permit_id.map_err(|_| Problem::field(Code::InvalidRequest, "/permit_id", "is no permit's id"))?;
        // As of a span of that kind: what is found is no text of a model.
        let gives_none = self.kind.text() == "RETRIEVAL";
        Ok(StepReport {
            kind: self.kind.known(),
            skill_name: self.skill_name,
            params: self.params.map(owned),
            status: self.status.known(),
            outcome_category: known(outcome.category),
            outcome_code: outcome.code,
            outcome_data: outcome.data.map(owned),
            llm: self.llm.map(|Object(llm)| llm.report(gives_none)),
            duration_ms: self.duration_ms.unwrap_or(0),
            retry_count: self.retry_count.unwrap_or(0),
            started_at: self.started_at.map(Into::into),
            ended_at: None,
            idempotency_key: key.or(self.idempotency_key)?,
            replay_behavior: None,
            permit_id,
            parent_step_index: self.parent_step_index,
            step_index: self.step_index,
            external_span_id: None,
            external_parent_span_id: None,
            parent_is_remote: false,
            part_of: PartOf::default(),
            other_side: OtherSide::NotTold,
            labels: self.labels,
        })
    }
}

impl LlmBody {
    fn report(self, gives_none: bool) -> LlmReport {
        let counts = TokenCounts {
            input: self.input_tokens,
            output: self.output_tokens,
            cache_read: self.cache_read_tokens,
            cache_write: self.cache_write_tokens,
            cache_write_hour: self.cache_write_hour_tokens,
            reasoning: self.reasoning_tokens,
            gives_none,
            ..TokenCounts::default()
        };
        let report = LlmReport {
            provider: self.provider,
            model: self.model,
            model_requested: self.model_requested,
            cost_nanousd: self.cost_usd.map(|usd| usd.nanos),
            service_tier: self.service_tier,
            request_id: self.request_id,
            prompt: self.prompt,
            response: self.response,
            finish_reason: self.finish_reason,
            ..LlmReport::default()
        };
        report.counted(&counts)
    }
}
