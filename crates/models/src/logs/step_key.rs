//! By what a step of a run is known when it comes again.

use proof::{hash::sha256, records::StepRecord};

/// What tells a repeat of a step. What its caller gave and what a span is known by never meet, whatever they read: the
/// ids of a trace's spans go to whoever is called, and a caller gives what it likes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKey {
    /// The idempotency key that its caller gave.
    Given(String),
    /// A span's id, or what stands for it where that is another's ([`contested_span`](super::contested_span)).
    Span(String),
}

/// A key without its text: as it stands in the open, and as it is told from others where there are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest {
    /// 16 bytes of the hash of its text.
    pub bytes: [u8; 16],
    /// Whether it is a span's.
    pub is_span: bool,
}

impl KeyDigest {
    /// That of a key of this text.
    #[must_use]
    pub fn of(text: &str, is_span: bool) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&sha256(text.as_bytes()).0[..16]);
        Self { bytes, is_span }
    }
}

impl StepKey {
    /// That of a recorded step, where it has one.
    #[must_use]
    pub fn of(step: &StepRecord) -> Option<Self> {
        let text = step.idempotency_key.clone()?;
        Some(if step.external_span_id.is_some() { Self::Span(text) } else { Self::Given(text) })
    }

    /// As its record has it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Span(text) => text,
        }
    }

    /// Whether it is a span's.
    #[must_use]
    pub const fn is_span(&self) -> bool {
        matches!(self, Self::Span(_))
    }

    /// It without its text.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.text(), self.is_span())
    }
}
