//! The bodies of Activity's writes, as they are read; a step's report is in `step_body`.

use orchestrator::choke::call::{EndRun, EstimateRequest, PartOf, PermitRequest, StartRun};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{IdempotencyKey, Object, Usd},
    problem::Code,
    view::{
        text,
        words::{self, known},
    },
};

/// A run to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StartRun)]
pub(crate) struct StartBody {
    /// The agent that runs.
    #[schema(value_type = text::AgentName)]
    agent_id: String,
    /// What it is to reach.
    #[schema(value_type = Option<text::Text>)]
    goal: Option<String>,
    /// The project it belongs to.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    project_id: Option<String>,
    /// Who drives the run; the key's owner where not given.
    #[schema(value_type = Option<ActorBody>)]
    actor: Option<Object<ActorBody>>,
    /// How it reaches HOC.
    source: Option<words::RunSource>,
    /// The provider of its models.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    provider_type: Option<String>,
    /// The run that started this one.
    parent_run_id: Option<String>,
    /// How long it should take.
    #[schema(maximum = 9_007_199_254_740_992.0)]
    expected_latency_ms: Option<u64>,
    /// Sdk, version, environment, telemetry, flags; at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    environment: Option<Box<RawValue>>,
    #[schema(ignore)]
    replay_of: Option<IgnoredAny>,
    #[schema(ignore)]
    replay_mode: Option<IgnoredAny>,
    /// Scenario data, not real.
    is_synthetic: Option<bool>,
    /// The scenario it comes from.
    #[schema(value_type = Option<text::Word>)]
    synthetic_scenario_id: Option<String>,
    /// The conversation it is a part of, by which runs are found; the session where none is named.
    #[schema(value_type = Option<text::Word>)]
    conversation_id: Option<String>,
    /// The session it is a part of.
    #[schema(value_type = Option<text::Word>)]
    session_id: Option<String>,
    /// Any JSON of at most 64 KiB; kept exactly, after redaction. A member `labels` must be a list of at most 64 texts
    /// of at most 256 characters: the run's labels, which rules read as `principal.labels`.
    #[schema(value_type = Option<serde_json::Value>)]
    metadata: Option<Box<RawValue>>,
    /// A repeat with this key gets the same run. One thing with the header `Idempotency-Key`.
    #[schema(min_length = 1, max_length = 256)]
    idempotency_key: Option<String>,
}

/// Who drives a run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Actor)]
struct ActorBody {
    /// Its nature.
    #[serde(rename = "type")]
    kind: words::ActorType,
    /// Which one; HUMAN needs it.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    id: Option<String>,
}

impl StartBody {
    pub(crate) fn request(self, key: IdempotencyKey) -> Result<StartRun, Problem> {
        not_yet("/replay_of", self.replay_of.as_ref())?;
        not_yet("/replay_mode", self.replay_mode.as_ref())?;
        let is_object = |raw: &RawValue| raw.get().starts_with('{');
        if self.environment.as_deref().is_some_and(|raw| !is_object(raw)) {
            return Err(Problem::field(Code::InvalidRequest, "/environment", "must be an object"));
        }
        Ok(StartRun {
            agent_id: self.agent_id,
            goal: self.goal,
            project_id: self.project_id,
            actor: self.actor.map(|Object(actor)| (actor.kind.known(), actor.id)),
            source: known(self.source),
            provider_type: self.provider_type,
            parent_run_id: self.parent_run_id,
            expected_latency_ms: self.expected_latency_ms,
            environment: self.environment.map(owned),
            is_synthetic: self.is_synthetic.unwrap_or(false),
            synthetic_scenario_id: self.synthetic_scenario_id,
            metadata: self.metadata.map(owned),
            part_of: PartOf {
                conversation_id: self.conversation_id,
                session_id: self.session_id,
                user_id: None,
            },
            idempotency_key: key.or(self.idempotency_key)?,
            ..StartRun::default()
        })
    }
}

