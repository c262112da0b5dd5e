//! Ledger: heads, leaves, nodes and checkpoints of a tenant's two logs.

mod compare;

use std::collections::{BTreeMap, HashSet};

use entities::ledger::{checkpoints, log_heads, log_marks, run_log, tree_nodes};
use models::{
    ids::{RunId, TenantId},
    ledger::{Checkpoint, LogHead, LogMark, RunLeafType, RunLogEntry, TreeNode},
    page::{Page, PageRequest},
};
use proof::{hash::Hash, words::LogName};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    sea_query::Expr,
};

use crate::{
    StoreError, bulk, dialect,
    driver::{driver, of_tenant},
    field::put,
    keys,
    read::{self, Newest},
    rows::rows,
};

driver! {
    /// Reads of the two logs.
    read LedgerReads;
    /// Reads of the two logs, and appending to them.
    write Ledger;
}

of_tenant!(run_log);

/// The condition of `run_log_once`.
const NO_ADDENDUM: &str = "leaf_type <> 'ADDENDUM'";

fn head_of(tenant: TenantId, log: LogName) -> Select<log_heads::Entity> {
    use log_heads::Column as C;
    log_heads::Entity::find().filter(C::TenantId.eq(tenant.0)).filter(C::Log.eq(log.as_str()))
}

fn nodes_of(tenant: TenantId, log: LogName) -> Select<tree_nodes::Entity> {
    use tree_nodes::Column as C;
    tree_nodes::Entity::find().filter(C::TenantId.eq(tenant.0)).filter(C::Log.eq(log.as_str()))
}

fn marks_of(tenant: TenantId, log: LogName) -> Select<log_marks::Entity> {
    use log_marks::Column as C;
    log_marks::Entity::find().filter(C::TenantId.eq(tenant.0)).filter(C::Log.eq(log.as_str()))
}

fn checkpoints_of(tenant: TenantId, log: LogName) -> Select<checkpoints::Entity> {
    use checkpoints::Column as C;
    checkpoints::Entity::find().filter(C::TenantId.eq(tenant.0)).filter(C::Log.eq(log.as_str()))
}

rows! {
    LogHead, log_heads, key(log), fn head_row(head), fn read_head,
    same { log, epoch, frontier, last_at } renamed { tenant => tenant_id }
    extra { tree_size = head.frontier.size() }
}

rows! {
    RunLogEntry, run_log, key(leaf_index), fn leaf_row(entry), fn read_leaf,
    same { leaf_index, leaf_hash, run_id, leaf, created_at } renamed { tenant => tenant_id }
    extra { leaf_type = entry.leaf_type() }
}

rows! {
    LogMark, log_marks, key(leaf_index), fn mark_row(entry), fn read_mark,
    same { log, leaf_index, leaf_hash, mark, created_at } renamed { tenant => tenant_id }
    extra { mark_type = entry.mark_type() }
}

rows! {
    TreeNode, tree_nodes, key(level), fn node_row(node, tenant: TenantId), fn read_node,
    same { log, level, hash } renamed { index => node_index } extra { tenant_id = tenant }
}

rows! {
    Checkpoint, checkpoints, key(id), fn checkpoint_row(checkpoint), fn read_checkpoint,
    same { id, log, epoch, tree_size, root_hash, note, key_id, created_at } renamed { tenant => tenant_id } extra {}
}

