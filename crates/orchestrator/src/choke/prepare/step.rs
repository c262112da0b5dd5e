//! A report after acting, by a caller and by a tracer.

use engines::{
    check::{Check, kept_labels},
    logs::redact::Raw,
};
use models::ids::RunId;
use proof::words::StepKind;

use super::{
    Call, CallKind, Caller, ContentHashes, PreparedStep, capture,
    fingerprint::{RawDigests, StepFingerprint, commitment, fingerprint, params_hash},
    priced::price_call,
};
use crate::{choke::call::StepReport, context::CallContext, errors::Error, report::OtherSide};

/// What a span was to tell and its step does not have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Missing {
    /// Something was too long, and was cut, or could not be read.
    pub(crate) cut: bool,
    /// Nothing says what a tool was called with: its facts may miss any.
    pub(crate) arguments: bool,
}

impl Call {
    /// A report after acting.
    pub(crate) fn record(ctx: &CallContext, run_id: RunId, report: StepReport) -> Result<Self, Error> {
        let step = prepared(ctx, run_id, report)?;
        Ok(Self { caller: ctx.into(), what: CallKind::Record(Box::new(step)), once: None })
    }

    /// A span of a trace that is `run_id`.
    pub(crate) fn span(
        ctx: &CallContext,
        run_id: RunId,
        report: StepReport,
        missing: Missing,
    ) -> Result<Self, Error> {
        let mut step = prepared(ctx, run_id, report)?;
        step.is_span = true;
        step.content.truncated |= missing.cut;
        step.params.facts_cut |= missing.arguments;
        Ok(Self { caller: Caller::reporting(ctx), what: CallKind::Record(Box::new(step)), once: None })
    }
}

/// A report, checked and redacted, with its cost where that is known.
fn prepared(ctx: &CallContext, run_id: RunId, mut report: StepReport) -> Result<PreparedStep, Error> {
    check_report(&report)?;
    if let Some(llm) = &mut report.llm {
        llm.name_once();
    }
    let key = &ctx.tenant.key;
    let mut texts = RawDigests::of(&report);
    let request_hash = fingerprint(key, "step", &StepFingerprint::of(&report, &texts))?;
    // For people and rules it is one call, which is counted where it is told.
    if report.other_side != OtherSide::NotTold {
        report.kind = StepKind::Other;
    }
    if report.other_side == OtherSide::ToldWithUse {
        report.llm = None;
        texts = texts.without_llm();
    }
    let bound = report.params.as_deref().filter(|_| report.permit_id.is_some());
    let params_hash = params_hash(key, run_id, bound)?;
    let commitment = commitment(key, run_id, &texts);
    let llm = report.llm.as_ref();
    let raw = Raw {
        params: report.params.as_deref(),
        outcome_data: report.outcome_data.as_deref(),
        prompt: llm.and_then(|llm| llm.prompt.as_deref()),
        response: llm.and_then(|llm| llm.response.as_deref()),
        of_a_tool: report.kind == StepKind::ToolCall,
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
    Ok(PreparedStep {
        run_id,
        price_book,
        content_hashes: ContentHashes::of(key, &report),
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
    })
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
    check.identity("/skill_name", Some(&report.skill_name));
    for (pointer, text) in [
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
        ] {
            check.identity(pointer, text.map(String::as_str));
        }
        for (pointer, text) in [
            ("/llm/service_tier", llm.service_tier.as_ref()),
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
