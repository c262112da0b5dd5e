//! The hashes by which what is kept of a step is told from what another step has, whatever its run: by the tenant's
//! key, so that they tell nobody else what was there once it is erased. They are made by the caller's own task: no
//! group waits for them.

use engines::logs::capture::Fingerprint;
use proof::{
    hash::Hash,
    hmac::{TenantKey, keyed},
};
use serde::{Deserialize, Serialize};

use crate::choke::call::{PermitRequest, StepReport};

/// The keyed hashes of what is kept of a step.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::choke) struct ContentHashes {
    /// Of all that went in, and of all that came out.
    pub(in crate::choke) input: Hash,
    pub(in crate::choke) output: Hash,
    /// Of its parameters and its outcome data.
    pub(in crate::choke) params: Option<Hash>,
    pub(in crate::choke) outcome: Option<Hash>,
    /// What went in, and what came out, as class B tells it.
    pub(in crate::choke) prompt: Option<Fingerprint>,
    pub(in crate::choke) response: Option<Fingerprint>,
}

impl ContentHashes {
    pub(super) fn of(key: &TenantKey, report: &StepReport) -> Self {
        let llm = report.llm.as_ref();
        let params = fingerprint(key, "/params", report.params.as_deref());
        let outcome = fingerprint(key, "/outcome/data", report.outcome_data.as_deref());
        let prompt = fingerprint(key, "/llm/prompt", llm.and_then(|llm| llm.prompt.as_deref()));
        let response = fingerprint(key, "/llm/response", llm.and_then(|llm| llm.response.as_deref()));
        Self {
            input: both(key, "/input", [params, prompt]),
            output: both(key, "/output", [outcome, response]),
            params: params.map(|of| of.hash),
            outcome: outcome.map(|of| of.hash),
            prompt: prompt.or(params),
            response: response.or(outcome),
        }
    }

    /// Of what was only asked for.
    pub(super) fn of_permit(key: &TenantKey, request: &PermitRequest) -> Self {
        let params = fingerprint(key, "/params", request.params.as_deref());
        Self {
            input: both(key, "/input", [params, None]),
            output: both(key, "/output", [None, None]),
            params: params.map(|of| of.hash),
            outcome: None,
            prompt: params,
            response: None,
        }
    }
}

/// It names no run: what two runs were given is compared by it.
fn fingerprint(key: &TenantKey, pointer: &str, text: Option<&str>) -> Option<Fingerprint> {
    text.map(|text| Fingerprint {
        hash: keyed(key, "content", "", pointer, text.as_bytes()),
        length: text.len() as u64,
    })
}

fn both(key: &TenantKey, pointer: &str, parts: [Option<Fingerprint>; 2]) -> Hash {
    let mut value = Vec::with_capacity(66);
    for part in parts {
        value.push(u8::from(part.is_some()));
        value.extend(part.iter().flat_map(|of| of.hash.0));
    }
    keyed(key, "content", "", pointer, &value)
}
