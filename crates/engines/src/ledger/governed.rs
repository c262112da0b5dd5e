//! A change together with the audit row that it owes.

use super::AuditDraft;

/// What an engine decided, and the audit row without which it may not be stored.
///
/// There is no way to the change but [`Governed::settle`], which hands out the row with it: L4's ledger calls it
/// when it appends the row, and `check-layers` sees to it that nobody else does.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the change and its audit row are stored together"]
pub struct Governed<T> {
    change: T,
    owed: AuditDraft,
}

impl<T> Governed<T> {
    /// `change` owes `owed`.
    pub fn new(change: T, owed: AuditDraft) -> Self {
        Self { change, owed }
    }

    /// The change, to look at.
    pub fn change(&self) -> &T {
        &self.change
    }

    /// Both, to be written in one transaction.
    pub fn settle(self) -> (T, AuditDraft) {
        (self.change, self.owed)
    }
}
