//! What is wrong with a document, and where.

/// What is wrong with a document, and where (a JSON pointer).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", if pointer.is_empty() { "at the top" } else { pointer })]
pub(crate) struct Wrong {
    pub(crate) pointer: String,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { pointer: String::new(), what: what.into() }
    }

    /// The same, seen from one level above.
    pub(crate) fn within(mut self, step: impl std::fmt::Display) -> Self {
        self.pointer = format!("/{step}{}", self.pointer);
        self
    }
}

impl serde::de::Error for Wrong {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}
