//! Class B: what went in and out of one step, as fingerprints.

use chrono::{DateTime, Utc};
use models::{ids::EvidenceId, logs::ExecutionContext};
use proof::records::ActivityRecord;

use super::{EvidenceContextError, Fingerprint};

/// What the step carried, after redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityContent<'a> {
    /// Of what went in.
    pub prompt: Option<Fingerprint>,
    /// Of what came out.
    pub response: Option<Fingerprint>,
    /// How long both were as they came, where they are not kept.
    pub lengths: Option<(u64, u64)>,
    /// The model, for a model call.
    pub model: Option<&'a str>,
    /// What the redactor found, sorted, comma separated.
    pub sensitivity: &'a str,
    /// How many values it removed.
    pub redacted_count: u64,
    /// By which rules.
    pub redaction_version: u64,
    /// Keyed commitment to the raw values.
    pub commitment: String,
    /// The key of the commitment.
    pub commitment_key_id: &'a str,
}

/// The fingerprints of one step.
pub fn capture_activity_evidence(
    ctx: &ExecutionContext,
    id: EvidenceId,
    seq: u64,
    content: ActivityContent<'_>,
    now: DateTime<Utc>,
) -> Result<ActivityRecord, EvidenceContextError> {
    let length = |of: Option<Fingerprint>| of.map_or(0, |of| of.length);
    let (prompt_length, response_length) =
        content.lengths.unwrap_or_else(|| (length(content.prompt), length(content.response)));
    Ok(ActivityRecord {
        tenant_id: ctx.tenant().to_string(),
        run_id: ctx.run_id().to_string(),
        evidence_id: id.to_string(),
        seq,
        step_index: ctx.step_index().ok_or(EvidenceContextError)?,
        prompt_hash: content.prompt.map(|of| of.hash.to_string()),
        response_hash: content.response.map(|of| of.hash.to_string()),
        prompt_length,
        response_length,
        model: content.model.map(str::to_owned),
        sensitivity: content.sensitivity.to_owned(),
        redacted_count: content.redacted_count,
        redaction_version: content.redaction_version,
        commitment: content.commitment,
        commitment_key_id: content.commitment_key_id.to_owned(),
        captured_at: models::time::text(now),
    })
}
