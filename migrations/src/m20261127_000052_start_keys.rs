//! The idempotency key of a start is its credential's own: another's is another key, and nobody learns of it.

use crate::{dialect::Dialect, table::unique};

pub(crate) fn statements(_: Dialect) -> Vec<String> {
    vec![
        "DROP INDEX runs_idempotency_key".to_owned(),
        unique(
            "runs_idempotency_key",
            "runs (tenant_id, key_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
        ),
    ]
}
