//! Answers that are kept, so that a repeat gets them again.

use chrono::{DateTime, Utc};
use proof::hash::{Hash, sha256};

use crate::ids::{KeyId, TenantId};

/// What a write was answered that came with an idempotency key; or, without an answer, that one is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAnswer {
    pub tenant: TenantId,
    /// The credential that asked: another's equal key is another call.
    pub key_id: KeyId,
    pub idempotency_key: String,
    /// What was asked for, `{domain}.{verb}`.
    pub operation: String,
    /// Keyed hash of the request.
    pub request_hash: Hash,
    /// Sealed by the installation: it may hold a credential that is shown once.
    pub answer: Option<Vec<u8>>,
    /// SHA-256 of `answer`.
    pub answer_hash: Option<Hash>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl KeptAnswer {
    /// The call with its answer.
    #[must_use]
    pub fn answered(self, answer: Vec<u8>) -> Self {
        Self { answer_hash: Some(sha256(&answer)), answer: Some(answer), ..self }
    }

    /// Whether it asked for the same.
    #[must_use]
    pub fn is_of(&self, call: &Self) -> bool {
        self.operation == call.operation && self.request_hash == call.request_hash
    }
}
