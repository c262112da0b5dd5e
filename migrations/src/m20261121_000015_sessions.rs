//! Console sessions, and the links that open one.

use crate::{dialect::Dialect, table};

const SESSIONS: &str = r"
    tenant_id id
    id id
    key_id id
    secret_hash hash
    expires_at time
    ended_at time?
    created_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (id)
    FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
";

const LOGIN_LINKS: &str = r"
    tenant_id id
    id id
    key_id id
    secret_hash hash
    expires_at time
    used_at time?
    created_at time
    PRIMARY KEY (tenant_id, id)
    UNIQUE (id)
    FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
";

// What has expired opens nothing, and goes. Who logged in when is a system record, which stays.
pub(crate) fn statements(d: Dialect) -> Vec<String> {
    vec![table::create(d, "sessions", SESSIONS), table::create(d, "login_links", LOGIN_LINKS)]
}
