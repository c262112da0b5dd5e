//! The captures of evidence that failed. The evidence itself is in the segments of its run.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but},
};

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
        vec![table::create(d, "evidence_capture_failures", EVIDENCE_CAPTURE_FAILURES)],
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
