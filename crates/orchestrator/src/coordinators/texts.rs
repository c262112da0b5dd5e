//! A run's texts, which are apart from its records, against what its log says of them.

use drivers::logs::LookedAtTexts;
use models::{ids::RunId, ledger::RunLogEntry};
use proof::{contents::MissingContents, leaves::RunLeaf};

/// What is wrong with them, if something is: what is missing first.
pub(super) fn fault(run: RunId, leaves: &[RunLogEntry], texts: &LookedAtTexts) -> Option<String> {
    if texts.missing.is_empty() {
        return contradiction(leaves, texts);
    }
    Some(MissingContents::told_of_all(&texts.missing, &run.to_string()))
}

/// Where the run log says another thing of them than the store does.
pub(super) fn contradiction(leaves: &[RunLogEntry], texts: &LookedAtTexts) -> Option<String> {
    let entry = leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Erased(_)))?;
    if entry.leaf.hash() != entry.leaf_hash {
        return Some(format!("leaf {} of the run log does not match its hash", entry.leaf_index));
    }
    texts.are_kept.then(|| "its texts were erased, and are still there".to_owned())
}
