//! One method for each canonical event (PIN-413, V1 lock). If it has no method here, it makes no audit row.

use proof::words::{ActorType, AuditEntityType, AuditEventType};
use serde_json::Value;

/// An audit row before it has its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditDraft {
    /// What happened.
    pub event_type: AuditEventType,
    /// To what.
    pub entity_type: AuditEntityType,
    /// To which.
    pub entity_id: String,
    /// The run that the states name, if one.
    pub run_id: Option<String>,
    /// Who did it: what they are.
    pub actor_type: ActorType,
    /// Who did it.
    pub actor_id: Option<String>,
    /// Why, in the actor's words or as a reason code.
    pub action_reason: Option<String>,
    /// The entity before, where the event changes one.
    pub before_state: Option<Value>,
    /// The entity after.
    pub after_state: Option<Value>,
    /// Ties the row to what else the call caused.
    pub correlation_id: String,
}

/// Makes audit rows for one actor.
#[derive(Clone, Debug)]
pub struct AuditLedgerService {
    actor_type: ActorType,
    actor_id: Option<String>,
    correlation_id: String,
}

impl AuditLedgerService {
    /// Rows by this actor, tied together by `correlation_id`.
    #[must_use]
    pub fn new(actor_type: ActorType, actor_id: Option<String>, correlation_id: String) -> Self {
        Self { actor_type, actor_id, correlation_id }
    }

    /// A rule came into force.
    #[must_use]
    pub fn policy_rule_created(&self, rule_id: &str, after: Value) -> AuditDraft {
        self.rule(AuditEventType::PolicyRuleCreated, rule_id, None, None, after)
    }

    /// A rule's definition changed.
    #[must_use]
    pub fn policy_rule_modified(&self, rule_id: &str, before: Value, after: Value) -> AuditDraft {
        self.rule(AuditEventType::PolicyRuleModified, rule_id, None, Some(before), after)
    }

    /// A rule went out of force, for good.
    #[must_use]
    pub fn policy_rule_retired(
        &self,
        rule_id: &str,
        reason: &str,
        before: Value,
        after: Value,
    ) -> AuditDraft {
        self.rule(AuditEventType::PolicyRuleRetired, rule_id, Some(reason), Some(before), after)
    }

    /// A person approved a proposal.
    #[must_use]
    pub fn policy_proposal_approved(&self, id: &str, notes: Option<&str>, after: Value) -> AuditDraft {
        let (event, entity) = (AuditEventType::PolicyProposalApproved, AuditEntityType::PolicyProposal);
        self.draft(event, entity, id, notes, None, Some(after))
    }

    /// A person rejected a proposal.
    #[must_use]
    pub fn policy_proposal_rejected(&self, id: &str, notes: Option<&str>, after: Value) -> AuditDraft {
        let (event, entity) = (AuditEventType::PolicyProposalRejected, AuditEntityType::PolicyProposal);
        self.draft(event, entity, id, notes, None, Some(after))
    }

    /// A limit came into force.
    #[must_use]
    pub fn limit_created(&self, limit_id: &str, after: Value) -> AuditDraft {
        self.limit(AuditEventType::LimitCreated, limit_id, None, None, after)
    }

    /// A limit changed, or was disabled.
    #[must_use]
    pub fn limit_updated(&self, limit_id: &str, before: Value, after: Value) -> AuditDraft {
        self.limit(AuditEventType::LimitUpdated, limit_id, None, Some(before), after)
    }

    /// A run passed a limit.
    #[must_use]
    pub fn limit_breached(&self, limit_id: &str, reason: &str, after: Value) -> AuditDraft {
        self.limit(AuditEventType::LimitBreached, limit_id, Some(reason), None, after)
    }

    /// A limit was lifted for a time.
    #[must_use]
    pub fn limit_override_granted(&self, limit_id: &str, reason: &str, after: Value) -> AuditDraft {
        self.limit(AuditEventType::LimitOverrideGranted, limit_id, Some(reason), None, after)
    }

    /// A lifted limit holds again.
    #[must_use]
    pub fn limit_override_revoked(
        &self,
        limit_id: &str,
        reason: &str,
        before: Value,
        after: Value,
    ) -> AuditDraft {
        self.limit(AuditEventType::LimitOverrideRevoked, limit_id, Some(reason), Some(before), after)
    }

    /// Somebody took an incident.
    #[must_use]
    pub fn incident_acknowledged(
        &self,
        id: &str,
        note: Option<&str>,
        before: Value,
        after: Value,
    ) -> AuditDraft {
        self.incident(AuditEventType::IncidentAcknowledged, id, note, before, after)
    }

    /// An incident is over.
    #[must_use]
    pub fn incident_resolved(&self, id: &str, note: Option<&str>, before: Value, after: Value) -> AuditDraft {
        self.incident(AuditEventType::IncidentResolved, id, note, before, after)
    }

