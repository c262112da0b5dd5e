//! How fast something was done, by whom, and what it took of the processors.

use super::{
    load::Sample,
    stats::Latencies,
    table::{figure, maybe},
};

/// How much of something was done in a second.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    pub(super) what: &'static str,
    pub(super) callers: usize,
    pub(super) per_second: f64,
    /// Milliseconds at 50, 90 and 99 %.
    pub(super) latency: [Option<f64>; 3],
    /// Microseconds of processor for each, by process.
    pub(super) cpu: Vec<(&'static str, f64)>,
    /// Answers that did not count: status, how many, the first one.
    pub(super) others: Vec<(u16, usize, String)>,
    /// How many processors something else kept busy meanwhile.
    pub(super) disturbance: Option<f64>,
}

impl Rate {
    pub(super) const COMMITS: &'static str = "the store itself, a small row a commit";
    pub(super) const ROWS: &'static str = "the store itself, rows of 4 kB, 20 a commit";
    pub(super) const BARE: &'static str = "bare route (GET /healthz)";
    pub(super) const STEPS: &'static str = "governed steps";
    pub(super) const PERMITS: &'static str = "permit and record";
    pub(super) const SPANS: &'static str = "spans by OTLP, 20 a request";
    pub(super) const SPANS_AT_ONCE: &'static str = "spans by OTLP, 500 a request";
    pub(super) const TURNS: &'static str = "turns of conversations by OTLP, 20 a request";

    pub(super) fn new(what: &'static str, callers: usize, sample: &Sample) -> Self {
        let others =
            sample.others.iter().map(|(status, (count, text))| (*status, *count, text.clone())).collect();
        let (per_second, latency, cpu) = (sample.per_second(), sample.latencies.shown(), sample.cpu.clone());
        Self { what, callers, per_second, latency, cpu, others, disturbance: sample.disturbance }
    }

    /// What the store itself can do.
    pub(super) fn of_store(
        what: &'static str,
        callers: usize,
        per_second: f64,
        latencies: &Latencies,
    ) -> Self {
        let (latency, cpu, others) = (latencies.shown(), Vec::new(), Vec::new());
        Self { what, callers, per_second, latency, cpu, others, disturbance: None }
    }

    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        let [p50, _, p99] = self.latency.map(maybe);
        format!(
            "{}, {} callers: {}/s, p50 {p50} ms, p99 {p99} ms",
            self.what,
            self.callers,
            figure(self.per_second)
        )
    }

    /// Microseconds of processor that a process took for each.
    pub(super) fn cpu_of(&self, name: &str) -> Option<f64> {
        self.cpu.iter().find(|(of, _)| *of == name).map(|(_, used)| *used)
    }

    /// What of the store's own limits it is compared with.
    pub(super) fn limit(&self) -> Option<&'static str> {
        match self.what {
            Self::STEPS | Self::PERMITS => Some(Self::COMMITS),
            Self::SPANS | Self::SPANS_AT_ONCE => Some(Self::ROWS),
            _ => None,
        }
    }

    /// Whether it says what the machine can do, and nothing of the product.
    pub(super) fn is_limit(&self) -> bool {
        [Self::COMMITS, Self::ROWS, Self::BARE].contains(&self.what)
    }
}
