//! From a request to a call that may wait: checked, redacted, fingerprinted.
//!
//! All this is done by the caller's own task, before the group, so that the transaction holds its locks for as
//! short as it can, and so that nothing unredacted, and nothing that a store could refuse, gets further.

mod caller;
mod capture;
mod fingerprint;
pub(crate) mod fit;
mod priced;

use engines::{
    check::{Check, kept_labels},
    logs::{
        capture::Fingerprint,
        redact::{self, REDACTION_VERSION, Raw},
    },
};
use models::{account::KeptAnswer, bounds, ids::RunId};
use proof::{
    hash::Hash,
    hmac::{TenantKey, keyed},
    words::{ActorType, RunSource, WayIn},
};
use rules::facts::{ContentFacts, ParamFacts};
use serde::{Deserialize, Serialize};

pub(crate) use self::caller::Caller;
use self::{
    fingerprint::{PermitFingerprint, StartFingerprint, StepFingerprint, commitment},
    priced::{price_call, price_estimate},
};
use super::call::{EndRun, PermitRequest, StartRun, StepReport, TraceStart};
use crate::{context::CallContext, errors::Error, once::Once};

/// A call, ready for the group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(super) caller: Caller,
    pub(super) what: CallKind,
    /// The idempotency key of an end or a kill: its answer is kept for a day. Others keep theirs for ever.
    #[serde(skip)]
    pub(super) once: Option<KeptAnswer>,
}

/// What is asked. A spool keeps permits and records alone: nothing else is answered while the store is down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum CallKind {
    #[serde(skip)]
    Start(Box<PreparedStart>),
    /// A run for an outside trace, if it has none yet.
    #[serde(skip)]
    Trace(Box<PreparedStart>),
    Permit(Box<PreparedPermit>),
    Record(Box<PreparedStep>),
    #[serde(skip)]
    End(RunId, EndRun),
    #[serde(skip)]
    Kill(RunId, PreparedKill),
}

