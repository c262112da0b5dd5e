//! What needs to be packed once only.

use std::sync::OnceLock;

use axum::body::Bytes;

use crate::coding::Coding;

/// The packed forms of an answer that is the same for ever, each from when it was first asked for. Such an answer has
/// this as an extension.
#[derive(Debug)]
pub(crate) struct PackedForms {
    zstd: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl PackedForms {
    /// Of an answer that nobody asked for yet.
    pub(crate) const fn new() -> Self {
        Self { zstd: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// The form that is packed so, as soon as somebody has packed it.
    pub(crate) fn packed_by(&self, coding: Coding) -> &OnceLock<Bytes> {
        match coding {
            Coding::Zstd => &self.zstd,
            Coding::Gzip => &self.gzip,
        }
    }
}
