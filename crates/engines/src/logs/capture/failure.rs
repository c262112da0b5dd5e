//! A capture that failed: kept, so that what is missing is explained.

use chrono::{DateTime, Utc};
use models::{ids::FailureId, logs::ExecutionContext};
use proof::{
    records::CaptureFailureRecord,
    words::{CaptureFailureReason, EvidenceClass, FailureResolution},
};

/// What becomes of a failure of each reason (the seed's `_FAILURE_RESOLUTION_MAP`), until a later success.
#[must_use]
pub const fn resolution_of(reason: CaptureFailureReason) -> FailureResolution {
    match reason {
        CaptureFailureReason::CaptureFailed
        | CaptureFailureReason::ProviderTimeout
        | CaptureFailureReason::NetworkPartition
        | CaptureFailureReason::DatabaseError => FailureResolution::Transient,
        CaptureFailureReason::PreAttach | CaptureFailureReason::ContextInvalid => {
            FailureResolution::Permanent
        }
    }
}

/// The row of a failed capture.
#[must_use]
pub fn record_capture_failure(
    ctx: &ExecutionContext,
    id: FailureId,
    seq: u64,
    (evidence_class, reason): (EvidenceClass, CaptureFailureReason),
    error_message: &str,
    now: DateTime<Utc>,
) -> CaptureFailureRecord {
    CaptureFailureRecord {
        tenant_id: ctx.tenant().to_string(),
        run_id: ctx.run_id().to_string(),
        failure_id: id.to_string(),
        seq,
        step_index: ctx.step_index(),
        evidence_class,
        reason,
        resolution: resolution_of(reason),
        error_message: error_message.to_owned(),
        failed_at: models::time::text(now),
    }
}