/// A kill by a person.
#[derive(Clone, Debug)]
pub(crate) struct PreparedKill {
    pub(super) actor_type: ActorType,
    pub(super) actor_id: String,
    /// After redaction.
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct PreparedStart {
    pub(super) request: StartRun,
    /// The run's id, where the caller has had to name it already.
    pub(super) run_id: Option<RunId>,
    pub(super) parent_run_id: Option<RunId>,
    pub(super) replay_of: Option<RunId>,
    /// By which way it came.
    pub(super) way_in: WayIn,
    /// What the request names as its program, after redaction.
    pub(super) user_agent: Option<String>,
    /// The labels in its metadata, after redaction.
    pub(super) labels: Vec<String>,
    /// Something of what an exporter said was too long, and was cut.
    pub(super) cut: bool,
    /// The agents that the caller's key is bound to, where this one is not among them.
    pub(super) bound_to: Option<String>,
    pub(super) request_hash: Hash,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PreparedPermit {
    pub(super) run_id: RunId,
    pub(super) request: PermitRequest,
    pub(super) request_hash: Hash,
    pub(super) params_hash: Hash,
    pub(super) content: ContentFacts,
    pub(super) params: ParamFacts,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PreparedStep {
    pub(super) run_id: RunId,
    /// After redaction, and with its cost where the price book has it.
    pub(super) report: StepReport,
    /// The price book that the cost is by; none where the caller said it, or nobody knows it.
    pub(super) price_book: Option<String>,
    /// It was exported by a tracer: nobody waits for its verdict.
    pub(super) is_span: bool,
    pub(super) request_hash: Hash,
    pub(super) params_hash: Hash,
    pub(super) content: ContentFacts,
    pub(super) params: ParamFacts,
    pub(super) sensitivity: String,
    pub(super) redacted_count: u64,
    pub(super) commitment: Hash,
    /// Of what is kept of its content.
    pub(super) content_hashes: ContentHashes,
    /// How long what went in and out was, where it is not kept.
    pub(super) raw_lengths: Option<(u64, u64)>,
}

/// The public hashes of what is kept of a step, made by its caller's own task: no group waits for them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ContentHashes {
    pub(super) input: Hash,
    pub(super) output: Hash,
    /// What went in, and what came out, as class B tells it.
    pub(super) prompt: Option<Fingerprint>,
    pub(super) response: Option<Fingerprint>,
}

impl ContentHashes {
    fn of(report: &StepReport) -> Self {
        let (params, outcome_data) = (report.params.as_deref(), report.outcome_data.as_deref());
        let llm = report.llm.as_ref();
        let prompt = llm.and_then(|llm| llm.prompt.as_deref());
        let response = llm.and_then(|llm| llm.response.as_deref());
        Self {
            input: content_hash(&[params, prompt]),
            output: content_hash(&[outcome_data, response]),
            prompt: prompt.or(params).map(Fingerprint::of),
            response: response.or(outcome_data).map(Fingerprint::of),
        }
    }
}

pub(super) fn content_hash(parts: &[Option<&str>]) -> Hash {
    let parts = serde_json::to_vec(parts).unwrap_or_default();
    proof::hash::sha256(&parts)
}

pub(super) const REDACTION: u64 = REDACTION_VERSION;

impl Call {
    /// The start of a run.
    pub(crate) fn start(ctx: &CallContext, mut request: StartRun) -> Result<Self, Error> {
        let mut check = Check::default();
        check.required("/agent_id", &request.agent_id);
        if let Some((ActorType::Human, None)) = &request.actor {
            check.refuse("/actor/id", "a HUMAN actor needs an id");
        }
        let parent_run_id = check.id("/parent_run_id", request.parent_run_id.as_deref(), "run");
        let replay_of = check.id("/replay_of", request.replay_of.as_deref(), "run");
        check.identity("/agent_id", Some(&request.agent_id));
        check.identity("/project_id", request.project_id.as_deref());
        for (pointer, text) in [
            ("/provider_type", request.provider_type.as_ref()),
            ("/synthetic_scenario_id", request.synthetic_scenario_id.as_ref()),
            ("/idempotency_key", request.idempotency_key.as_ref()),
            ("/actor/id", request.actor.as_ref().and_then(|(_, id)| id.as_ref())),
            ("/conversation_id", request.part_of.conversation_id.as_ref()),
            ("/session_id", request.part_of.session_id.as_ref()),
            ("/user_id", request.part_of.user_id.as_ref()),
        ] {
            check.name(pointer, text.map(String::as_str));
        }
        check.words("/goal", request.goal.as_deref(), bounds::TEXT);
        check.document("/environment", request.environment.as_deref());
        let labels = check.metadata("/metadata", request.metadata.as_deref());
        check.number("/expected_latency_ms", request.expected_latency_ms.unwrap_or(0));
        check.done()?;
        let request_hash = fingerprint(&ctx.tenant.key, "start", &StartFingerprint::of(&request))?;
        let tenant = &ctx.tenant;
        request.goal = capture::text(tenant, "/goal", request.goal);
        request.environment = capture::json(tenant, "/environment", request.environment)?;
        request.metadata = capture::json(tenant, "/metadata", request.metadata)?;
        let labels = kept_labels(&labels);
        let bound_to = ctx.agents.without(&request.agent_id).map(ToString::to_string);
        let start = PreparedStart {
            request,
            run_id: None,
            parent_run_id,
            replay_of,
            way_in: WayIn::Rest,
            user_agent: ctx.user_agent.as_deref().map(capture::program),
            labels,
            cut: false,
            bound_to,
            request_hash,
        };
        Ok(Self { caller: ctx.into(), what: CallKind::Start(Box::new(start)), once: None })
    }

    /// The run of an outside trace, to be opened as `run_id` unless the trace has one.
    pub(crate) fn trace(
        ctx: &CallContext,
        way_in: WayIn,
        run_id: RunId,
        start: TraceStart,
    ) -> Result<Self, Error> {
        let TraceStart { trace_id, agent_id, project_id, provider_type, environment, cut } = start;
        let request = StartRun {
            agent_id,
            project_id,
            provider_type,
            environment,
            source: Some(RunSource::Otlp),
            external_trace_id: Some(trace_id),
            ..StartRun::default()
        };
        match Self::start(ctx, request)?.what {
            CallKind::Start(mut start) => {
                start.run_id = Some(run_id);
                start.way_in = way_in;
                start.cut = cut;
                Ok(Self { caller: Caller::reporting(ctx), what: CallKind::Trace(start), once: None })
            }
            _ => Err(Error::Internal("a start is a start".to_owned())),
        }
    }

    /// A span of a trace that is `run_id`; `cut` where something of it was too long, and was cut.
    pub(crate) fn span(
        ctx: &CallContext,
        run_id: RunId,
        report: StepReport,
        cut: bool,
    ) -> Result<Self, Error> {
        let mut call = Self::record(ctx, run_id, report)?;
        call.caller = Caller::reporting(ctx);
        if let CallKind::Record(step) = &mut call.what {
            step.is_span = true;
            step.content.truncated |= cut;
        }
        Ok(call)
    }

    /// A question before acting.
    pub(crate) fn permit(
        ctx: &CallContext,
        run_id: RunId,
        mut request: PermitRequest,
    ) -> Result<Self, Error> {
        let mut check = Check::default();
        check.required("/skill_name", &request.skill_name);
        for (pointer, text) in [
            ("/skill_name", Some(&request.skill_name)),
            ("/provider", request.provider.as_ref()),
            ("/model", request.model.as_ref()),
            ("/idempotency_key", request.idempotency_key.as_ref()),
        ] {
            check.name(pointer, text.map(String::as_str));
        }
        check.labels("/labels", &request.labels);
        check.json("/params", request.params.as_deref());
        check.number("/estimate/input_tokens", request.estimate.input_tokens);
        check.number("/estimate/output_tokens", request.estimate.output_tokens);
        check.number("/estimate/cost_usd", request.estimate.cost_nanousd.unwrap_or(0));
        check.done()?;
        let key = &ctx.tenant.key;
        let request_hash = fingerprint(key, "permit", &PermitFingerprint::of(&request))?;
        let params_hash = params_hash(key, run_id, request.params.as_deref())?;
        let raw = Raw { params: request.params.as_deref(), outcome_data: None, prompt: None, response: None };
        let screened = capture::screen(&ctx.tenant, raw)?;
        request.params = screened.params;
        request.labels = kept_labels(&request.labels);
        price_estimate(&mut request, ctx.came_at);
        let (content, params) = (screened.content, screened.param_facts);
        let permit = PreparedPermit { run_id, request, request_hash, params_hash, content, params };
        Ok(Self { caller: ctx.into(), what: CallKind::Permit(Box::new(permit)), once: None })
    }

    /// A report after acting.
    pub(crate) fn record(ctx: &CallContext, run_id: RunId, mut report: StepReport) -> Result<Self, Error> {
        check_report(&report)?;
        if let Some(llm) = &mut report.llm {
            llm.name_once();
        }
        let key = &ctx.tenant.key;
        let request_hash = fingerprint(key, "step", &StepFingerprint::of(&report))?;
        let params_hash = params_hash(key, run_id, report.params.as_deref())?;
        let commitment = commitment(key, run_id, &report);
        let llm = report.llm.as_ref();
        let raw = Raw {
            params: report.params.as_deref(),
            outcome_data: report.outcome_data.as_deref(),
            prompt: llm.and_then(|llm| llm.prompt.as_deref()),
            response: llm.and_then(|llm| llm.response.as_deref()),
        };
        let screened = capture::screen(&ctx.tenant, raw)?;
        let raw_lengths = capture::lengths(&ctx.tenant, raw);
        report.params = screened.params;
        report.labels = kept_labels(&report.labels);
        report.outcome_data = screened.outcome_data;
        if let Some(llm) = &mut report.llm {
            llm.prompt = screened.prompt;
            llm.response = screened.response;
        }
        let price_book = price_call(&mut report, ctx.came_at);
        let step = PreparedStep {
            run_id,
            price_book,
            content_hashes: ContentHashes::of(&report),
            report,
            is_span: false,
            request_hash,
            params_hash,
            content: screened.content,
            params: screened.param_facts,
            sensitivity: screened.findings.labels(),
            redacted_count: screened.findings.count,
            commitment,
            raw_lengths,
        };
        Ok(Self { caller: ctx.into(), what: CallKind::Record(Box::new(step)), once: None })
    }

    /// The end of a run.
    pub(crate) fn end(ctx: &CallContext, once: Once, run_id: RunId, how: EndRun) -> Result<Self, Error> {
        let mut check = Check::default();
        match &how {
            EndRun::Failed { error } => check.words("/error", error.as_deref(), bounds::TEXT),
            EndRun::Abort { reason } => check.words("/reason", reason.as_deref(), bounds::TEXT),
            EndRun::Succeeded | EndRun::Abandoned | EndRun::StopElapsed => {}
        }
        check.done()?;
        let how = match how {
            EndRun::Failed { error } => EndRun::Failed { error: capture::text(&ctx.tenant, "/error", error) },
            EndRun::Abort { reason } => {
                EndRun::Abort { reason: capture::text(&ctx.tenant, "/reason", reason) }
            }
            other => other,
        };
        Ok(Self { caller: ctx.into(), what: CallKind::End(run_id, how), once: once.into_call() })
    }
}

impl Call {
    /// The id of the span that is to be recorded.
    pub(crate) fn span_id(&self) -> Option<&str> {
        match &self.what {
            CallKind::Record(step) => step.report.external_span_id.as_deref(),
            _ => None,
        }
    }

    /// A kill by a person.
    pub(crate) fn kill(
        ctx: &CallContext,
        once: Once,
        run_id: RunId,
        reason: Option<String>,
    ) -> Result<Self, Error> {
        let reason = reason_of(reason)?;
        let kill = PreparedKill { actor_type: ctx.actor_type, actor_id: ctx.actor_id.clone(), reason };
        Ok(Self { caller: ctx.into(), what: CallKind::Kill(run_id, kill), once: once.into_call() })
    }

    /// The end of a run that nobody ends.
    pub(crate) fn sweep(run_id: RunId, how: EndRun) -> Self {
        let caller = Caller { key: None, own_only: false, correlation_id: "sweeper".to_owned() };
        Self { caller, what: CallKind::End(run_id, how), once: None }
    }
}

/// A person's reason: checked, and redacted.
pub(crate) fn reason_of(reason: Option<String>) -> Result<Option<String>, Error> {
    let mut check = Check::default();
    check.words("/reason", reason.as_deref(), bounds::REASON);
    check.done()?;
    Ok(reason.map(|text| redact::redact_text(&text).value))
}

fn check_report(report: &StepReport) -> Result<(), Error> {
    let mut check = Check::default();
    check.required("/skill_name", &report.skill_name);
    if report.status == proof::words::StepStatus::Refused {
        check.refuse(
            "/status",
            "REFUSED is for the choke point to say: report SUCCESS, FAILURE, RETRY or SKIPPED",
        );
    }
    for (pointer, text) in [
        ("/skill_name", Some(&report.skill_name)),
        ("/outcome/code", report.outcome_code.as_ref()),
        ("/idempotency_key", report.idempotency_key.as_ref()),
    ] {
        check.name(pointer, text.map(String::as_str));
    }
    check.labels("/labels", &report.labels);
    check.json("/params", report.params.as_deref());
    check.json("/outcome/data", report.outcome_data.as_deref());
    check.number("/duration_ms", report.duration_ms);
    check.number("/retry_count", report.retry_count);
    check.number("/parent_step_index", report.parent_step_index.unwrap_or(0));
    if let Some(llm) = &report.llm {
        for (pointer, text) in [
            ("/llm/provider", llm.provider.as_ref()),
            ("/llm/model", llm.model.as_ref()),
            ("/llm/model_requested", llm.model_requested.as_ref()),
            ("/llm/request_id", llm.request_id.as_ref()),
            ("/llm/finish_reason", llm.finish_reason.as_ref()),
        ] {
            check.name(pointer, text.map(String::as_str));
        }
        check.content("/llm/prompt", llm.prompt.as_deref());
        check.content("/llm/response", llm.response.as_deref());
        for (pointer, number) in [
            ("/llm/input_tokens", llm.input_tokens),
            ("/llm/output_tokens", llm.output_tokens),
            ("/llm/cache_read_tokens", llm.cache_read_tokens),
            ("/llm/cache_write_tokens", llm.cache_write_tokens),
            ("/llm/cache_write_hour_tokens", llm.cache_write_hour_tokens),
            ("/llm/reasoning_tokens", llm.reasoning_tokens),
            ("/llm/cost_usd", llm.cost_nanousd.unwrap_or(0)),
        ] {
            check.number(pointer, number);
        }
    }
    Ok(check.done()?)
}

/// The keyed hash by which a repeat of a request is told from another request.
fn fingerprint(key: &TenantKey, purpose: &str, request: &impl Serialize) -> Result<Hash, Error> {
    let bytes = proof::canonical::try_to_bytes(request).map_err(|err| Error::invalid("", err.to_string()))?;
    Ok(keyed(key, &format!("idempotency/{purpose}"), "", "", &bytes))
}

/// The keyed hash of the parameters that a permit is bound to, whatever the order of their members.
fn params_hash(key: &TenantKey, run_id: RunId, params: Option<&str>) -> Result<Hash, Error> {
    let canonical =
        params.map(redact::canonical_text).transpose().map_err(|err| Error::invalid("/params", err))?;
    let value = canonical.as_deref().unwrap_or_default();
    Ok(keyed(key, "permit/params", &run_id.to_string(), "/params", value.as_bytes()))
}
