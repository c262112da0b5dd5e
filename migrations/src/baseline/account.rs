//! The installation and its keys; tenants, their keys, and what people log in with.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but, index},
};

const SIGNING_KEYS: &str = r"
    id text
    public_key text
    created_at time
    retired_at time?
    PRIMARY KEY (id)
";

const INSTALLATION: &str = r"
    id count
    name text
    signing_key_id text
    created_at time
    PRIMARY KEY (id)
    CHECK (id = 1)
    FOREIGN KEY (signing_key_id) REFERENCES signing_keys (id)
";

const TENANTS: &str = r"
    tenant_id id
    slug text
    name text
    capture_mode word(full, metadata)
    failure_mode word(fail_closed, degrade)
    time_zone text
    block_unknown_cost bool
    policy_generation count
    wrapped_key bytes
    key_id text
    created_at time
    settings_version count
    zone_changes text
    permits word(optional, required)
    PRIMARY KEY (tenant_id)
    UNIQUE (slug)
";

/// The changes of what governs each tenant, each with a mark by which it is known from every other: a store that fell
/// back and was changed as often again has other marks, though it counts as many.
const GOVERNED_CHANGES: &str = r"
    tenant_id id
    generation count
    mark id
    PRIMARY KEY (tenant_id, generation)
";

/// `agents` are those that a key speaks for; NULL is any.
const API_KEYS: &str = r"
    tenant_id id
    id id
    prefix text
    secret_hash hash
    role word(agent, viewer, operator, policy, auditor, admin)
    owner text
    owner_type word(person, service)
    scopes text
    expires_at time?
    revoked_at time?
    last_used_at time?
    created_at time
    agents text?
    PRIMARY KEY (tenant_id, id)
    UNIQUE (id)
    FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
";

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

/// What writes were answered that came with an idempotency key: a repeat is answered by it, for a day. The answer is
/// sealed by the key of the installation: it may hold a credential that is shown once.
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

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create(d, "signing_keys", SIGNING_KEYS),
            table::create(d, "installation", INSTALLATION),
            table::create(d, "tenants", TENANTS),
            table::create(d, "governed_changes", GOVERNED_CHANGES),
            table::create(d, "api_keys", API_KEYS),
            // What has expired opens nothing, and goes. Who logged in when is a system record, which stays.
            table::create(d, "sessions", SESSIONS),
            table::create(d, "login_links", LOGIN_LINKS),
            table::create(d, "idempotency_keys", IDEMPOTENCY_KEYS),
            index("idempotency_keys_expiry", "idempotency_keys (tenant_id, expires_at)"),
        ],
        // An old public key stays published, as it was.
        protect::kept_unless(
            d,
            "signing_keys",
            &format!(
                "OLD.retired_at IS NOT NULL OR {}",
                changes(&columns_but(SIGNING_KEYS, &["retired_at"]))
            ),
        ),
        protect::kept(d, "installation"),
        protect::kept(d, "tenants"),
        protect::append_only(d, "governed_changes"),
        protect::kept(d, "api_keys"),
    ]
    .concat()
}
