//! What writes were answered that came with an idempotency key: a repeat is answered by it, for a day.

use crate::{dialect::Dialect, table};

// The answer is sealed by the key of the installation: it may hold a credential that is shown once.
const IDEMPOTENCY_KEYS: &str = r"
    tenant_id id
    key_id id
    idempotency_key text
    operation text
    request_hash hash
    answer bytes?
    answer_hash hash?
    created_at time
    expires_at time
    PRIMARY KEY (tenant_id, key_id, idempotency_key)
    FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    vec![
        table::create(d, "idempotency_keys", IDEMPOTENCY_KEYS),
        "CREATE INDEX idempotency_keys_expiry ON idempotency_keys (tenant_id, expires_at)".to_owned(),
    ]
}
