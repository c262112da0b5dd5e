//! Class H: what surrounded the run when it began.

use chrono::{DateTime, Utc};
use models::{ids::EvidenceId, logs::ExecutionContext};
use proof::records::EnvironmentRecord;
use serde_json::Value;

/// The environment that the starter of a run named, after redaction. Well-known members get fields of their own.
#[must_use]
pub fn capture_environment_evidence(
    ctx: &ExecutionContext,
    id: EvidenceId,
    environment: Option<&str>,
    now: DateTime<Utc>,
) -> EnvironmentRecord {
    let given: Value = environment.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let text = |pointer: &str| given.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    EnvironmentRecord {
        tenant_id: ctx.tenant().to_string(),
        run_id: ctx.run_id().to_string(),
        evidence_id: id.to_string(),
        sdk_name: text("/sdk/name").or_else(|| text("/sdk")).or_else(|| text("/sdk_name")),
        sdk_version: text("/sdk/version").or_else(|| text("/version")).or_else(|| text("/sdk_version")),
        environment: text("/environment").or_else(|| text("/env")),
        telemetry: text("/telemetry"),
        details: environment.map(str::to_owned),
        captured_at: models::time::text(now),
    }
}
