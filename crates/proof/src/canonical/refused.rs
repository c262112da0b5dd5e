//! What has no canonical bytes, and why.

/// The largest magnitude of an integer in a canonical record: every JSON reader keeps it whole.
pub const MAX_INTEGER: u64 = 1 << 53;

/// Why a value has no canonical bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// A fraction, or a number kept as a floating point number.
    #[error("a floating point number has no canonical form here")]
    Float,
    /// An integer that some JSON readers would round.
    #[error("the integer {0} is beyond 2^53")]
    TooLarge(String),
    /// Raw bytes: encode them as text first.
    #[error("raw bytes have no canonical form here")]
    Bytes,
    /// A member name that is not text.
    #[error("a member name that is not text")]
    Name,
    /// The same member name twice in one object.
    #[error("the member name `{0}` twice in one object")]
    Duplicate(String),
    /// What the value's own `Serialize` said.
    #[error("{0}")]
    Other(String),
}

impl serde::ser::Error for NotCanonical {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}
