//! Class H: what surrounded the run when it began.

use chrono::{DateTime, Utc};
use models::{ids::EvidenceId, logs::ExecutionContext};
use proof::{records::EnvironmentRecord, words::WayIn};
use serde_json::Value;

/// What the server saw itself of how a run began, so that the record holds something whatever its caller says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasSeen<'a> {
    /// By which way it came.
    pub way_in: WayIn,
    /// What the request named as its program, after redaction.
    pub user_agent: Option<&'a str>,
    /// The version of HOC.
    pub hoc_version: &'a str,
}

/// The environment that the starter of a run named, after redaction, and what was seen of it. Well-known members get
/// fields of their own.
#[must_use]
pub fn capture_environment_evidence(
    ctx: &ExecutionContext,
    id: EvidenceId,
    environment: Option<&str>,
    seen: WasSeen<'_>,
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
        way_in: seen.way_in,
        user_agent: seen.user_agent.map(str::to_owned),
        hoc_version: seen.hoc_version.to_owned(),
        captured_at: models::time::text(now),
    }
}
