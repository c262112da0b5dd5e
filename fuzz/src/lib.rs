//! What must hold of every byte that somebody from outside hands over: nothing panics, nothing is half believed.
//!
//! A [`Target`] is a door. Tests walk through each with its seeds and thousands of damaged ones; `cargo xtask fuzz`
//! lets libFuzzer look for what they missed.
#![expect(clippy::expect_used, reason = "a target that cannot go on has found something")]

pub mod damage;
mod targets;

/// A door by which bytes from outside come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A request of an exporter of spans. The first byte says in which encoding.
    Otlp,
    /// The body of a report of a step, all the way through the server.
    Step,
    /// The condition of a rule, as Cedar and as a list. The first byte says for which moment.
    Condition,
    /// A bundle that is to be verified.
    Bundle,
    /// The place where a page of a list begins.
    Cursor,
}

impl Target {
    /// Every door.
    pub const ALL: [Self; 5] = [Self::Otlp, Self::Step, Self::Condition, Self::Bundle, Self::Cursor];

    /// What `cargo xtask fuzz` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Step => "step",
            Self::Condition => "condition",
            Self::Bundle => "bundle",
            Self::Cursor => "cursor",
        }
    }

    /// The target of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Bytes that go through, to begin with.
    #[must_use]
    pub fn seeds(self) -> Vec<Vec<u8>> {
        match self {
            Self::Otlp => targets::otlp::seeds(),
            Self::Step => targets::step::seeds(),
            Self::Condition => targets::condition::seeds(),
            Self::Bundle => targets::bundle::seeds(),
            Self::Cursor => targets::cursor::seeds(),
        }
    }

    /// Walks through with `bytes`; panics where something does not hold that must.
    pub fn run(self, bytes: &[u8]) {
        match self {
            Self::Otlp => targets::otlp::run(bytes),
            Self::Step => targets::step::run(bytes),
            Self::Condition => targets::condition::run(bytes),
            Self::Bundle => targets::bundle::run(bytes),
            Self::Cursor => targets::cursor::run(bytes),
        }
    }
}
