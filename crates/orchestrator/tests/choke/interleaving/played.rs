//! What was done of all seeds, for who wants to know.

use std::fmt;

/// How much of it there was.
#[derive(Default)]
pub(super) struct Played {
    pub(super) seeds: u64,
    pub(super) calls: usize,
    pub(super) statements: u64,
    pub(super) commits: u64,
    pub(super) lapses: u64,
    pub(super) lost: u64,
    pub(super) killed: u64,
    /// Runs that a replica remembered in the end in the very version that was stored.
    pub(super) remembered: usize,
}

impl Played {
    /// Whether any was compared, where anything was played.
    pub(super) fn compares(&self) -> bool {
        self.seeds == 0 || self.remembered > 0
    }

    pub(super) fn add(&mut self, one: &Self) {
        self.seeds += one.seeds;
        self.calls += one.calls;
        self.statements += one.statements;
        self.commits += one.commits;
        self.lapses += one.lapses;
        self.lost += one.lost;
        self.killed += one.killed;
        self.remembered += one.remembered;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, calls, statements, commits, lapses, lost, killed, remembered } = self;
        write!(
            f,
            "{seeds} held: {calls} calls, {statements} statements let through, {commits} of them commits, time \
             passed {lapses} times, {lost} connections lost, {killed} replicas killed, {remembered} runs remembered as \
             they are stored"
        )
    }
}
