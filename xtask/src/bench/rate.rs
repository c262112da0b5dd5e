//! How fast something was done, by whom, and what it took of the processors.

use super::{
    load::Sample,
    stats::{Latencies, number},
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
    /// Of how many rounds it is the mean.
    pub(super) rounds: usize,
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
        Self { what, callers, per_second, latency, cpu, others, disturbance: sample.disturbance, rounds: 1 }
    }

    /// What the store itself can do.
    pub(super) fn of_store(
        what: &'static str,
        callers: usize,
        per_second: f64,
        latencies: &Latencies,
    ) -> Self {
        let (latency, cpu, others) = (latencies.shown(), Vec::new(), Vec::new());
        Self { what, callers, per_second, latency, cpu, others, disturbance: None, rounds: 1 }
    }

    /// Takes in what one more round of the same measured.
    pub(super) fn join(&mut self, round: Self) {
        let rounds = number(self.rounds);
        let mean = |known: f64, new: f64| (known * rounds + new) / (rounds + 1.0);
        self.per_second = mean(self.per_second, round.per_second);
        for (known, new) in self.latency.iter_mut().zip(round.latency) {
            *known = known.zip(new).map(|(known, new)| mean(known, new)).or(*known).or(new);
        }
        for (name, known) in &mut self.cpu {
            if let Some((_, new)) = round.cpu.iter().find(|(of, _)| *of == *name) {
                *known = mean(*known, *new);
            }
        }
        for (status, count, first) in round.others {
            if let Some((_, known, _)) = self.others.iter_mut().find(|(of, ..)| *of == status) {
                *known += count;
            } else {
                self.others.push((status, count, first));
            }
        }
        self.disturbance = match (self.disturbance, round.disturbance) {
            (Some(known), Some(new)) => Some(known.max(new)),
            (known, new) => known.or(new),
        };
        self.rounds += 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_count_alike() {
        let round = |per_second, p50, cpu: &[(&'static str, f64)], others: &[u16]| Rate {
            what: Rate::STEPS,
            callers: 8,
            per_second,
            latency: [Some(p50), None, Some(9.0)],
            cpu: cpu.to_vec(),
            others: others.iter().map(|status| (*status, 2, format!("{status}"))).collect(),
            disturbance: Some(p50),
            rounds: 1,
        };
        let mut rate = round(100.0, 1.0, &[("server", 10.0)], &[503]);
        rate.join(round(200.0, 2.0, &[("server", 20.0), ("database", 1.0)], &[503, 429]));
        rate.join(round(600.0, 6.0, &[("server", 60.0)], &[]));
        assert_eq!(figure(rate.per_second), "300");
        assert_eq!(rate.latency.map(maybe), ["3.00", "-", "9.00"]);
        assert_eq!((rate.cpu_of("server"), rate.disturbance, rate.rounds), (Some(30.0), Some(6.0), 3));
        let others: Vec<(u16, usize)> =
            rate.others.iter().map(|(status, count, _)| (*status, *count)).collect();
        assert_eq!(others, [(503, 4), (429, 2)]);
    }
}
