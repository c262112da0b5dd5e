//! A cause strikes a run: the run joins the cause's incident, or is in it already.

use chrono::{DateTime, Utc};
use models::incidents::{Incident, IncidentRun, NAMED_AGENTS};
use proof::{
    canonical::MAX_INTEGER,
    words::{IncidentRelation, Severity},
};

use super::{Cause, Origin};

/// From how many runs an incident is at least this bad.
const ESCALATION: &[(u64, Severity)] =
    &[(200, Severity::Critical), (50, Severity::High), (10, Severity::Medium)];

/// An incident after a strike, and what its run did of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Struck {
    /// The incident as it stands now.
    pub incident: Incident,
    /// What the run did of it.
    pub of: IncidentRun,
    /// It became more severe.
    pub escalated: bool,
}

/// A run meets the cause for the first time, as its `seq`-th incident; that which opened the incident is its source.
/// Later records of a run that no receipt covers have no place.
#[must_use]
pub fn join(
    incident: &Incident,
    run: &Origin,
    cause: &Cause,
    seq: Option<u64>,
    now: DateTime<Utc>,
) -> Struck {
    let is_first = incident.affected_count == 0 && incident.source_run_id == Some(run.run_id);
    let of = IncidentRun {
        tenant: incident.tenant,
        incident_id: incident.id,
        run_id: run.run_id,
        relation: if is_first { IncidentRelation::Source } else { IncidentRelation::Affected },
        seq,
        note: cause.note.map(str::to_owned),
        first_step_index: cause.step_index,
        cost_impact_nanousd: cause.cost_impact_nanousd,
        later_impact_nanousd: 0,
        occurrences: 1,
        first_at: now,
        last_at: now,
    };
    let mut after = Incident { affected_count: incident.affected_count + 1, ..incident.clone() };
    if !after.agents.contains(&run.agent_id) {
        if after.agents.len() < NAMED_AGENTS {
            after.agents.push(run.agent_id.clone());
        } else {
            after.more_agents = true;
        }
    }
    let escalated = strike(&mut after, cause, now);
    Struck { incident: after, of, escalated }
}

/// The cause strikes a run again that is in its incident.
#[must_use]
pub fn recur(incident: &Incident, of: &IncidentRun, cause: &Cause, now: DateTime<Utc>) -> Struck {
    let mut after = incident.clone();
    let of = IncidentRun {
        occurrences: of.occurrences + 1,
        later_impact_nanousd: sum(of.later_impact_nanousd, cause.cost_impact_nanousd),
        last_at: now,
        ..of.clone()
    };
    let escalated = strike(&mut after, cause, now);
    Struck { incident: after, of, escalated }
}

/// Counts one occurrence; true where the incident became more severe, by its runs or by what struck. It never falls.
fn strike(incident: &mut Incident, cause: &Cause, now: DateTime<Utc>) -> bool {
    let runs = incident.affected_count;
    let by_runs = ESCALATION.iter().find(|(from, _)| runs >= *from).map(|(_, severity)| *severity);
    // The vocabulary lists the worst first, so the worst is the least.
    let severities = by_runs.into_iter().chain([incident.severity, cause.severity]);
    let worst = severities.min().unwrap_or(cause.severity);
    let escalated = worst < incident.severity;
    incident.severity = worst;
    incident.escalated_at = if escalated { Some(now) } else { incident.escalated_at };
    incident.occurrences += 1;
    incident.cost_impact_nanousd = sum(incident.cost_impact_nanousd, cause.cost_impact_nanousd);
    incident.last_seen_at = now;
    incident.updated_at = now;
    escalated
}

/// As far as a record can hold it.
fn sum(one: u64, other: u64) -> u64 {
    one.saturating_add(other).min(MAX_INTEGER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::open;
    use models::incidents::LifecycleState;
    use proof::words::IncidentCategory;

    fn cause(severity: Severity) -> Cause {
        Cause {
            category: IncidentCategory::PolicyViolation,
            cause_key: "rule".to_owned(),
            severity,
            title: String::new(),
            description: String::new(),
            note: None,
            step_index: Some(3),
            policy_id: None,
            limit_id: None,
            error_code: None,
            cost_impact_nanousd: 5,
        }
    }

    fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str, n: u128) -> I {
        format!("{prefix}{n:032x}").parse().expect("an id")
    }

    fn origin(n: u128, agent: &str) -> Origin {
        Origin {
            tenant: id("ten_", 0),
            run_id: id("run_", n),
            agent_id: agent.to_owned(),
            correlation_id: String::new(),
            is_synthetic: false,
            synthetic_scenario_id: None,
        }
    }

    fn opened(severity: Severity) -> Incident {
        open(&origin(1, "a"), &cause(severity), id("inc_", 1), 2, DateTime::UNIX_EPOCH)
    }

    fn joined(incident: &Incident, n: u128) -> Struck {
        join(
            incident,
            &origin(n, &format!("agent {}", n % 12)),
            &cause(Severity::Low),
            Some(0),
            DateTime::UNIX_EPOCH,
        )
    }

    #[test]
    fn severity_follows_the_runs_and_never_falls() {
        let mut incident = opened(Severity::Low);
        for n in 1..=500 {
            let struck = joined(&incident, n);
            let source = struck.of.relation == IncidentRelation::Source;
            assert_eq!(source, n == 1);
            assert_eq!(struck.escalated, [10, 50, 200].contains(&n), "{n}");
            // What strikes a run again is no other run.
            let again = recur(&struck.incident, &struck.of, &cause(Severity::Low), DateTime::UNIX_EPOCH);
            assert!(!again.escalated);
            assert_eq!((again.of.occurrences, again.of.impact_nanousd()), (2, 10));
            incident = again.incident;
        }
        assert_eq!((incident.affected_count, incident.occurrences), (500, 1_000));
        assert_eq!((incident.severity, incident.opened_severity), (Severity::Critical, Severity::Low));
        assert_eq!((incident.cost_impact_nanousd, incident.recurrence_count), (5_000, 2));
        assert_eq!((incident.agents.len(), incident.more_agents), (NAMED_AGENTS, true));
        let mut critical = opened(Severity::Critical);
        for n in 1..=60 {
            let struck = joined(&critical, n);
            assert!(!struck.escalated);
            critical = struck.incident;
        }
        assert_eq!(critical.severity, Severity::Critical);
    }

    #[test]
    fn what_strikes_may_be_worse_than_what_opened() {
        let acked = Incident { lifecycle_state: LifecycleState::Acked, ..opened(Severity::Medium) };
        let first = joined(&acked, 1);
        assert!(!first.escalated, "a milder strike");
        let again = recur(&first.incident, &first.of, &cause(Severity::Critical), DateTime::UNIX_EPOCH);
        assert!(again.escalated);
        assert_eq!(again.incident.lifecycle_state, LifecycleState::Acked, "whoever has it still has it");
    }
}