impl LedgerReads<'_> {
    /// The head of a log; none before its first leaf.
    pub async fn head(self, tenant: TenantId, log: LogName) -> Result<Option<LogHead>, StoreError> {
        read::one(self.conn, head_of(tenant, log)).await?.map(read_head).transpose()
    }

    /// The hashes of stored nodes, by (level, index). A node that is not complete yet is not there.
    pub async fn nodes(
        self,
        tenant: TenantId,
        log: LogName,
        places: &[(u32, u64)],
    ) -> Result<BTreeMap<(u32, u64), Hash>, StoreError> {
        use tree_nodes::Column as C;
        let keys = keys::in_order(places).into_iter().map(|(level, index)| {
            let index: i64 = put(&tree_nodes::Entity, "node_index", &index)?;
            Ok([i64::from(level).into(), index.into()])
        });
        let keys = keys.collect::<Result<Vec<_>, StoreError>>()?;
        let rows = read::by_keys(self.conn, nodes_of(tenant, log), [C::Level, C::NodeIndex], keys).await?;
        rows.into_iter().map(|row| read_node(row).map(|node| ((node.level, node.index), node.hash))).collect()
    }

    /// Leaves of the run log from index `from` on, at most `limit`.
    pub async fn run_log_from(
        self,
        tenant: TenantId,
        from: u64,
        limit: u64,
    ) -> Result<Vec<RunLogEntry>, StoreError> {
        let from: i64 = put(&run_log::Entity, "leaf_index", &from)?;
        let select = of(tenant).filter(run_log::Column::LeafIndex.gte(from)).limit(limit);
        let rows = read::all(self.conn, select.order_by_asc(run_log::Column::LeafIndex)).await?;
        rows.into_iter().map(read_leaf).collect()
    }

    /// What a log says of itself, in the order of its leaves.
    pub async fn log_marks(self, tenant: TenantId, log: LogName) -> Result<Vec<LogMark>, StoreError> {
        let select = marks_of(tenant, log).order_by_asc(log_marks::Column::LeafIndex);
        read::all(self.conn, select).await?.into_iter().map(read_mark).collect()
    }

    /// The receipts of these runs, as many of them as are sealed.
    pub async fn receipts(self, tenant: TenantId, runs: &[RunId]) -> Result<Vec<RunLogEntry>, StoreError> {
        let sealed = of(tenant).filter(run_log::Column::LeafType.eq(RunLeafType::Sealed.as_str()));
        let rows = read::by_keys(self.conn, sealed, [run_log::Column::RunId], keys::sorted(runs)).await?;
        rows.into_iter().map(read_leaf).collect()
    }

    /// The leaves of one run: OPENED, SEALED if it is over, and those of its addenda.
    pub async fn run_leaves(self, tenant: TenantId, run: RunId) -> Result<Vec<RunLogEntry>, StoreError> {
        let of_run = of(tenant).filter(run_log::Column::RunId.eq(run.0));
        let select = dialect::sorted(self.conn.backend(), of_run, &[run_log::Column::LeafIndex]);
        read::all(self.conn, select).await?.into_iter().map(read_leaf).collect()
    }

    /// Those of these runs that have a leaf of this type, of which a run has one at most: an addendum is none.
    pub async fn runs_with_leaf(
        self,
        tenant: TenantId,
        runs: &[RunId],
        of_type: RunLeafType,
    ) -> Result<HashSet<RunId>, StoreError> {
        use run_log::Column as C;
        // The index of what a run has once has a condition, which SQLite wants to see as it stands there.
        let select = of(tenant).filter(C::LeafType.eq(of_type.as_str())).filter(Expr::cust(NO_ADDENDUM));
        let rows = read::by_keys(self.conn, select, [C::RunId], keys::sorted(runs)).await?;
        Ok(rows.into_iter().map(|row| row.run_id.0).collect())
    }

    /// The newest checkpoint of a log.
    pub async fn latest_checkpoint(
        self,
        tenant: TenantId,
        log: LogName,
    ) -> Result<Option<Checkpoint>, StoreError> {
        use checkpoints::Column as C;
        let select = checkpoints_of(tenant, log).order_by_desc(C::Epoch).order_by_desc(C::TreeSize);
        read::one(self.conn, select.order_by_desc(C::CreatedAt)).await?.map(read_checkpoint).transpose()
    }

    /// The checkpoints of a log, newest first.
    pub async fn list_checkpoints(
        self,
        tenant: TenantId,
        log: LogName,
        page: &PageRequest,
    ) -> Result<Page<Checkpoint>, StoreError> {
        use checkpoints::{Column as C, Model};
        let newest =
            Newest { at: C::CreatedAt, id: C::Id, key: |row: &Model| (row.created_at, row.id.uuid()) };
        read::page(self.conn, checkpoints_of(tenant, log), newest, page, read_checkpoint).await
    }
}

impl Ledger<'_> {
    /// The head of a log, locked until the unit of work ends, and made if it is not there. Lock it last. It goes on
    /// from what this process saw of the log.
    pub async fn lock_head(self, tenant: TenantId, log: LogName) -> Result<LogHead, StoreError> {
        let head = self.locked(tenant, log).await?;
        self.compare(&head).await?;
        Ok(head)
    }

    async fn locked(self, tenant: TenantId, log: LogName) -> Result<LogHead, StoreError> {
        let locked = head_of(tenant, log).lock_exclusive();
        if let Some(row) = read::one(self.conn, locked.clone()).await? {
            return read_head(row);
        }
        let new = LogHead::empty(tenant, log);
        // Another may make it at the same time: then this waits for them, and finds theirs.
        bulk::insert_missing::<log_heads::Entity>(self.conn, vec![head_row(&new)?]).await?;
        let row = read::one(self.conn, locked).await?;
        row.map_or(Err(StoreError::RowsAffected { table: "log_heads", expected: 1, actual: 0 }), read_head)
    }

    /// Writes back a head that this unit of work has locked. A log only grows.
    pub async fn save_head(self, head: &LogHead) -> Result<(), StoreError> {
        use log_heads::Column as C;
        let changing = [C::Epoch, C::TreeSize, C::Frontier, C::LastAt];
        bulk::update::<log_heads::Entity>(self.conn, vec![head_row(head)?], &changing).await?;
        self.conn.wrote(head);
        Ok(())
    }

    /// Adds the nodes that appending completed.
    pub async fn append_nodes(self, tenant: TenantId, nodes: &[TreeNode]) -> Result<(), StoreError> {
        bulk::insert::<tree_nodes::Entity>(self.conn, keys::rows(nodes, |node| node_row(node, tenant))?).await
    }

    /// Adds leaves of the run log.
    pub async fn insert_run_leaves(self, leaves: &[RunLogEntry]) -> Result<(), StoreError> {
        bulk::insert::<run_log::Entity>(self.conn, keys::rows(leaves, leaf_row)?).await
    }

    /// Adds what a log says of itself.
    pub async fn insert_log_marks(self, marks: &[LogMark]) -> Result<(), StoreError> {
        bulk::insert::<log_marks::Entity>(self.conn, keys::rows(marks, mark_row)?).await
    }

    /// Adds a checkpoint.
    pub async fn insert_checkpoint(self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        bulk::insert::<checkpoints::Entity>(self.conn, vec![checkpoint_row(checkpoint)?]).await
    }
}
