//! Who sold a call, once it is told.

/// A seller of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sold {
    pub(super) seller: &'static str,
    /// Told by what stands before the model's name.
    pub(super) by_prefix: bool,
}
