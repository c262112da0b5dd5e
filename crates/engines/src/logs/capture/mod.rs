//! Capturing evidence: one verb a class. Each makes the record; L4 writes it with what it is evidence of.
//!
//! Nothing is captured without an [`ExecutionContext`](models::logs::ExecutionContext), which only L4 makes, from a
//! run that it has locked.

mod activity;
mod environment;
mod failure;
mod integrity;
mod policy_decision;
mod provider;

pub use self::{
    activity::{ActivityContent, capture_activity_evidence},
    environment::{WasSeen, capture_environment_evidence},
    failure::{record_capture_failure, resolution_of},
    integrity::capture_integrity_evidence,
    policy_decision::{DecisionInputs, capture_policy_decision_evidence},
    provider::{ProviderAnswer, capture_provider_evidence},
};

use proof::hash::Hash;
use serde::{Deserialize, Serialize};

/// Evidence of a step was to be captured in a context that is at no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("evidence of a step needs an execution context that is at a step")]
pub struct EvidenceContextError;

/// The keyed fingerprint of what is kept of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Its hash by the tenant's key.
    pub hash: Hash,
    /// In bytes.
    pub length: u64,
}