    /// An incident was closed by hand.
    #[must_use]
    pub fn incident_manually_closed(
        &self,
        id: &str,
        note: Option<&str>,
        before: Value,
        after: Value,
    ) -> AuditDraft {
        self.incident(AuditEventType::IncidentManuallyClosed, id, note, before, after)
    }

    /// Enforcement was bypassed for a time. The entity is the override (spec 1).
    #[must_use]
    pub fn emergency_override_activated(&self, override_id: &str, reason: &str, after: Value) -> AuditDraft {
        self.rule(AuditEventType::EmergencyOverrideActivated, override_id, Some(reason), None, after)
    }

    /// Enforcement holds again.
    #[must_use]
    pub fn emergency_override_deactivated(
        &self,
        override_id: &str,
        before: Value,
        after: Value,
    ) -> AuditDraft {
        self.rule(AuditEventType::EmergencyOverrideDeactivated, override_id, None, Some(before), after)
    }

    fn rule(
        &self,
        event: AuditEventType,
        id: &str,
        reason: Option<&str>,
        before: Option<Value>,
        after: Value,
    ) -> AuditDraft {
        self.draft(event, AuditEntityType::PolicyRule, id, reason, before, Some(after))
    }

    fn limit(
        &self,
        event: AuditEventType,
        id: &str,
        reason: Option<&str>,
        before: Option<Value>,
        after: Value,
    ) -> AuditDraft {
        self.draft(event, AuditEntityType::Limit, id, reason, before, Some(after))
    }

    fn incident(
        &self,
        event: AuditEventType,
        id: &str,
        note: Option<&str>,
        before: Value,
        after: Value,
    ) -> AuditDraft {
        self.draft(event, AuditEntityType::Incident, id, note, Some(before), Some(after))
    }

    fn draft(
        &self,
        event_type: AuditEventType,
        entity_type: AuditEntityType,
        entity_id: &str,
        action_reason: Option<&str>,
        before_state: Option<Value>,
        after_state: Option<Value>,
    ) -> AuditDraft {
        AuditDraft {
            event_type,
            entity_type,
            entity_id: entity_id.to_owned(),
            run_id: run_named(after_state.as_ref()).or_else(|| run_named(before_state.as_ref())),
            actor_type: self.actor_type,
            actor_id: self.actor_id.clone(),
            action_reason: action_reason.map(str::to_owned),
            before_state,
            after_state,
            correlation_id: self.correlation_id.clone(),
        }
    }
}

/// The run that a state names (PIN-546: governance events of a run are found by `run_id` or `source_run_id`).
fn run_named(state: Option<&Value>) -> Option<String> {
    let state = state?;
    let named = state.get("run_id").filter(|id| !id.is_null()).or_else(|| state.get("source_run_id"));
    named.and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service() -> AuditLedgerService {
        AuditLedgerService::new(ActorType::Human, Some("ana".to_owned()), "cor".to_owned())
    }

    #[test]
    fn every_canonical_event_has_its_method() {
        let (s, v) = (service(), Value::Null);
        let drafts = [
            s.policy_rule_created("r", v.clone()),
            s.policy_rule_modified("r", v.clone(), v.clone()),
            s.policy_rule_retired("r", "why", v.clone(), v.clone()),
            s.policy_proposal_approved("p", None, v.clone()),
            s.policy_proposal_rejected("p", None, v.clone()),
            s.limit_created("l", v.clone()),
            s.limit_updated("l", v.clone(), v.clone()),
            s.limit_breached("l", "why", v.clone()),
            s.limit_override_granted("l", "why", v.clone()),
            s.limit_override_revoked("l", "why", v.clone(), v.clone()),
            s.incident_acknowledged("i", None, v.clone(), v.clone()),
            s.incident_resolved("i", None, v.clone(), v.clone()),
            s.incident_manually_closed("i", None, v.clone(), v.clone()),
            s.emergency_override_activated("e", "why", v.clone()),
            s.emergency_override_deactivated("e", v.clone(), v),
        ];
        let events: Vec<_> = drafts.iter().map(|draft| draft.event_type).collect();
        assert_eq!(events, AuditEventType::ALL, "INV-LOGS-002: the fifteen, each once, in the seed's order");
    }

    #[test]
    fn a_row_belongs_to_the_run_that_its_states_name() {
        let draft = service().incident_acknowledged("i", None, json!({"run_id": "run_1"}), json!({}));
        assert_eq!(draft.run_id.as_deref(), Some("run_1"));
        let draft = service().limit_breached("l", "why", json!({"source_run_id": "run_2"}));
        assert_eq!(draft.run_id.as_deref(), Some("run_2"));
        assert_eq!(service().limit_created("l", json!({})).run_id, None);
    }
}
