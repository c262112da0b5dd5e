//! What lists show of a run, from what the run now is: how slow, how risky.

use chrono::{DateTime, Utc};
use engines::activity::{LatencySigns, RiskSigns, latency_bucket, risk_level};
use models::activity::LatencyBucket;
use proof::words::RunStatus;

use super::RunState;

/// Derives what the list shows from what the run now is.
pub(in crate::choke) fn refresh(run: &mut RunState, now: DateTime<Utc>) {
    let elapsed_ms = of_its_own(run, now);
    let was_stalled = run.run.latency_bucket == LatencyBucket::Stalled;
    run.run.latency_bucket = latency_bucket(LatencySigns {
        state: run.run.state,
        elapsed_ms,
        silent_ms: 0,
        expected_ms: run.run.expected_latency_ms,
    });
    let signs = RiskSigns {
        integrity: run.run.integrity_status,
        policy_violation: run.run.policy_violation,
        latency: run.run.latency_bucket,
        evidence: run.run.evidence_health,
        incident_count: run.run.incident_count,
        near_limit: run.near_limit,
    };
    // A level once reached stands while its cause does; causes that the group does not see are not taken back here. One
    // that it does see has gone where the run was silent and speaks again.
    let level = risk_level(signs);
    let may_stand = run.run.latency_bucket == LatencyBucket::Ok && !was_stalled;
    run.run.risk_level = if may_stand { level.max(run.run.risk_level) } else { level };
}

/// How long the run took by its agent's own doing. A run that was halted may have waited for whoever killed it, or to
/// be ended after it was stopped: that it waited is no sign that it is slow.
fn of_its_own(run: &RunState, now: DateTime<Utc>) -> u64 {
    if run.run.status == RunStatus::Halted && run.run.reported_end.is_none() {
        return u64::try_from((run.run.last_seen_at - run.run.started_at).num_milliseconds()).unwrap_or(0);
    }
    millis(run, now)
}

/// How long the run took by now, or until its agent ended it.
pub(in crate::choke) fn millis(run: &RunState, now: DateTime<Utc>) -> u64 {
    if let Some(known) = run.run.duration_ms.or(run.run.reported_end.as_ref().map(|end| end.duration_ms)) {
        return known;
    }
    u64::try_from((now - run.run.started_at).num_milliseconds()).unwrap_or(0)
}
