//! What is to be known of a run or a step, as a page lists it.

/// A name and a value.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

/// Who called, as a page names them.
pub(crate) fn by(key: Option<String>) -> String {
    key.unwrap_or_else(|| "somebody with the store itself".to_owned())
}
