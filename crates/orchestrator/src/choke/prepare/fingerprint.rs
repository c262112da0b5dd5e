//! What of a request makes two requests one: all that its caller said, but the key itself; and what commits to its
//! content. Texts may be long: both name them by their digests, for which each is read once.

use engines::logs::redact;
use models::ids::RunId;
use proof::{
    hash::{Hash, sha256},
    hmac::{TenantKey, keyed},
    words::{OutcomeCategory, ReplayBehavior, ReplayMode, RunSource, StepKind, StepStatus},
};
use serde::Serialize;

use crate::{
    choke::call::{PermitRequest, StartRun, StepReport},
    errors::Error,
    report::PartOf,
};

#[derive(Serialize)]
pub(in crate::choke) struct StartFingerprint<'a> {
    agent_id: &'a str,
    goal: Option<&'a str>,
    project_id: Option<&'a str>,
    actor: Option<(&'a str, Option<&'a str>)>,
    source: Option<&'a str>,
    provider_type: Option<&'a str>,
    parent_run_id: Option<&'a str>,
    expected_latency_ms: Option<u64>,
    environment: Option<&'a str>,
    replay_of: Option<&'a str>,
    replay_mode: Option<&'a str>,
    synthetic: (bool, Option<&'a str>),
    metadata: Option<&'a str>,
    external_trace_id: Option<&'a str>,
    /// Absent where none is said: the request is what it was before there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    part_of: Option<&'a PartOf>,
}

impl<'a> StartFingerprint<'a> {
    pub(in crate::choke) fn of(request: &'a StartRun) -> Self {
        Self {
            agent_id: &request.agent_id,
            goal: request.goal.as_deref(),
            project_id: request.project_id.as_deref(),
            actor: request.actor.as_ref().map(|(kind, id)| (kind.as_str(), id.as_deref())),
            source: request.source.map(RunSource::as_str),
            provider_type: request.provider_type.as_deref(),
            parent_run_id: request.parent_run_id.as_deref(),
            expected_latency_ms: request.expected_latency_ms,
            environment: request.environment.as_deref(),
            replay_of: request.replay_of.as_deref(),
            replay_mode: request.replay_mode.map(ReplayMode::as_str),
            synthetic: (request.is_synthetic, request.synthetic_scenario_id.as_deref()),
            metadata: request.metadata.as_deref(),
            external_trace_id: request.external_trace_id.as_deref(),
            part_of: Some(&request.part_of).filter(|of| **of != PartOf::default()),
        }
    }
}

/// SHA-256 of the texts of a step as they came. They are kept nowhere: they go into keyed hashes alone.
pub(in crate::choke) struct RawDigests {
    params: Option<Hash>,
    outcome_data: Option<Hash>,
    prompt: Option<Hash>,
    response: Option<Hash>,
}

impl RawDigests {
    pub(in crate::choke) fn of(report: &StepReport) -> Self {
        let llm = report.llm.as_ref();
        Self {
            params: digest(report.params.as_deref()),
            outcome_data: digest(report.outcome_data.as_deref()),
            prompt: digest(llm.and_then(|llm| llm.prompt.as_deref())),
            response: digest(llm.and_then(|llm| llm.response.as_deref())),
        }
    }

    /// Of a step that does not keep what its call to a model said.
    pub(in crate::choke) fn without_llm(self) -> Self {
        Self { prompt: None, response: None, ..self }
    }
}

fn digest(text: Option<&str>) -> Option<Hash> {
    text.map(|text| sha256(text.as_bytes()))
}

#[derive(Serialize)]
pub(in crate::choke) struct PermitFingerprint<'a> {
    kind: StepKind,
    skill_name: &'a str,
    params: Option<Hash>,
    provider: Option<&'a str>,
    model: Option<&'a str>,
    estimate: (u64, u64, Option<u64>),
    labels: &'a [String],
}

impl<'a> PermitFingerprint<'a> {
    pub(in crate::choke) fn of(request: &'a PermitRequest) -> Self {
        let estimate = request.estimate;
        Self {
            kind: request.kind,
            skill_name: &request.skill_name,
            params: digest(request.params.as_deref()),
            provider: request.provider.as_deref(),
            model: request.model.as_deref(),
            estimate: (estimate.input_tokens, estimate.output_tokens, estimate.cost_nanousd),
            labels: &request.labels,
        }
    }
}

