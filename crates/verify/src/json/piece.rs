//! The text of one value within a document. Its hashes are made above the parser: what is not canonical is read once
//! more.

/// The text of one value within a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Whether the text is the value's canonical text.
    pub(super) canonical: bool,
}

impl Piece<'_> {
    /// Whether the text is the value's canonical text.
    pub(crate) const fn is_canonical(&self) -> bool {
        self.canonical
    }
}
