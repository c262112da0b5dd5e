//! What of a call's content is kept: redacted, or, where the tenant keeps none, a fingerprint and a length.

use engines::logs::redact::{self, Raw, Screened, withhold};
use models::account::CaptureMode;
use proof::hmac::keyed;

use super::fit::Fit;
use crate::{context::TenantSettings, errors::Error};

/// Text of an agent, as it may be kept.
pub(in crate::choke) fn text(tenant: &TenantSettings, pointer: &str, text: Option<String>) -> Option<String> {
    text.map(|text| match tenant.capture_mode {
        CaptureMode::Full => redact::redact_text(&text).value,
        CaptureMode::Metadata => withheld(tenant, pointer, &text),
    })
}

/// What a request names as its program, as it may be kept: it is no content, and may be of any length.
pub(in crate::choke) fn program(user_agent: &str) -> String {
    Fit::default().name(redact::redact_text(user_agent).value)
}

/// JSON of an agent, as it may be kept. What is kept of none is JSON too.
pub(in crate::choke) fn json(
    tenant: &TenantSettings,
    pointer: &str,
    text: Option<String>,
) -> Result<Option<String>, Error> {
    let Some(text) = text else { return Ok(None) };
    Ok(Some(match tenant.capture_mode {
        CaptureMode::Full => redact::redact_json(&text).map_err(unreadable)?.value,
        CaptureMode::Metadata => withheld(tenant, pointer, &text),
    }))
}

/// The content of a step, as it may be kept, and what the rules may know of it. Where none is kept, they still know
/// what was in it (classes, kinds, sizes, hosts, tables, domains), but no piece of it: no path and no command. A rule
/// that reads those cannot be evaluated, and refuses.
pub(in crate::choke) fn screen(tenant: &TenantSettings, raw: Raw<'_>) -> Result<Screened, Error> {
    let screened = redact::screen(&tenant.key, raw).map_err(unreadable)?;
    if tenant.capture_mode == CaptureMode::Full {
        return Ok(screened);
    }
    let keep = |pointer: &str, text: Option<&str>| text.map(|text| withheld(tenant, pointer, text));
    Ok(Screened {
        params: keep("/params", raw.params),
        outcome_data: keep("/outcome/data", raw.outcome_data),
        prompt: keep("/llm/prompt", raw.prompt),
        response: keep("/llm/response", raw.response),
        param_facts: screened.param_facts.without_content(),
        ..screened
    })
}

/// How long what went in and out of a step was, where only that is kept.
pub(in crate::choke) fn lengths(tenant: &TenantSettings, raw: Raw<'_>) -> Option<(u64, u64)> {
    let length = |text: Option<&str>| text.map_or(0, |text| text.len() as u64);
    (tenant.capture_mode == CaptureMode::Metadata)
        .then(|| (length(raw.prompt.or(raw.params)), length(raw.response.or(raw.outcome_data))))
}

fn withheld(tenant: &TenantSettings, pointer: &str, raw: &str) -> String {
    withhold(raw, keyed(&tenant.key, "content/fingerprint", "", pointer, raw.as_bytes()))
}

/// JSON was parsed when it was checked; so this cannot be, and is said if it is.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands on")]
fn unreadable(err: serde_json::Error) -> Error {
    Error::Internal(format!("checked JSON does not parse: {err}"))
}
