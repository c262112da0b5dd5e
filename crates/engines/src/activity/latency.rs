//! Is a run as fast as it should be?

use models::activity::{LatencyBucket, RunState};

/// What a run takes where its starter named nothing.
pub const EXPECTED_MS: u64 = 60_000;
/// A live run that is silent for this long is stalled.
pub const SILENCE_MS: u64 = 120_000;
/// Slower than this many times the expected is stalled.
pub const STALLED_FACTOR: u64 = 5;

/// What the bucket is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencySigns {
    /// Whether the run goes on.
    pub state: RunState,
    /// Since it began; until it ended, if it did.
    pub elapsed_ms: u64,
    /// Since it was last heard of.
    pub silent_ms: u64,
    /// As its starter named it.
    pub expected_ms: Option<u64>,
}

/// The bucket of a run.
#[must_use]
pub fn latency_bucket(signs: LatencySigns) -> LatencyBucket {
    let expected = signs.expected_ms.unwrap_or(EXPECTED_MS);
    let silent = signs.state == RunState::Live && signs.silent_ms >= SILENCE_MS;
    if silent || signs.elapsed_ms > expected.saturating_mul(STALLED_FACTOR) {
        LatencyBucket::Stalled
    } else if signs.elapsed_ms > expected {
        LatencyBucket::Slow
    } else {
        LatencyBucket::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets() {
        let live =
            LatencySigns { state: RunState::Live, elapsed_ms: 0, silent_ms: 0, expected_ms: Some(100) };
        let table = [
            (live, LatencyBucket::Ok),
            (LatencySigns { elapsed_ms: 100, ..live }, LatencyBucket::Ok),
            (LatencySigns { elapsed_ms: 101, ..live }, LatencyBucket::Slow),
            (LatencySigns { elapsed_ms: 500, ..live }, LatencyBucket::Slow),
            (LatencySigns { elapsed_ms: 501, ..live }, LatencyBucket::Stalled),
            (LatencySigns { silent_ms: 120_000, ..live }, LatencyBucket::Stalled),
            (LatencySigns { silent_ms: 120_000, state: RunState::Completed, ..live }, LatencyBucket::Ok),
            (LatencySigns { elapsed_ms: 60_000, expected_ms: None, ..live }, LatencyBucket::Ok),
            (LatencySigns { elapsed_ms: 60_001, expected_ms: None, ..live }, LatencyBucket::Slow),
        ];
        for (signs, bucket) in table {
            assert_eq!(latency_bucket(signs), bucket, "{signs:?}");
        }
    }
}
