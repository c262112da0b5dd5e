//! The members of what is gone through twice: once for all of it, and once more for its decisions.

pub(super) const DOCUMENT: [&str; 5] = ["format", "records", "proofs", "contents", "statement"];

/// `records`.
pub(super) const RECORDS: [&str; 2] = ["sealed", "after"];

/// `records.after`.
pub(super) const AFTER: [&str; 5] = ["addenda", "as_of", "audit", "incidents", "run"];

/// One of `records.after.addenda`.
pub(super) const ADDENDUM: [&str; 4] = ["inclusion", "leaf", "leaf_index", "records"];