/// What an agent wants to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PermitRequest)]
pub(crate) struct PermitBody {
    /// The kind of step.
    kind: words::StepKind,
    /// With which tool or model.
    #[schema(value_type = text::Identity)]
    skill_name: String,
    /// With which parameters; the permit serves for these alone.
    #[schema(value_type = Option<serde_json::Value>)]
    params: Option<Box<RawValue>>,
    /// The model's provider, for a model call. The permit serves for it alone: a report that names another is a step
    /// without permit (`permit_mismatch`). One that names neither provider nor model serves for any, unless a STEP_PRE
    /// rule or a limit of a provider looks at them.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    provider: Option<String>,
    /// The model; the permit serves for it alone, as for the provider. Report it under this name.
    #[schema(value_type = Option<text::IdentityOrEmpty>)]
    model: Option<String>,
    /// Labels of the step, which rules read as `context.step.labels`; the permit serves for these alone, in any order.
    #[serde(default)]
    #[schema(value_type = Vec<text::Identity>, max_items = 64)]
    labels: Vec<String>,
    /// What it expects to use.
    #[schema(value_type = Option<EstimateBody>)]
    estimate: Option<Object<EstimateBody>>,
    /// A repeat with this key gets the same answer. One thing with the header `Idempotency-Key`.
    #[schema(min_length = 1, max_length = 256)]
    idempotency_key: Option<String>,
}

/// What a step is expected to use.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Estimate)]
struct EstimateBody {
    /// Tokens in; none where not given.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_992.0)]
    input_tokens: u64,
    /// Tokens out; none where not given, and what comes out is counted when it is reported.
    #[serde(default)]
    #[schema(maximum = 9_007_199_254_740_992.0)]
    output_tokens: u64,
    /// USD. Where not given, what the price book asks for these tokens; else not known.
    cost_usd: Option<Usd>,
}

impl PermitBody {
    pub(crate) fn request(self, key: IdempotencyKey) -> Result<PermitRequest, Problem> {
        let estimate = self.estimate.unwrap_or_default().0;
        Ok(PermitRequest {
            kind: self.kind.known(),
            skill_name: self.skill_name,
            params: self.params.map(owned),
            provider: self.provider,
            model: self.model,
            estimate: EstimateRequest {
                input_tokens: estimate.input_tokens,
                output_tokens: estimate.output_tokens,
                cost_nanousd: estimate.cost_usd.map(|usd| usd.nanos),
            },
            labels: self.labels,
            idempotency_key: key.or(self.idempotency_key)?,
        })
    }
}

/// How a run ended, by its agent's word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompleteRun)]
pub(crate) struct CompleteBody {
    /// How.
    status: words::FinalStatus,
    /// What went wrong, where it FAILED: a code, a message, a traceback.
    #[schema(value_type = Option<text::Text>)]
    error: Option<String>,
}

impl CompleteBody {
    pub(crate) fn how(self) -> Result<EndRun, Problem> {
        match (self.status.text(), self.error) {
            ("FAILED", error) => Ok(EndRun::Failed { error }),
            (_, None) => Ok(EndRun::Succeeded),
            (_, Some(_)) => {
                Err(Problem::field(Code::InvalidRequest, "/error", "a run that SUCCEEDED has no error"))
            }
        }
    }
}

/// Why a run is given up.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AbortRun)]
pub(crate) struct AbortBody {
    /// In the agent's words.
    #[schema(value_type = Option<text::Text>)]
    pub(crate) reason: Option<String>,
}

/// Why a run is killed. May be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KillRun)]
pub(crate) struct KillBody {
    /// In the words of the person who kills it.
    #[schema(value_type = Option<text::Note>)]
    pub(crate) reason: Option<String>,
}

/// A member of replays. Nothing would hold a run or a step to it, so it is not taken as if something did.
pub(super) fn not_yet(pointer: &str, given: Option<&IgnoredAny>) -> Result<(), Problem> {
    const TOLD: &str = "there are no replays yet, so nothing would be checked against the run that is repeated: leave \
                        this out, and the run is one of its own";
    given.map_or(Ok(()), |_| Err(Problem::field(Code::InvalidRequest, pointer, TOLD)))
}

/// The text of JSON that is kept exactly.
pub(super) fn owned(raw: Box<RawValue>) -> String {
    Box::<str>::from(raw).into_string()
}
