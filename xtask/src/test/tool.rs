//! What tests need that is no Rust, and a package of the distribution has.

use std::path::PathBuf;

/// A program, or a library.
pub(crate) struct Tool {
    /// For a person.
    pub(crate) name: &'static str,
    /// Debian's package of it.
    pub(crate) package: &'static str,
    /// Where it is, if it is here.
    pub(crate) find: fn() -> Option<PathBuf>,
    /// What needs it, how others call the package, and how else to say where it is.
    pub(crate) wanted: fn() -> String,
    /// The variable by which tests find it, where they do not look for it themselves.
    pub(crate) variable: Option<&'static str>,
}
