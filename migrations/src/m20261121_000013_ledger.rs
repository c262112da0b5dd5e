//! The two logs: heads, leaves of the run log, tree nodes, checkpoints.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index},
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

const RUN_LOG: &str = r"
    tenant_id id
    leaf_index count
    leaf_hash hash
    run_id id
    leaf_type word(OPENED, SEALED)
    leaf text
    created_at time
    PRIMARY KEY (tenant_id, leaf_index)
    UNIQUE (tenant_id, run_id, leaf_type)
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

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        vec![
            table::create_busy(d, "log_heads", LOG_HEADS, 50),
            table::create(d, "run_log", RUN_LOG),
            table::create(d, "tree_nodes", TREE_NODES),
            table::create(d, "checkpoints", CHECKPOINTS),
            index("checkpoints_by_size", "checkpoints (tenant_id, log, epoch, tree_size)"),
            index("checkpoints_by_log", "checkpoints (tenant_id, log, created_at, id)"),
        ],
        // A log only grows.
        protect::kept_unless(d, "log_heads", "NEW.tree_size < OLD.tree_size OR NEW.epoch < OLD.epoch"),
        protect::append_only(d, "run_log"),
        protect::append_only(d, "tree_nodes"),
        protect::append_only(d, "checkpoints"),
    ]
    .concat()
}
