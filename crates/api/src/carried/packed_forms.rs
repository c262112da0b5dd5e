//! What needs to be packed once only.

use std::sync::OnceLock;

use axum::body::Bytes;

/// The packed forms of an answer that is the same for ever, each from when it was first asked for. Such an answer has
/// this as an extension.
#[derive(Debug)]
pub(crate) struct PackedForms {
    pub(crate) zstd: OnceLock<Bytes>,
    pub(crate) gzip: OnceLock<Bytes>,
}

impl PackedForms {
    /// Of an answer that nobody asked for yet.
    pub(crate) const fn new() -> Self {
        Self { zstd: OnceLock::new(), gzip: OnceLock::new() }
    }
}
