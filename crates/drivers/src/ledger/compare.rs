//! Whether the logs of a store go on from what this process saw of them.

use std::{cmp::Ordering, collections::HashMap};

use models::ledger::LogHead;
use proof::merkle::{root_at, root_nodes};

use super::LedgerReads;
use crate::{StoreError, seen::SeenHead};

impl LedgerReads<'_> {
    /// Fails where the log, whose head this is, does not go on from what this process saw of it: the store fell back,
    /// and is only read. A head that this unit of work wrote is the next to be seen.
    pub async fn compare(self, head: &LogHead) -> Result<(), StoreError> {
        if self.conn.has_written(head) {
            return Ok(());
        }
        let seen = self.conn.seen();
        let Some(known) = seen.of(head.tenant, head.log, self.conn.began()) else { return Ok(()) };
        if self.leads(&known, head).await? {
            seen.goes_on(&known, head);
            return Ok(());
        }
        Err(seen.fell(known, head))
    }

    /// Holds every log that is remembered against the heads of the store.
    pub(crate) async fn compare_all(self) -> Result<(), StoreError> {
        let known = self.conn.seen().logs();
        if known.is_empty() {
            return Ok(());
        }
        let heads = self.all_heads().await?;
        let mut heads: HashMap<_, LogHead> =
            heads.into_iter().map(|head| ((head.tenant, head.log), head)).collect();
        let mut fallen = None;
        for (tenant, log) in known {
            let head = heads.remove(&(tenant, log)).unwrap_or_else(|| LogHead::empty(tenant, log));
            match self.compare(&head).await {
                Err(err @ StoreError::ReadOnly(_)) => fallen = Some(err),
                other => other?,
            }
        }
        fallen.map_or(Ok(()), Err)
    }

    /// Whether a log leads from what was seen of it to this head.
    async fn leads(self, seen: &SeenHead, head: &LogHead) -> Result<bool, StoreError> {
        match head.epoch.cmp(&seen.epoch) {
            // Whoever began the epoch accepted what the one before it had.
            Ordering::Greater => return Ok(true),
            Ordering::Less => return Ok(false),
            Ordering::Equal => {}
        }
        Ok(match head.frontier.size().cmp(&seen.size) {
            Ordering::Less => false,
            Ordering::Equal => head.frontier.root() == seen.root,
            // Another process has appended.
            Ordering::Greater => {
                let nodes = self.nodes(seen.tenant, seen.log, &root_nodes(seen.size)).await?;
                root_at(seen.size, |level, index| nodes.get(&(level, index)).copied()).ok() == Some(seen.root)
            }
        })
    }
}
