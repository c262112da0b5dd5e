//! What may be asked of the choke point, as it arrives, and what is answered.

use chrono::{DateTime, Utc};
use models::{
    activity::Run,
    ids::{PermitId, RunId},
};
use proof::words::{ActorType, OutcomeCategory, ReplayBehavior, ReplayMode, RunSource, StepKind, StepStatus};
use serde::{Deserialize, Serialize};

pub use crate::report::{LlmReport, OtherSide, PartOf, TokenCounts};
use crate::{errors::Error, verdict::VerdictView};

/// Start a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartRun {
    /// The agent that runs. Required, not empty.
    pub agent_id: String,
    /// What it is to reach.
    pub goal: Option<String>,
    /// The project it belongs to.
    pub project_id: Option<String>,
    /// Who drives the run; the credential's owner where not given.
    pub actor: Option<(ActorType, Option<String>)>,
    /// How it reached us.
    pub source: Option<RunSource>,
    /// The provider of its models.
    pub provider_type: Option<String>,
    /// The run that started this one.
    pub parent_run_id: Option<String>,
    /// How long it should take.
    pub expected_latency_ms: Option<u64>,
    /// JSON text: sdk, version, environment, telemetry, flags.
    pub environment: Option<String>,
    /// The run that this one repeats.
    pub replay_of: Option<String>,
    /// How it repeats it.
    pub replay_mode: Option<ReplayMode>,
    /// Scenario data, not real.
    pub is_synthetic: bool,
    /// The scenario it comes from.
    pub synthetic_scenario_id: Option<String>,
    /// JSON text, kept as it is after redaction. Its member `labels`, a list of texts, are the run's labels.
    pub metadata: Option<String>,
    /// What it is a part of.
    pub part_of: PartOf,
    /// The trace id of an outside tracing system.
    pub external_trace_id: Option<String>,
    /// A repeat with this key gets the same run.
    pub idempotency_key: Option<String>,
}

/// What a run is opened with that an outside trace is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceStart {
    /// 32 lower-case hex digits.
    pub trace_id: String,
    /// The agent that runs.
    pub agent_id: String,
    /// The project it belongs to.
    pub project_id: Option<String>,
    /// The provider of its models.
    pub provider_type: Option<String>,
    /// JSON text: what the exporter says of itself.
    pub environment: Option<String>,
    /// Something of this was too long, and was cut.
    pub cut: bool,
}

/// What a caller expects an act to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstimateRequest {
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Nano-USD, where the caller knows.
    pub cost_nanousd: Option<u64>,
}

/// Ask before acting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermitRequest {
    /// What the agent wants to do.
    pub kind: StepKind,
    /// With which tool or model.
    pub skill_name: String,
    /// JSON text of the parameters.
    pub params: Option<String>,
    /// Model provider and model, for a model call.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What it expects to use.
    pub estimate: EstimateRequest,
    /// Labels of the step, for rules to read.
    pub labels: Vec<String>,
    /// A repeat with this key gets the same answer.
    pub idempotency_key: Option<String>,
}

/// Report a step after acting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of spec 5")]
pub struct StepReport {
    pub kind: StepKind,
    pub skill_name: String,
    pub params: Option<String>,
    /// As the caller reports it: never REFUSED.
    pub status: StepStatus,
    pub outcome_category: Option<OutcomeCategory>,
    pub outcome_code: Option<String>,
    pub outcome_data: Option<String>,
    pub llm: Option<LlmReport>,
    pub duration_ms: u64,
    pub retry_count: u64,
    pub started_at: Option<DateTime<Utc>>,
    /// Where it is known more exactly than by how long it took.
    #[serde(default)]
    pub ended_at: Option<DateTime<Utc>>,
    pub idempotency_key: Option<String>,
    pub replay_behavior: Option<ReplayBehavior>,
    /// The permit under which it was taken.
    pub permit_id: Option<PermitId>,
    pub parent_step_index: Option<u64>,
    pub step_index: Option<u64>,
    pub external_span_id: Option<String>,
    pub external_parent_span_id: Option<String>,
    /// The parent span is in another process, and may be told to nobody here.
    #[serde(default)]
    pub parent_is_remote: bool,
    /// Labels of the step, for rules to read.
    pub labels: Vec<String>,
    /// What it says of its run.
    #[serde(default)]
    pub part_of: PartOf,
    /// Whether it was told together with the other side of the same call. That is in its kind and its use by the time
    /// that a call waits, so no line of the spool has it.
    #[serde(skip)]
    pub other_side: OtherSide,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum EndRun {
    /// By its agent: it succeeded.
    Succeeded,
    /// By its agent: it failed, with the error it names.
    Failed {
        /// What went wrong, in the agent's words.
        error: Option<String>,
    },
    /// By its agent: given up.
    Abort {
        /// Why.
        reason: Option<String>,
    },
    /// By the sweeper: nothing was heard of it for too long.
    Abandoned,
    /// By the sweeper: it was stopped, and its agent did not end it; or it is a trace whose root span has ended, or
    /// whose opener sent none and is silent, whoever else tells of it.
    StopElapsed,
}

/// A granted permit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Granted {
    /// Names the permit in the record of the step.
    pub permit_id: PermitId,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
    /// False only while the store is down in a `degrade` tenant.
    pub recorded: bool,
    /// What was decided.
    pub verdict: VerdictView,
}

/// A step that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its run.
    pub run_id: RunId,
    /// Its place in the run, from 0.
    pub step_index: u64,
    /// The hash of its record, to be kept by the agent for `hoc verify --seen`. None while it is not recorded: then
    /// nobody knows yet what it will be chained to.
    pub step_hash: Option<proof::hash::Hash>,
    /// False only while the store is down in a `degrade` tenant.
    pub recorded: bool,
    /// What was decided.
    pub verdict: VerdictView,
    /// The run as the step left it.
    pub run: proof::records::RunAfter,
}

/// A run that a person killed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Killed {
    /// What was asked, and what is known of its effect.
    pub intervention: models::activity::Intervention,
    /// The run as it is sealed; as it was, where it had ended already.
    pub run: Run,
}

/// What one call gets.
pub(crate) type Answer = Result<Done, Error>;

/// What came of a call that was not refused.
#[derive(Clone, Debug)]
pub(crate) enum Done {
    Started(Box<Run>, Box<VerdictView>),
    Granted(Box<Granted>),
    Recorded(Box<Recorded>),
    /// A span is recorded. Its verdict is in the store.
    Reported {
        /// False where it was recorded before.
        is_new: bool,
    },
    /// The run that a trace is.
    Traced(RunId),
    Ended(Box<Run>),
    Killed(Box<Killed>),
}
