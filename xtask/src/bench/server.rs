//! The server that is measured, and what its callers need.

use super::{cpu::Watched, hoc::Server, http::Client, load::Outcome, options::Options, tenant};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A server under load, and what its callers need.
pub(super) struct Bench<'a> {
    pub(super) options: &'a Options,
    pub(super) server: &'a Server,
    /// A key of role agent.
    pub(super) agent: &'a str,
    /// The processes whose work is told apart.
    pub(super) watched: Vec<Watched>,
    /// Which of the rounds this is: in each of them other spans come.
    pub(super) round: u32,
    /// Steps that the server took so far, and the bytes of their bodies.
    pub(super) taken: AtomicUsize,
    pub(super) sent: AtomicUsize,
}

impl Bench<'_> {
    /// A connection with a run of its own.
    pub(super) fn caller(&self) -> anyhow::Result<(Client, String)> {
        let mut client = self.server.client(self.agent);
        let run = tenant::start_run(&mut client)?;
        Ok((client, run))
    }

    /// What an exporter's texts and ids come from: the same seed is the same traces, so no two rounds have one.
    pub(super) fn seed(&self, seed: usize) -> usize {
        seed + 2_000_000 * self.round as usize
    }

    /// Keeps account of what the store now holds, within the window or not.
    pub(super) fn counted(&self, outcome: Outcome, bytes: usize) -> Outcome {
        if let Outcome::Done(steps) = &outcome {
            self.taken.fetch_add(*steps, Ordering::Relaxed);
            self.sent.fetch_add(bytes, Ordering::Relaxed);
        }
        outcome
    }
}

/// How long something took.
pub(super) fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    let began = std::time::Instant::now();
    let done = work()?;
    Ok((done, began.elapsed()))
}
