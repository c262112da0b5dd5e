//! Opening an incident for a cause; runs join it.

use chrono::{DateTime, Utc};
use models::{
    ids::{IncidentId, LimitId, RunId, TenantId},
    incidents::{Incident, LifecycleState},
};
use proof::{
    hash::sha256,
    words::{Action, CauseType, IncidentCategory, RuleType, Severity},
};

/// What went wrong in a run, as the one who noticed it tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// What sort of thing.
    pub category: IncidentCategory,
    /// The policy, limit or error: one open incident for each.
    pub cause_key: String,
    /// How bad.
    pub severity: Severity,
    /// One line for a person.
    pub title: String,
    /// What happened, in a sentence or two.
    pub description: String,
    /// What is said of it in the run at hand, whatever the incident is called.
    pub note: Option<&'static str>,
    /// The step at which it showed.
    pub step_index: Option<u64>,
    /// The rule that fired, or the limit.
    pub policy_id: Option<String>,
    /// The limit that was passed.
    pub limit_id: Option<LimitId>,
    /// A code, where the error has one.
    pub error_code: Option<String>,
    /// What it cost.
    pub cost_impact_nanousd: u64,
}

/// The run in which it showed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `runs`")]
pub struct Origin {
    pub tenant: TenantId,
    pub run_id: RunId,
    pub agent_id: String,
    pub correlation_id: String,
    pub is_synthetic: bool,
    pub synthetic_scenario_id: Option<String>,
}

/// KILL and ABORT are critical; what a SAFETY rule refuses is high; the rest medium.
#[must_use]
pub fn severity_of_rule(action: Action, rule_type: RuleType) -> Severity {
    match (action, rule_type) {
        (Action::Kill | Action::Abort, _) => Severity::Critical,
        (_, RuleType::Safety) => Severity::High,
        _ => Severity::Medium,
    }
}

/// A limit whose passing kills or aborts is critical, a spent budget high, the rest medium.
#[must_use]
pub fn severity_of_limit(action: Action, category: IncidentCategory) -> Severity {
    match (action, category) {
        (Action::Kill | Action::Abort, _) => Severity::Critical,
        (_, IncidentCategory::BudgetExceeded) => Severity::High,
        _ => Severity::Medium,
    }
}

/// A failed run: high where its error says that data or security is at stake, low where it may pass by itself.
#[must_use]
pub fn severity_of_failure(error: Option<&str>) -> Severity {
    const GRAVE: &[&str] = &["data_loss", "corrupt", "security", "unauthorized", "permission", "integrity"];
    const PASSING: &[&str] = &["timeout", "rate_limit", "unavailable", "cancelled", "network"];
    let error = error.unwrap_or_default().to_ascii_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if names(GRAVE) {
        Severity::High
    } else if names(PASSING) {
        Severity::Low
    } else {
        Severity::Medium
    }
}

impl Cause {
    /// By which its incident is found again.
    #[must_use]
    pub fn key(&self) -> models::incidents::Cause {
        models::incidents::Cause { category: self.category, cause_key: self.cause_key.clone() }
    }
}

/// A new incident of a cause that had so many before, which a run is to join as its source. Its group is that of all
/// with the same recurrence signature.
#[must_use]
pub fn open(
    run: &Origin,
    cause: &Cause,
    id: IncidentId,
    recurrence_count: u64,
    now: DateTime<Utc>,
) -> Incident {
    let incident = open_outside(run.tenant, cause, id, run.correlation_id.clone(), recurrence_count, now);
    let incident = Incident { cause_type: CauseType::LlmRun, ..incident };
    of_run(incident, run)
}

/// A new incident that no run reported: the system itself noticed it. It may be about a run: see [`of_run`].
#[must_use]
pub fn open_outside(
    tenant: TenantId,
    cause: &Cause,
    id: IncidentId,
    correlation_id: String,
    recurrence_count: u64,
    now: DateTime<Utc>,
) -> Incident {
    let signature = recurrence_signature(cause);
    Incident {
        tenant,
        id,
        title: cause.title.clone(),
        category: cause.category,
        severity: cause.severity,
        opened_severity: cause.severity,
        lifecycle_state: LifecycleState::Active,
        cause_type: CauseType::System,
        cause_key: cause.cause_key.clone(),
        source_run_id: None,
        source_step_index: cause.step_index,
        policy_id: cause.policy_id.clone(),
        limit_id: cause.limit_id,
        description: cause.description.clone(),
        error_code: cause.error_code.clone(),
        cost_impact_nanousd: cause.cost_impact_nanousd,
        affected_count: 0,
        occurrences: 1,
        last_seen_at: now,
        agents: Vec::new(),
        more_agents: false,
        similar_incident_group_id: Some(signature[..16].to_owned()),
        recurrence_signature: signature,
        recurrence_count,
        acknowledged_at: None,
        acknowledged_by: None,
        resolved_at: None,
        resolved_by: None,
        resolution_type: None,
        resolution_notes: None,
        escalated_at: None,
        correlation_id,
        is_synthetic: false,
        synthetic_scenario_id: None,
        created_at: now,
        updated_at: now,
    }
}

/// The incident, as one that this run will join: it counts what the run brings.
#[must_use]
pub fn of_run(incident: Incident, run: &Origin) -> Incident {
    Incident {
        source_run_id: Some(run.run_id),
        occurrences: 0,
        cost_impact_nanousd: 0,
        correlation_id: run.correlation_id.clone(),
        is_synthetic: run.is_synthetic,
        synthetic_scenario_id: run.synthetic_scenario_id.clone(),
        ..incident
    }
}

/// Equal for all incidents of one cause.
fn recurrence_signature(cause: &Cause) -> String {
    let parts = [cause.category.as_str(), &cause.cause_key];
    sha256(parts.join("\u{1f}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_of_the_spec() {
        assert_eq!(severity_of_rule(Action::Kill, RuleType::System), Severity::Critical);
        assert_eq!(severity_of_rule(Action::Block, RuleType::Safety), Severity::High);
        assert_eq!(severity_of_rule(Action::Stop, RuleType::Ethical), Severity::Medium);
        assert_eq!(severity_of_limit(Action::Block, IncidentCategory::BudgetExceeded), Severity::High);
        assert_eq!(severity_of_limit(Action::Block, IncidentCategory::RateLimit), Severity::Medium);
        assert_eq!(severity_of_failure(Some("provider TIMEOUT")), Severity::Low);
        assert_eq!(severity_of_failure(Some("permission denied")), Severity::High);
        assert_eq!(severity_of_failure(None), Severity::Medium);
    }
}
