//! Does a run's evidence arrive?

use models::activity::{EvidenceHealth, RunState};

/// MISSING: over without a required class. DEGRADED: an unresolved capture failure, a gap, or a class that is
/// expected and absent. Else FLOWING.
#[must_use]
pub fn evidence_health(state: RunState, required_missing: bool, degraded: bool) -> EvidenceHealth {
    if state == RunState::Completed && required_missing {
        EvidenceHealth::Missing
    } else if required_missing || degraded {
        EvidenceHealth::Degraded
    } else {
        EvidenceHealth::Flowing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_only_when_it_cannot_come_any_more() {
        assert_eq!(evidence_health(RunState::Live, true, false), EvidenceHealth::Degraded);
        assert_eq!(evidence_health(RunState::Completed, true, true), EvidenceHealth::Missing);
        assert_eq!(evidence_health(RunState::Completed, false, true), EvidenceHealth::Degraded);
        assert_eq!(evidence_health(RunState::Completed, false, false), EvidenceHealth::Flowing);
    }
}
