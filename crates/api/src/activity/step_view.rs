//! A permit and a step, as they are written.

use models::logs::{KeptText, StepTexts};
use orchestrator::{
    choke::call::{Granted, Recorded},
    handlers::activity,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{FiredView, Kept, Number, Time, VerdictView, words};

/// Leave to act once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Permit)]
pub(crate) struct PermitView {
    /// Names the permit in the record of the step.
    permit_id: String,
    /// Until when it serves.
    expires_at: Time,
    /// False only while the store is down, for a tenant that chose to go on.
    recorded: bool,
    verdict: VerdictView,
}

impl From<Granted> for PermitView {
    fn from(granted: Granted) -> Self {
        Self {
            permit_id: granted.permit_id.to_string(),
            expires_at: granted.expires_at.into(),
            recorded: granted.recorded,
            verdict: granted.verdict.into(),
        }
    }
}

/// A step that counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RecordedStep)]
pub(crate) struct RecordedView {
    /// Its place in the run, from 0.
    step_index: u64,
    /// The hash of its record: keep it for `hoc verify --seen`. Null while it is not recorded.
    step_hash: Option<String>,
    /// False only while the store is down, for a tenant that chose to go on.
    recorded: bool,
    verdict: VerdictView,
    run: RunAfterView,
}

/// The run as the step left it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RunAfter)]
struct RunAfterView {
    run_id: String,
    #[schema(value_type = words::RunStatus)]
    status: &'static str,
    step_count: u64,
    refused_count: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: Number,
}

impl From<Recorded> for RecordedView {
    fn from(recorded: Recorded) -> Self {
        let run = recorded.run;
        Self {
            step_index: recorded.step_index,
            step_hash: recorded.step_hash.map(|hash| hash.to_string()),
            recorded: recorded.recorded,
            verdict: recorded.verdict.into(),
            run: RunAfterView {
                run_id: recorded.run_id.to_string(),
                status: run.status.as_str(),
                step_count: run.step_count,
                refused_count: run.refused_count,
                input_tokens: run.input_tokens,
                output_tokens: run.output_tokens,
                cost_usd: Number::usd(run.cost_nanousd),
            },
        }
    }
}

/// A recorded step, refused ones included.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepView {
    step_index: u64,
    parent_step_index: Option<u64>,
    /// It came after its run was sealed, and is in an addendum.
    is_late: bool,
    /// False where another step of the run tells of the same call, or of the same use: then this one is in no total.
    counts: bool,
    /// The span that was reported, and its parent.
    external_span_id: Option<String>,
    external_parent_span_id: Option<String>,
    step_hash: String,
    #[schema(value_type = words::StepKind)]
    kind: &'static str,
    skill_name: String,
    #[schema(value_type = words::StepStatus)]
    status: &'static str,
    /// Whether leave was asked before it was done (by a permit that served), or it was only told after.
    #[schema(value_type = words::Asked)]
    asked: &'static str,
    /// What its caller said of it, whatever the verdict made of it. Null for a refused permit: nothing was done.
    #[schema(value_type = Option<words::StepStatus>, required = true)]
    reported_status: Option<&'static str>,
    /// `refused after it was done`, where that is so: nothing was prevented then.
    note: Option<&'static str>,
    verdict: StepVerdict,
    outcome: OutcomeView,
    #[schema(value_type = serde_json::Value)]
    params: Option<Kept>,
    /// Which members are null because what was kept of them was erased: `params`, `outcome.data`, `llm.prompt`,
    /// `llm.response`.
    erased: Vec<&'static str>,
    /// Which are null because what was kept of them is not there any more, or not as it was: the run's proof says so.
    lost: Vec<&'static str>,
    /// Null for a step that is no model call.
    llm: Option<LlmView>,
    /// As its agent or tracer told, by their clock.
    duration_ms: u64,
    retry_count: u64,
    started_at: Option<String>,
    recorded_at: String,
    #[schema(value_type = words::StepLevel)]
    level: &'static str,
    #[schema(value_type = words::StepSource)]
    source: &'static str,
    /// The key whose call reported it: in a run that is a trace, not always the one that opened the run. Null where
    /// somebody did who has the store itself.
    reported_by: Option<String>,
    permit_id: Option<String>,
    /// Why the permit that its caller named did not serve. With `asked` BEFORE it did while the store was down, and its
    /// record was lost.
    #[schema(value_type = Option<words::PermitNote>, required = true)]
    permit_note: Option<&'static str>,
    idempotency_key: Option<String>,
    /// Keyed hashes of what is kept of what went in and came out: by them two steps are compared, of one run or of two.
    /// Null where what they are of was erased: by them anybody could find what it was who records guesses of it.
    #[schema(required = true)]
    input_hash: Option<String>,
    #[schema(required = true)]
    output_hash: Option<String>,
    #[schema(required = true)]
    determinism_hash: Option<String>,
    prev_hash: String,
}

