//! Whether a job is tried again, and when.

use std::time::Duration;

use chrono::TimeDelta;
use models::{
    jobs::{JobAuditEvent, JobAuditEventType, RetryAttempt},
    time,
};
use serde_json::Value;

/// How the rests between attempts grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryStrategy {
    /// Each is the base.
    Fixed,
    /// The n-th is n times the base.
    Linear,
    /// Each is twice the one before.
    Exponential,
    /// Each is the sum of the two before.
    Fibonacci,
}

/// How often a job is tried, and how long it rests before each attempt but the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryConfig {
    /// How the rests grow.
    pub strategy: RetryStrategy,
    /// So many attempts at most.
    pub max_attempts: u64,
    /// What the rests are multiples of.
    pub base_ms: u64,
    /// No rest is longer.
    pub cap_ms: u64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { strategy: RetryStrategy::Exponential, max_attempts: 3, base_ms: 60_000, cap_ms: 3_600_000 }
    }
}

/// Decides by a [`RetryConfig`].
#[derive(Clone, Copy, Debug)]
pub struct JobRetryManager {
    config: RetryConfig,
}

impl JobRetryManager {
    /// One that goes by this.
    #[must_use]
    pub const fn new(config: RetryConfig) -> Self {
        Self { config }
    }

    /// Whether a job that has failed so often is tried again, if what it failed of may pass.
    #[must_use]
    pub const fn should_retry(self, attempts: u64, may_pass: bool) -> bool {
        may_pass && attempts < self.config.max_attempts
    }

    /// The rest after the n-th attempt: as long as the strategy says, and the jitter that was drawn below
    /// [`Self::jitter_below`]; capped last.
    #[must_use]
    pub fn calculate_delay(self, attempt: u64, jitter: Duration) -> TimeDelta {
        let jitter = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
        let delay = self.unjittered(attempt).saturating_add(jitter).min(self.config.cap_ms);
        i64::try_from(delay).ok().and_then(TimeDelta::try_milliseconds).unwrap_or(TimeDelta::MAX)
    }

    /// What the jitter of that rest stays below: a fifth of it.
    #[must_use]
    pub fn jitter_below(self, attempt: u64) -> Duration {
        // What is past the cap is cut off again.
        Duration::from_millis(self.unjittered(attempt).min(self.config.cap_ms) / 5)
    }

    fn unjittered(self, attempt: u64) -> u64 {
        let n = attempt.max(1);
        let times = match self.config.strategy {
            RetryStrategy::Fixed => 1,
            RetryStrategy::Linear => n,
            RetryStrategy::Exponential => {
                u32::try_from(n - 1).ok().and_then(|by| 1_u64.checked_shl(by)).unwrap_or(u64::MAX)
            }
            RetryStrategy::Fibonacci => fibonacci(n),
        };
        self.config.base_ms.saturating_mul(times)
    }
}

/// 1, 1, 2, 3, 5, and as much as there is from the hundredth on.
fn fibonacci(n: u64) -> u64 {
    let (mut this, mut next) = (1_u64, 1_u64);
    for _ in 1..n.min(100) {
        (this, next) = (next, this.saturating_add(next));
    }
    this
}

/// The attempts that failed, as a job's chain tells them, oldest first: those that ended, and those of which the server
/// went silent, which whoever took the job over says.
#[must_use]
pub fn get_retry_history(events: &[JobAuditEvent]) -> Vec<RetryAttempt> {
    events.iter().filter_map(attempt).collect()
}

fn attempt(event: &JobAuditEvent) -> Option<RetryAttempt> {
    let details = event.details.as_deref()?;
    match event.event_type {
        JobAuditEventType::Failed | JobAuditEventType::Retried | JobAuditEventType::DeadLettered => {
            serde_json::from_str(details).ok()
        }
        JobAuditEventType::Started => {
            let details: Value = serde_json::from_str(details).ok()?;
            let at = time::text(event.at);
            Some(RetryAttempt {
                number: event.attempt.saturating_sub(1),
                error: silent(details["taken_over_from"].as_str()?),
                delay_ms: Some(0),
                will_retry: true,
                next_attempt_at: Some(at.clone()),
                at,
            })
        }
        _ => None,
    }
}

/// What is told of an attempt of which nobody heard any more.
pub(super) fn silent(owner: &str) -> String {
    format!("{owner}, which was at it, went silent")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn manager(strategy: RetryStrategy) -> JobRetryManager {
        JobRetryManager::new(RetryConfig { strategy, max_attempts: 3, base_ms: 60_000, cap_ms: 3_600_000 })
    }

    #[test]
    fn rests_grow_as_the_strategy_says_and_no_further_than_the_cap() {
        for (strategy, seconds) in [
            (RetryStrategy::Fixed, [60, 60, 60, 60, 60, 60]),
            (RetryStrategy::Linear, [60, 120, 180, 240, 300, 360]),
            (RetryStrategy::Exponential, [60, 120, 240, 480, 960, 1_920]),
            (RetryStrategy::Fibonacci, [60, 60, 120, 180, 300, 480]),
        ] {
            let rests = (1..=6).map(|n| manager(strategy).calculate_delay(n, Duration::ZERO).num_seconds());
            assert_eq!(rests.collect::<Vec<_>>(), seconds, "{strategy:?}");
            let capped = if strategy == RetryStrategy::Fixed { 60 } else { 3_600 };
            for n in [100, 10_000, u64::MAX] {
                let rest = manager(strategy).calculate_delay(n, Duration::ZERO);
                assert_eq!(rest.num_seconds(), capped, "{strategy:?} {n}");
            }
        }
    }

    #[test]
    fn the_jitter_is_below_a_fifth_and_comes_before_the_cap() {
        let manager = manager(RetryStrategy::Exponential);
        for (attempt, most, longest) in [(1, 12_000, 72_000), (2, 24_000, 144_000), (6, 384_000, 2_304_000)] {
            assert_eq!(manager.jitter_below(attempt), Duration::from_millis(most));
            let rest = manager.calculate_delay(attempt, Duration::from_millis(most));
            assert_eq!(rest.num_milliseconds(), longest);
        }
        // The seventh would be 3,840 s without the cap.
        assert_eq!(manager.calculate_delay(7, manager.jitter_below(7)).num_seconds(), 3_600);
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again_and_nothing_more_often_than_it_may_be() {
        let manager = manager(RetryStrategy::Fixed);
        let tried = |may_pass| [1, 2, 3, 4].map(|attempts| manager.should_retry(attempts, may_pass));
        assert_eq!(tried(true), [true, true, false, false]);
        assert_eq!(tried(false), [false; 4]);
    }

    #[test]
    fn by_default_three_attempts_a_minute_at_first_and_an_hour_at_most() {
        let RetryConfig { max_attempts, base_ms, cap_ms, .. } = RetryConfig::default();
        assert_eq!((max_attempts, base_ms, cap_ms), (3, 60_000, 3_600_000));
    }
}