#[derive(Serialize)]
pub(in crate::choke) struct StepFingerprint<'a> {
    kind: StepKind,
    skill_name: &'a str,
    params: Option<Hash>,
    status: StepStatus,
    outcome: (Option<OutcomeCategory>, Option<&'a str>, Option<Hash>),
    llm: Option<LlmFingerprint<'a>>,
    duration_ms: u64,
    retry_count: u64,
    started_at: Option<String>,
    replay_behavior: Option<ReplayBehavior>,
    permit_id: Option<String>,
    parent_step_index: Option<u64>,
    step_index: Option<u64>,
    spans: (Option<&'a str>, Option<&'a str>),
    labels: &'a [String],
}

#[derive(Serialize)]
struct LlmFingerprint<'a> {
    model: (Option<&'a str>, Option<&'a str>),
    model_requested: Option<&'a str>,
    tokens: [u64; 6],
    cost_nanousd: Option<u64>,
    request_id: Option<&'a str>,
    prompt: Option<Hash>,
    response: Option<Hash>,
    finish_reason: Option<&'a str>,
    /// Absent where none is said: the request is what it was before it could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

impl<'a> StepFingerprint<'a> {
    pub(in crate::choke) fn of(report: &'a StepReport, texts: &RawDigests) -> Self {
        let llm = report.llm.as_ref().map(|llm| LlmFingerprint {
            model: (llm.provider.as_deref(), llm.model.as_deref()),
            model_requested: llm.model_requested.as_deref(),
            tokens: [
                llm.input_tokens,
                llm.output_tokens,
                llm.cache_read_tokens,
                llm.cache_write_tokens,
                llm.cache_write_hour_tokens,
                llm.reasoning_tokens,
            ],
            cost_nanousd: llm.cost_nanousd,
            request_id: llm.request_id.as_deref(),
            prompt: texts.prompt,
            response: texts.response,
            finish_reason: llm.finish_reason.as_deref(),
            service_tier: llm.service_tier.as_deref(),
        });
        Self {
            kind: report.kind,
            skill_name: &report.skill_name,
            params: texts.params,
            status: report.status,
            outcome: (report.outcome_category, report.outcome_code.as_deref(), texts.outcome_data),
            llm,
            duration_ms: report.duration_ms,
            retry_count: report.retry_count,
            started_at: report.started_at.map(models::time::text),
            replay_behavior: report.replay_behavior,
            permit_id: report.permit_id.map(|id| id.to_string()),
            parent_step_index: report.parent_step_index,
            step_index: report.step_index,
            spans: (report.external_span_id.as_deref(), report.external_parent_span_id.as_deref()),
            labels: &report.labels,
        }
    }
}

/// A commitment to the raw input and output of a step: whoever holds them can prove later what was there.
pub(in crate::choke) fn commitment(key: &TenantKey, run_id: RunId, texts: &RawDigests) -> Hash {
    let mut value = Vec::with_capacity(4 * 33);
    for text in [texts.params, texts.outcome_data, texts.prompt, texts.response] {
        value.push(u8::from(text.is_some()));
        value.extend(text.iter().flat_map(|digest| digest.0));
    }
    keyed(key, "commitment", &run_id.to_string(), "/step", &value)
}

/// The keyed hash by which a repeat of a request is told from another request.
pub(super) fn fingerprint(key: &TenantKey, purpose: &str, request: &impl Serialize) -> Result<Hash, Error> {
    let bytes = proof::canonical::try_to_bytes(request).map_err(|err| Error::invalid("", err.to_string()))?;
    Ok(keyed(key, &format!("idempotency/{purpose}"), "", "", &bytes))
}

/// The keyed hash of the parameters that a permit is bound to, whatever the order of their members.
pub(super) fn params_hash(key: &TenantKey, run_id: RunId, params: Option<&str>) -> Result<Hash, Error> {
    let canonical =
        params.map(redact::canonical_text).transpose().map_err(|err| Error::invalid("/params", err))?;
    let value = canonical.as_deref().unwrap_or_default();
    Ok(keyed(key, "permit/params", &run_id.to_string(), "/params", value.as_bytes()))
}
