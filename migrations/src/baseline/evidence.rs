//! Evidence of the classes H, B, G and J, and the captures that failed.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but},
};

/// `way_in`, `user_agent` and `hoc_version` are what the server saw itself of how a run began.
const ENVIRONMENT_EVIDENCE: &str = r"
    tenant_id id
    run_id id
    id id
    sdk_name text?
    sdk_version text?
    environment text?
    telemetry text?
    details text?
    captured_at time
    way_in word(REST, OTLP_JSON, OTLP_PROTOBUF, FILE, UNKNOWN)
    user_agent text?
    hoc_version text
    PRIMARY KEY (tenant_id, run_id)
";

const ACTIVITY_EVIDENCE: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    step_index count
    prompt_hash hash?
    response_hash hash?
    prompt_length count
    response_length count
    model text?
    sensitivity text
    redacted_count count
    redaction_version count
    commitment text
    commitment_key_id text
    captured_at time
    PRIMARY KEY (tenant_id, run_id, seq)
";

const PROVIDER_EVIDENCE: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    step_index count
    provider text?
    model text?
    request_id text?
    input_tokens count
    output_tokens count
    cache_read_tokens count
    reasoning_tokens count
    latency_ms count
    finish_reason text?
    http_status count?
    error text?
    captured_at time
    cache_write_tokens count
    PRIMARY KEY (tenant_id, run_id, seq)
";

const INTEGRITY_EVIDENCE: &str = r"
    tenant_id id
    run_id id
    id id
    expected text
    observed text
    missing text
    missing_reasons text
    capture_failures count
    score_permille count
    state word(PENDING, SEALED)
    grade word(PASS, WARN, FAIL)
    integrity_status word(UNKNOWN, VERIFIED, DEGRADED, FAILED)
    explanation text
    computed_at time
    PRIMARY KEY (tenant_id, run_id)
";

const EVIDENCE_CAPTURE_FAILURES: &str = r"
    tenant_id id
    run_id id
    id id
    seq count
    step_index count?
    evidence_class word(A, T, H, B, G, D, J)
    reason word(capture_failed, provider_timeout, network_partition, database_error, pre_attach, context_invalid)
    resolution word(transient, permanent, superseded)
    error_message text
    failed_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (tenant_id, run_id, seq)
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "environment_evidence", ENVIRONMENT_EVIDENCE),
            table::create(d, "activity_evidence", ACTIVITY_EVIDENCE),
            table::create(d, "provider_evidence", PROVIDER_EVIDENCE),
            table::create(d, "integrity_evidence", INTEGRITY_EVIDENCE),
            table::create(d, "evidence_capture_failures", EVIDENCE_CAPTURE_FAILURES),
        ],
        protect::append_only(d, "environment_evidence"),
        protect::append_only(d, "activity_evidence"),
        protect::append_only(d, "provider_evidence"),
        protect::append_only(d, "integrity_evidence"),
        protect::kept_unless(
            d,
            "evidence_capture_failures",
            &format!(
                "NEW.resolution <> 'superseded' OR {}",
                changes(&columns_but(EVIDENCE_CAPTURE_FAILURES, &["resolution"]))
            ),
        ),
    ]
    .concat()
}
