//! A log is read again: leaves are hashed from their columns, the tree is built anew from the first leaf, and must come
//! to the roots that were signed and to the head.

use drivers::{ReadTx, StoreError};
use engines::incidents::Mismatch;
use models::{ids::TenantId, ledger::Checkpoint};
use proof::{hash::Hash, leaves::AuditLeaf, merkle::Frontier, words::LogName};

use crate::consequences::found::{Found, of_corrupt};

/// Rows of one piece.
const ROWS: u64 = 500;

/// How many rows of one log a pass tells of: where all of them are bad, the first say enough.
const TOLD: usize = 10;

/// A log, as far as it has been read.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) log: LogName,
    tree: Frontier,
    /// What was signed of it when the walk began.
    signed: Option<Checkpoint>,
    told: usize,
}

/// A leaf as it is stored: its place, the hash beside it, and the hash that it has.
struct Leaf {
    index: u64,
    stored: Hash,
    computed: Hash,
}

impl Walk {
    pub(super) async fn begin(store: &ReadTx, tenant: TenantId, log: LogName) -> Result<Self, StoreError> {
        let signed = store.ledger().latest_checkpoint(tenant, log).await?;
        Ok(Self { log, tree: Frontier::default(), signed, told: 0 })
    }

    /// Reads on; true where the log is over, or cannot be read further.
    pub(super) async fn go_on(
        &mut self,
        store: &ReadTx,
        tenant: TenantId,
    ) -> Result<(Vec<Found>, bool), StoreError> {
        let (leaves, over) = match self.leaves(store, tenant).await {
            Ok(read) => read,
            Err(err) => return Ok((vec![of_corrupt(None, err)?], true)),
        };
        let mut found = Vec::new();
        for leaf in &leaves {
            let expected = self.tree.size();
            if leaf.index != expected {
                found.push(self.leaf(expected, "it is gone"));
                return Ok((found, true));
            }
            if leaf.stored != leaf.computed {
                self.told += 1;
                found.push(self.leaf(expected, "it does not match its hash"));
                if self.told >= TOLD {
                    return Ok((found, true));
                }
            }
            self.tree.push(leaf.stored);
            found.extend(self.unlike_signed());
        }
        if over {
            let head = store.ledger().head(tenant, self.log).await?;
            let size = head.as_ref().map_or(0, |head| head.frontier.size());
            if self.tree.size() < size {
                found.push(self.leaf(self.tree.size(), "it is gone"));
            } else if head.is_some_and(|head| head.frontier != self.tree) {
                found.push(self.of(
                    "log_heads",
                    self.log.to_string(),
                    "the log's head is not the root of its rows",
                ));
            }
        }
        Ok((found, over))
    }

    /// The next leaves, and whether there are no more: rows of the log, and between them what it says of itself.
    async fn leaves(&self, store: &ReadTx, tenant: TenantId) -> Result<(Vec<Leaf>, bool), StoreError> {
        let from = self.tree.size();
        let mut leaves: Vec<Leaf> = match self.log {
            LogName::Audit => {
                let rows = store.logs().audit_from(tenant, from, ROWS).await?;
                let leaf = |row: models::logs::AuditEntry| Leaf {
                    index: row.leaf_index,
                    stored: row.leaf_hash,
                    computed: AuditLeaf::Entry(row.record).hash(),
                };
                rows.into_iter().map(leaf).collect()
            }
            LogName::Runs => {
                let rows = store.ledger().run_log_from(tenant, from, ROWS).await?;
                let leaf = |row: models::ledger::RunLogEntry| Leaf {
                    index: row.leaf_index,
                    stored: row.leaf_hash,
                    computed: row.leaf.hash(),
                };
                rows.into_iter().map(leaf).collect()
            }
        };
        let over = (leaves.len() as u64) < ROWS;
        let last = leaves.last().map_or(from, |leaf| leaf.index);
        let marks = store.ledger().log_marks(tenant, self.log).await?.into_iter();
        let here = marks.filter(|mark| mark.leaf_index >= from && (over || mark.leaf_index < last));
        leaves.extend(here.map(|mark| Leaf {
            index: mark.leaf_index,
            stored: mark.leaf_hash,
            computed: mark.mark.hash(),
        }));
        leaves.sort_by_key(|leaf| leaf.index);
        Ok((leaves, over))
    }

    /// The log is as long now as what was signed of it, and is something else.
    fn unlike_signed(&self) -> Option<Found> {
        let signed = self.signed.as_ref().filter(|signed| signed.tree_size == self.tree.size())?;
        let differs = signed.root_hash != self.tree.root();
        differs.then(|| {
            self.of("checkpoints", signed.id.to_string(), "the rows do not come to the root that was signed")
        })
    }

    fn leaf(&self, index: u64, why: &str) -> Found {
        let table = match self.log {
            LogName::Audit => "audit_ledger",
            LogName::Runs => "run_log",
        };
        self.of(table, format!("leaf {index}"), why)
    }

    fn of(&self, table: &'static str, row: String, why: &str) -> Found {
        let log = match self.log {
            LogName::Audit => "the Audit Ledger",
            LogName::Runs => "the run log",
        };
        (None, Mismatch { table, row, log, why: why.to_owned(), policy_id: None, part_of: Some(self.log) })
    }
}
