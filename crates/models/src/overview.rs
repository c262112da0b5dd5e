//! Overview: what it adds up from other domains. Values only: it owns no table.

use chrono::{DateTime, Utc};

/// From `from` until just before `until`, by when a record was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
}

/// What model calls used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// What is known of their cost.
    pub cost_nanousd: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// How many they are.
    pub calls: u64,
    /// How many of them have a cost that nobody knows.
    pub unknown: u64,
}

/// How budgets on cost were passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overage {
    /// How many breaches there were: one for each limit, window and run.
    pub breaches: u64,
    /// By how much, each limit and window once, by the worst of its breaches.
    pub nanousd: u64,
}
