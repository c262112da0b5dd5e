//! Tenants, their keys, and the installation's own keys.

use crate::{
    dialect::Dialect,
    protect::{self, changes},
    table::{self, columns_but},
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
    PRIMARY KEY (tenant_id)
    UNIQUE (slug)
";

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
    PRIMARY KEY (tenant_id, id)
    UNIQUE (id)
    FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        protect::refusal(d),
        vec![
            table::create(d, "signing_keys", SIGNING_KEYS),
            table::create(d, "installation", INSTALLATION),
            table::create(d, "tenants", TENANTS),
            table::create(d, "api_keys", API_KEYS),
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
        protect::kept(d, "api_keys"),
    ]
    .concat()
}
