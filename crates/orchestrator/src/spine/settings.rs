//! What may be tuned.

use chrono::Duration;

/// What may be tuned, with the spec's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The installation's name: the first part of each checkpoint's origin.
    pub installation: String,
    /// The version of HOC, as records name it.
    pub version: String,
    /// How long a granted permit serves.
    pub permit_ttl: Duration,
    /// How long a stopped run waits for its agent to end it.
    pub stop_grace: Duration,
    /// After how much silence a live run is given up.
    pub run_abandon_after: Duration,
    /// How many calls may wait for the choke point before it answers 503, half of them of one tenant.
    pub max_waiting: usize,
    /// How many bytes of bodies, of waiting calls, of answers for the store and of answers to callers may be held at
    /// once: each of these, and half of it for one tenant.
    pub max_held_bytes: usize,
    /// How many bytes of traces, runs and compiled policies are remembered so that they are not read again.
    pub max_remembered_bytes: usize,
    /// How many streams of events may be open at once.
    pub max_streams: usize,
    /// How long a replica may decide halts from what it remembers while the store is down, and go by what it remembers
    /// of a run where the store has it so.
    pub outage_memory: Duration,
    /// How long after all records were read again they are read again.
    pub check_every: Duration,
    /// How long a trace whose root span has ended waits for spans that are still on their way.
    pub trace_quiet: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            installation: "hoc".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            permit_ttl: Duration::seconds(60),
            stop_grace: Duration::seconds(60),
            run_abandon_after: Duration::hours(1),
            max_waiting: 16_384,
            max_held_bytes: 128 << 20,
            max_remembered_bytes: 128 << 20,
            max_streams: 1_024,
            outage_memory: Duration::minutes(10),
            check_every: Duration::hours(1),
            trace_quiet: Duration::seconds(30),
        }
    }
}
