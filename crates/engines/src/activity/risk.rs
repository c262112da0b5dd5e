//! How much a run needs somebody's eyes.

use models::activity::{EvidenceHealth, LatencyBucket, RiskLevel};
use proof::words::IntegrityStatus;

/// What the level is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `runs`")]
pub struct RiskSigns {
    pub integrity: IntegrityStatus,
    pub policy_violation: bool,
    pub latency: LatencyBucket,
    pub evidence: EvidenceHealth,
    pub incident_count: u64,
    /// A limit that applies to the run stands at 80 % or more.
    pub near_limit: bool,
}

/// The level of a run. It is derived from causes that stand, so a later, weaker signal cannot lower it.
#[must_use]
pub fn risk_level(signs: RiskSigns) -> RiskLevel {
    if signs.integrity == IntegrityStatus::Failed || signs.policy_violation {
        RiskLevel::Violated
    } else if signs.latency == LatencyBucket::Stalled
        || signs.integrity == IntegrityStatus::Degraded
        || signs.incident_count > 0
    {
        RiskLevel::AtRisk
    } else if signs.latency == LatencyBucket::Slow
        || signs.evidence == EvidenceHealth::Degraded
        || signs.near_limit
    {
        RiskLevel::NearThreshold
    } else {
        RiskLevel::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_cause_decides() {
        let calm = RiskSigns {
            integrity: IntegrityStatus::Unknown,
            policy_violation: false,
            latency: LatencyBucket::Ok,
            evidence: EvidenceHealth::Flowing,
            incident_count: 0,
            near_limit: false,
        };
        let table = [
            (calm, RiskLevel::Normal),
            (RiskSigns { near_limit: true, ..calm }, RiskLevel::NearThreshold),
            (RiskSigns { latency: LatencyBucket::Slow, ..calm }, RiskLevel::NearThreshold),
            (RiskSigns { evidence: EvidenceHealth::Degraded, ..calm }, RiskLevel::NearThreshold),
            (RiskSigns { incident_count: 1, near_limit: true, ..calm }, RiskLevel::AtRisk),
            (RiskSigns { latency: LatencyBucket::Stalled, ..calm }, RiskLevel::AtRisk),
            (RiskSigns { integrity: IntegrityStatus::Degraded, ..calm }, RiskLevel::AtRisk),
            (RiskSigns { integrity: IntegrityStatus::Failed, ..calm }, RiskLevel::Violated),
            (RiskSigns { policy_violation: true, incident_count: 1, ..calm }, RiskLevel::Violated),
        ];
        for (signs, level) in table {
            assert_eq!(risk_level(signs), level, "{signs:?}");
        }
    }
}
