//! A question before acting.

use engines::{
    check::{Check, kept_labels},
    logs::redact::Raw,
};
use models::ids::RunId;
use proof::words::StepKind;

use super::{
    Call, CallKind, ContentHashes, PreparedPermit, capture,
    fingerprint::{PermitFingerprint, fingerprint, params_hash},
    priced::price_estimate,
};
use crate::{choke::call::PermitRequest, context::CallContext, errors::Error};

impl Call {
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
        ] {
            check.identity(pointer, text.map(String::as_str));
        }
        check.name("/idempotency_key", request.idempotency_key.as_deref());
        check.labels("/labels", &request.labels);
        check.json("/params", request.params.as_deref());
        check.number("/estimate/input_tokens", request.estimate.input_tokens);
        check.number("/estimate/output_tokens", request.estimate.output_tokens);
        check.number("/estimate/cost_usd", request.estimate.cost_nanousd.unwrap_or(0));
        check.done()?;
        let key = &ctx.tenant.key;
        let request_hash = fingerprint(key, "permit", &PermitFingerprint::of(&request))?;
        let params_hash = params_hash(key, run_id, request.params.as_deref())?;
        let of_a_tool = request.kind == StepKind::ToolCall;
        let raw = Raw { params: request.params.as_deref(), of_a_tool, ..Raw::default() };
        let screened = capture::screen(&ctx.tenant, raw)?;
        request.params = screened.params;
        request.labels = kept_labels(&request.labels);
        price_estimate(&mut request, ctx.came_at);
        let (content, params) = (screened.content, screened.param_facts);
        let content_hashes = ContentHashes::of_permit(key, &request);
        let permit =
            PreparedPermit { run_id, request, request_hash, params_hash, content_hashes, content, params };
        Ok(Self { caller: ctx.into(), what: CallKind::Permit(Box::new(permit)), once: None })
    }
}
