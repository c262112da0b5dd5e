//! Durations of one measurement: percentiles by nearest rank, so that each is one that was measured.

use std::time::Duration;

/// What a measurement's operations took, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(super) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The least duration that `percent` of all do not exceed; none of none.
    pub(super) fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }

    /// In milliseconds: the percentiles that every table shows.
    pub(super) fn shown(&self) -> [Option<f64>; 3] {
        [50, 90, 99].map(|percent| self.percentile(percent).map(millis))
    }
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
pub(super) fn number(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a bench's files are far below 2^52")]
pub(super) fn bytes(count: u64) -> f64 {
    count as f64
}

/// Bytes in MiB.
pub(super) fn mebibytes(count: u64) -> f64 {
    bytes(count) / 1_048_576.0
}

/// `part` of `whole`, where there is a whole.
pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let of = |durations: &[u64], percent| {
            let durations = durations.iter().copied().map(Duration::from_micros).collect();
            Latencies::new(durations).percentile(percent).map(|found| found.as_micros())
        };
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!([50, 90, 99, 100].map(|percent| of(&hundred, percent)), [50, 90, 99, 100].map(Some));
        assert_eq!([0, 50, 99].map(|percent| of(&[7], percent)), [Some(7); 3]);
        assert_eq!([50, 51].map(|percent| of(&[1, 2], percent)), [Some(1), Some(2)]);
        assert_eq!(of(&[1, 2, 3, 4], 99), Some(4));
        assert_eq!(of(&[], 50), None);
    }

    #[test]
    fn a_ratio_needs_a_whole() {
        assert_eq!(ratio(1.0, 4.0), Some(0.25));
        assert_eq!(ratio(1.0, 0.0), None);
    }
}
