//! The stored nodes that a proof is made of.

use std::collections::BTreeMap;

use drivers::{ReadTx, StoreError};
use models::ids::TenantId;
use proof::{hash::Hash, merkle::MissingNode, words::LogName};

/// Stored nodes of a log, as many as a proof needs.
pub(super) struct Nodes {
    log: LogName,
    by_place: BTreeMap<(u32, u64), Hash>,
}

impl Nodes {
    pub(super) async fn read(
        store: &ReadTx,
        tenant: TenantId,
        log: LogName,
        places: &[(u32, u64)],
    ) -> Result<Self, StoreError> {
        Ok(Self { log, by_place: store.ledger().nodes(tenant, log, places).await? })
    }

    pub(super) fn source(&self) -> impl Fn(u32, u64) -> Option<Hash> + '_ {
        |level, index| self.by_place.get(&(level, index)).copied()
    }

    /// A complete node that is not stored: then the log is not whole.
    pub(super) fn corrupt(&self, missing: MissingNode) -> StoreError {
        StoreError::Corrupt {
            table: "tree_nodes",
            row: format!("{} log", self.log),
            why: missing.to_string(),
        }
    }
}
