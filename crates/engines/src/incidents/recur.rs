//! The same cause again: one incident, counted up.

use chrono::{DateTime, Utc};
use models::incidents::Incident;
use proof::words::Severity;

/// From how many repeats an incident is at least this bad.
const ESCALATION: &[(u64, Severity)] =
    &[(200, Severity::Critical), (50, Severity::High), (10, Severity::Medium)];

/// The incident after one more occurrence, which cost so much; true where it became more severe. Severity never falls.
#[must_use]
pub fn recur(
    incident: &Incident,
    severity: Severity,
    cost_microusd: u64,
    now: DateTime<Utc>,
) -> (Incident, bool) {
    let affected_count = incident.affected_count + 1;
    let by_count = ESCALATION.iter().find(|(from, _)| affected_count >= *from).map(|(_, severity)| *severity);
    // The vocabulary lists the worst first, so the worst is the least.
    let worst = by_count.into_iter().chain([incident.severity, severity]).min().unwrap_or(severity);
    let escalated = worst < incident.severity;
    let after = Incident {
        affected_count,
        later_impact_microusd: incident
            .later_impact_microusd
            .saturating_add(cost_microusd)
            .min(proof::canonical::MAX_INTEGER),
        severity: worst,
        escalated_at: if escalated { Some(now) } else { incident.escalated_at },
        updated_at: now,
        ..incident.clone()
    };
    (after, escalated)
}
