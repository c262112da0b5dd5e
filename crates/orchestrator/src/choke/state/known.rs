//! A step that is stored, as far as its repeats ask for it.

use proof::{hash::Hash, records::StepRecord, words::StepStatus};

/// A step that was stored under a key, now or before: what its repeat is answered with.
pub(in crate::choke) struct KnownStep {
    pub(in crate::choke) step_index: u64,
    pub(in crate::choke) status: StepStatus,
    pub(in crate::choke) step_hash: Hash,
    pub(in crate::choke) request_hash: Option<String>,
    pub(in crate::choke) reported_by: Option<String>,
    pub(in crate::choke) decision_id: Option<String>,
    pub(in crate::choke) run_after: String,
}

impl KnownStep {
    pub(in crate::choke) fn of(record: &StepRecord, step_hash: Hash) -> Self {
        Self {
            step_index: record.step_index,
            status: record.status,
            step_hash,
            request_hash: record.request_hash.clone(),
            reported_by: record.reported_by.clone(),
            decision_id: record.decision_id.clone(),
            run_after: record.run_after.clone(),
        }
    }

    /// Whether the call that comes under its key is the one that it was.
    pub(in crate::choke) fn is_of(&self, request_hash: Hash) -> bool {
        self.request_hash.as_deref() == Some(&request_hash.to_string())
    }
}
