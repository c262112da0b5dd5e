//! By what a step of a run is known when it comes again.

use proof::records::StepRecord;

/// What tells a repeat of a step. What its caller gave and what a span is known by never meet, whatever they read: the
/// ids of a trace's spans go to whoever is called, and a caller gives what it likes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKey {
    /// The idempotency key that its caller gave.
    Given(String),
    /// A span's id, or what stands for it where that is another's ([`contested_span`](super::contested_span)).
    Span(String),
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
}
