//! What is wrong with a definition, field by field.

use serde::Serialize;

/// One field that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer into the request's body: `/max_value`.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// Every field that is refused; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.0.iter().map(|field| format!("{}: {}", field.pointer, field.message)).collect::<Vec<_>>().join("; "))]
pub struct FieldErrors(pub Vec<FieldError>);

/// Collects field errors.
#[derive(Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    pub(crate) fn refuse_if(&mut self, wrong: bool, pointer: &str, message: impl Into<String>) {
        if wrong {
            self.0.push(FieldError { pointer: pointer.to_owned(), message: message.into() });
        }
    }

    pub(crate) fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(FieldErrors(self.0)) }
    }
}
