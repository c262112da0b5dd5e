//! A run's leaves of the run log: which one it was opened by, and whether each is what was hashed of it.

use models::ledger::RunLogEntry;
use proof::leaves::RunLeaf;

/// The leaf by which the run was opened.
pub(super) fn opened(leaves: &[RunLogEntry]) -> Option<&RunLogEntry> {
    leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Opened(_)))
}

/// Whether a leaf is what was hashed of it.
pub(super) fn as_hashed(entry: &RunLogEntry) -> Result<(), String> {
    if entry.leaf.hash() == entry.leaf_hash {
        return Ok(());
    }
    Err(format!("leaf {} of the run log does not match its hash", entry.leaf_index))
}