/// What was decided about a step.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct StepVerdict {
    /// Null where the stored decision is gone: the run's proof says so.
    #[schema(value_type = Option<words::Action>, required = true)]
    action: Option<&'static str>,
    /// For a reported step: what would have been answered. Nothing was, for it had happened.
    #[schema(value_type = Option<words::Action>, required = true)]
    would_have: Option<&'static str>,
    /// The rules and limits that fired, the deciding one first; of rules the facts that they were judged on. Null where
    /// the stored decision is gone or does not read back: the run's proof says so.
    #[schema(required = true)]
    fired: Option<Vec<FiredView>>,
    /// The stored decision.
    decision_id: Option<String>,
}

/// What came of a step.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StepOutcome)]
struct OutcomeView {
    #[schema(value_type = words::OutcomeCategory)]
    category: &'static str,
    code: Option<String>,
    #[schema(value_type = serde_json::Value)]
    data: Option<Kept>,
}

/// The model call of a step.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StepLlmCall)]
struct LlmView {
    provider: Option<String>,
    model: Option<String>,
    /// The model that was asked for; the same as `model` where only one name is known.
    model_requested: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    reasoning_tokens: u64,
    /// Null where it is not known.
    cost_usd: Option<Number>,
    /// Why the cost is not known, or not to be trusted.
    #[schema(value_type = Option<words::CostNote>)]
    cost_note: Option<&'static str>,
    prompt: Option<String>,
    response: Option<String>,
    finish_reason: Option<String>,
}

impl From<activity::StepView> for StepView {
    fn from(view: activity::StepView) -> Self {
        let note = view.refused_after();
        let (step, step_hash) = (view.step.record, view.step.step_hash);
        let (mut erased, mut lost) = (Vec::new(), Vec::new());
        let StepTexts { params, outcome_data, prompt, response } = view.texts;
        let mut kept = |name, text: Option<KeptText>| {
            erased.extend(matches!(text, Some(KeptText::Erased(_))).then_some(name));
            lost.extend(matches!(text, Some(KeptText::Lost(_))).then_some(name));
            text.and_then(KeptText::text)
        };
        let (params, outcome_data) = (kept("params", params), kept("outcome.data", outcome_data));
        let (prompt, response) = (kept("llm.prompt", prompt), kept("llm.response", response));
        let hashes = [step.input_hash, step.output_hash, step.determinism_hash];
        let [input_hash, output_hash, determinism_hash] =
            hashes.map(|hash| erased.is_empty().then_some(hash));
        // A use that nobody can read is one, as the tree has it.
        let told = step.cost_nanousd > 0 || step.cost_note.is_some();
        let uses = told || step.input_tokens > 0 || step.output_tokens > 0;
        // An agent that sums up calls which are told of themselves is none.
        let is_llm = step.kind.as_str() == "LLM_CALL"
            || (view.counts && (uses || step.model.is_some() || step.provider.is_some()));
        let llm = is_llm.then(|| LlmView {
            provider: step.provider,
            model_requested: step.model_requested.or_else(|| step.model.clone()),
            model: step.model,
            input_tokens: step.input_tokens,
            output_tokens: step.output_tokens,
            cache_read_tokens: step.cache_read_tokens,
            cache_write_tokens: step.cache_write_tokens,
            reasoning_tokens: step.reasoning_tokens,
            cost_usd: step.cost_known.then(|| Number::usd(step.cost_nanousd)),
            cost_note: step.cost_note.map(|note| note.as_str()),
            prompt,
            response,
            finish_reason: step.finish_reason,
        });
        Self {
            step_index: step.step_index,
            parent_step_index: view.parent_step_index,
            is_late: view.is_late,
            counts: view.counts,
            external_span_id: step.external_span_id,
            external_parent_span_id: step.external_parent_span_id,
            step_hash: step_hash.to_string(),
            kind: step.kind.as_str(),
            skill_name: step.skill_name,
            status: step.status.as_str(),
            asked: step.asked.as_str(),
            reported_status: step.reported_status.map(|status| status.as_str()),
            note,
            verdict: StepVerdict {
                action: view.action.map(|action| action.as_str()),
                would_have: view.would_have.map(|action| action.as_str()),
                fired: view.fired.map(|fired| fired.into_iter().map(Into::into).collect()),
                decision_id: step.decision_id,
            },
            outcome: OutcomeView {
                category: step.outcome_category.as_str(),
                code: step.outcome_code,
                data: outcome_data.map(Kept::from),
            },
            params: params.map(Kept::from),
            erased,
            lost,
            llm,
            duration_ms: step.duration_ms,
            retry_count: step.retry_count,
            started_at: step.started_at,
            recorded_at: step.recorded_at,
            level: step.level.as_str(),
            source: step.source.as_str(),
            reported_by: step.reported_by,
            permit_id: step.permit_id,
            permit_note: step.permit_note.map(|note| note.as_str()),
            idempotency_key: step.idempotency_key,
            input_hash,
            output_hash,
            determinism_hash,
            prev_hash: step.prev_hash,
        }
    }
}
