//! The two logs: heads, leaves of the run log, leaves that both have of themselves, tree nodes, checkpoints.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, unique},
};

const LOG_HEADS: &str = r"
    tenant_id id
    log word(audit, runs)
    epoch count
    tree_size count
    frontier bytes
    last_at time?
    PRIMARY KEY (tenant_id, log)
";

/// A run that is sealed may get addenda: leaves of which it may have several.
const RUN_LOG: &str = r"
    tenant_id id
    leaf_index count
    leaf_hash hash
    run_id id
    leaf_type word(OPENED, SEALED, ADDENDUM, ERASED)
    leaf text
    created_at time
    PRIMARY KEY (tenant_id, leaf_index)
";

/// The beginning of an epoch, the change of the key that signs.
const LOG_MARKS: &str = r"
    tenant_id id
    log word(audit, runs)
    leaf_index count
    leaf_hash hash
    mark_type word(EPOCH, SIGNING_KEY)
    mark text
    created_at time
    PRIMARY KEY (tenant_id, log, leaf_index)
";

const TREE_NODES: &str = r"
    tenant_id id
    log word(audit, runs)
    level count
    node_index count
    hash hash
    PRIMARY KEY (tenant_id, log, level, node_index)
";

const CHECKPOINTS: &str = r"
    tenant_id id
    id id
    log word(audit, runs)
    epoch count
    tree_size count
    root_hash hash
    note text
    key_id text
    created_at time
    PRIMARY KEY (tenant_id, id)
";

pub(super) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create_busy(d, "log_heads", LOG_HEADS, 50),
            table::create(d, "run_log", RUN_LOG),
            unique("run_log_once", "run_log (tenant_id, run_id, leaf_type) WHERE leaf_type <> 'ADDENDUM'"),
            index("run_log_by_run", "run_log (tenant_id, run_id, leaf_index)"),
            table::create(d, "log_marks", LOG_MARKS),
            table::by_key(d, table::create(d, "tree_nodes", TREE_NODES)),
            table::create(d, "checkpoints", CHECKPOINTS),
            index("checkpoints_by_size", "checkpoints (tenant_id, log, epoch, tree_size)"),
            index("checkpoints_by_log", "checkpoints (tenant_id, log, created_at, id)"),
        ],
        // A log only grows.
        protect::kept_unless(d, "log_heads", "NEW.tree_size < OLD.tree_size OR NEW.epoch < OLD.epoch"),
        protect::append_only(d, "run_log"),
        protect::append_only(d, "log_marks"),
        protect::append_only(d, "tree_nodes"),
        protect::append_only(d, "checkpoints"),
    ]
    .concat()
}
