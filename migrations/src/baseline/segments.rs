//! A run's records, as a log of segments; the idempotency keys of its steps; and its texts, apart from its records.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index},
};

/// `first_record` is the number of its first record among all that the segments of its run hold. The body opens, by the
/// codec of that number, to the canonical bytes of its records, a line each.
const RUN_SEGMENTS: &str = r"
    tenant_id id
    run_id id
    first_record count
    record_count count
    first_step count
    step_count count
    decision_count count
    environment_count count
    activity_count count
    provider_count count
    codec count
    raw_length count
    body bytes
    PRIMARY KEY (tenant_id, run_id, first_record)
    CHECK (record_count > 0)
";

/// `digest` is the first 16 bytes of the SHA-256 of a key. A span's is apart from one that a caller gave.
const STEP_KEYS: &str = r"
    tenant_id id
    run_id id
    digest bytes
    step_index count
    is_span bool
    PRIMARY KEY (tenant_id, run_id, digest, is_span)
";

/// What a run's texts are hashed with where a record names one.
const RUN_SALTS: &str = r"
    tenant_id id
    run_id id
    salt hash
    PRIMARY KEY (tenant_id, run_id)
";

/// What one group's records of a run name, as one body; its place is that of their segment. Pressed against the body
/// whose place is `base_record`, where there is one; `key_record` is the place of the one that the chain of those
/// begins with.
const RUN_CONTENTS: &str = r"
    tenant_id id
    run_id id
    first_record count
    key_record count
    base_record count?
    text_count count
    codec count
    raw_length count
    body bytes
    PRIMARY KEY (tenant_id, run_id, first_record)
    CHECK (text_count > 0)
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    // It is compressed already.
    let body = match d {
        Dialect::Postgres => {
            let external = |table| format!("ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL");
            ["run_segments", "run_contents"].map(external).to_vec()
        }
        Dialect::Sqlite => vec![],
    };
    [
        vec![
            table::create(d, "run_segments", RUN_SEGMENTS),
            index("run_segments_by_step", "run_segments (tenant_id, run_id, first_step)"),
            table::by_key(d, table::create(d, "step_keys", STEP_KEYS)),
            table::by_key(d, table::create(d, "run_salts", RUN_SALTS)),
            table::create(d, "run_contents", RUN_CONTENTS),
        ],
        body,
        protect::append_only(d, "run_segments"),
        protect::append_only(d, "step_keys"),
        protect::erasable(d, "run_salts"),
        protect::erasable(d, "run_contents"),
    ]
    .concat()
}
