//! What is measured in one go.

/// What is done on one server without a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Steps,
    Spans,
    Conversations,
    /// Of a run of so many steps.
    Bundle(usize),
    Memory,
    Start,
    Lists,
}

impl Phase {
    pub(super) fn name(self) -> String {
        match self {
            Self::Steps => "steps".to_owned(),
            Self::Spans => "spans".to_owned(),
            Self::Conversations => "conversations".to_owned(),
            Self::Bundle(steps) => format!("bundle of {steps} steps"),
            Self::Memory => "memory after every kind of load".to_owned(),
            Self::Start => "start".to_owned(),
            Self::Lists => "lists".to_owned(),
        }
    }
}
