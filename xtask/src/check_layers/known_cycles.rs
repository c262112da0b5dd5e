//! The edges between files by which imports still come round. The list only shrinks: one that closes no cycle any more is a
//! finding, and a new cycle is mended where it is made.

/// Who names whom, from the crate's name downwards. Without these edges no crate's imports come round, by file or by folder.
#[rustfmt::skip]
pub(super) const KNOWN_CYCLES: &[(&str, &str)] = &[
    ("orchestrator::spine", "orchestrator::choke"),
    ("orchestrator::spine", "orchestrator::streams"),
];
