//! What follows when something fires: enforcement, prevention, breach, incident; and rows of the Audit Ledger.

use proof::{
    bundle::{LiveIncident, TimelineEvent},
    hash::Hash,
    leaves::{AuditLeaf, AuditRecord},
    records::{
        BreachRecord, EnforcementRecord, IncidentRecord, InterventionRecord, PreventionRecord, Record,
        RecordKind,
    },
    words::{
        ActorType, AuditEntityType, AuditEventType, BreachType, CauseType, IncidentCategory,
        IncidentRelation, InterventionKind, InterventionTarget, LimitType, Moment, PolicyKind,
        PreventionOutcome, Severity,
    },
};
use rules::verdict::Conclusion;

use super::{RUN, Scene, TENANT};

impl Scene {
    /// What follows from what fired.
    pub(super) fn fired(&mut self, verdict: &Conclusion, moment: Moment, step_index: u64) {
        for fired in &verdict.fired {
            let Some(taken) = fired.action.taken() else { continue };
            let known = self.incidents.first().map(|incident| incident.incident_id.clone());
            let refuses = fired.action.refuses();
            let incident_id = refuses.then(|| known.unwrap_or_else(|| self.incident(step_index)));
            let refused_after = refuses && moment.is_of_done() && !self.reported;
            let rule_id = (fired.kind == PolicyKind::Rule).then(|| fired.policy_id.clone());
            let enforcement = Record::Enforcement(EnforcementRecord {
                tenant_id: TENANT.to_owned(),
                run_id: Some(RUN.to_owned()),
                enforcement_id: self.id("enf_"),
                seq: Some(self.next(RecordKind::Enforcement)),
                policy_id: fired.policy_id.clone(),
                policy_kind: fired.kind,
                rule_id,
                incident_id: incident_id.clone(),
                step_index: Some(step_index),
                action_taken: taken,
                details: "{}".to_owned(),
                triggered_at: self.now(),
            });
            self.push(enforcement);
            if fired.kind == PolicyKind::Limit {
                self.breach(&fired.policy_id, step_index);
            }
            let mut prevention =
                self.prevention(Some((&fired.policy_id, fired.kind)), Some(step_index), incident_id);
            if let Record::Prevention(record) = &mut prevention {
                (record.asked, record.refused_after) = (moment.asked(), refused_after);
            }
            self.push(prevention);
        }
    }

    pub(super) fn prevention(
        &mut self,
        policy: Option<(&str, PolicyKind)>,
        step_index: Option<u64>,
        blocked_incident_id: Option<String>,
    ) -> Record {
        Record::Prevention(PreventionRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            prevention_id: self.id("prv_"),
            seq: Some(self.next(RecordKind::Prevention)),
            policy_id: policy.map(|(id, _)| id.to_owned()),
            policy_kind: policy.map(|(_, kind)| kind),
            policy_name: policy.map(|_| "a policy".to_owned()),
            pattern_id: None,
            step_index,
            outcome: if policy.is_some() {
                PreventionOutcome::Blocked
            } else {
                PreventionOutcome::NoViolation
            },
            asked: None,
            would_have: None,
            refused_after: false,
            confidence_permille: 1_000,
            original_incident_id: None,
            blocked_incident_id,
            is_simulated: false,
            is_synthetic: false,
            evaluated_at: self.now(),
        })
    }

    pub(super) fn breach(&mut self, limit_id: &str, step_index: u64) {
        let breach = Record::Breach(BreachRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            breach_id: self.id("brc_"),
            seq: self.next(RecordKind::Breach),
            limit_id: limit_id.to_owned(),
            limit_name: "cost of a run".to_owned(),
            limit_type: LimitType::RunCostUsd,
            breach_type: BreachType::Breached,
            window_start: String::new(),
            step_index: Some(step_index),
            breached_value: self.after.cost_nanousd,
            threshold_value: 2_000,
            breached_at: self.now(),
        });
        self.push(breach);
        self.govern(AuditEventType::LimitBreached, AuditEntityType::Limit, limit_id, true);
    }

    /// A freeze, which holds until it is lifted: each decision meets it, and the first is what the record names.
    pub(crate) fn freeze(&mut self) {
        let freeze = InterventionRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            intervention_id: self.id("int_"),
            seq: 0,
            kind: InterventionKind::Freeze,
            target_type: InterventionTarget::Agent,
            target_id: Some("agent-1".to_owned()),
            actor_type: ActorType::Human,
            actor_id: Some("ana".to_owned()),
            reason: Some("under review".to_owned()),
            requested_at: self.now(),
            decision_hash: String::new(),
            effective_at: String::new(),
        };
        self.frozen = Some((freeze, false));
    }

    pub(crate) fn unfreeze(&mut self) {
        self.frozen = None;
    }

    /// A decision was made under the freeze, if there is one.
    pub(super) fn met(&mut self, decision: Hash) {
        let seq = self.next(RecordKind::Intervention);
        let effective_at = self.now();
        let Some((freeze, met)) = &mut self.frozen else { return };
        if std::mem::replace(met, true) {
            return;
        }
        let record =
            InterventionRecord { seq, decision_hash: decision.to_string(), effective_at, ..freeze.clone() };
        self.push(Record::Intervention(record));
    }

    pub(super) fn incident(&mut self, step_index: u64) -> String {
        let incident_id = self.id("inc_");
        let opened_at = self.now();
        let incident = Record::Incident(IncidentRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            incident_id: incident_id.clone(),
            seq: self.next(RecordKind::Incident),
            relation: IncidentRelation::Source,
            title: "a step was refused".to_owned(),
            category: IncidentCategory::PolicyViolation,
            severity: Severity::High,
            cause_type: CauseType::LlmRun,
            cause_key: "rule".to_owned(),
            step_index: Some(step_index),
            policy_id: None,
            limit_id: None,
            description: "the step cost too much".to_owned(),
            error_code: None,
            cost_impact_nanousd: self.after.cost_nanousd,
            recurrence_signature: "sig".to_owned(),
            note: None,
            is_synthetic: false,
            opened_at: opened_at.clone(),
            first_at: opened_at.clone(),
        });
        self.push(incident);
        let event_id = self.id("ine_");
        self.incidents.push(LiveIncident {
            incident_id: incident_id.clone(),
            title: "a step was refused".to_owned(),
            category: IncidentCategory::PolicyViolation,
            severity: Severity::High,
            lifecycle_state: "ACTIVE".to_owned(),
            affected_count: 1,
            acknowledged_at: None,
            acknowledged_by: None,
            resolved_at: None,
            resolved_by: None,
            resolution_type: None,
            resolution_notes: None,
            escalated_at: None,
            created_at: opened_at.clone(),
            timeline: vec![TimelineEvent {
                event_id,
                event_type: "created".to_owned(),
                actor: None,
                details: Some("{}".to_owned()),
                at: opened_at,
            }],
        });
        incident_id
    }

    /// A row of the Audit Ledger, of this run or of none.
    pub(super) fn govern(
        &mut self,
        event_type: AuditEventType,
        entity_type: AuditEntityType,
        entity_id: &str,
        of_run: bool,
    ) {
        let record = AuditRecord {
            tenant_id: TENANT.to_owned(),
            run_id: of_run.then(|| RUN.to_owned()),
            id: self.id("aud_"),
            event_type,
            entity_type,
            entity_id: entity_id.to_owned(),
            actor_type: ActorType::System,
            actor_id: None,
            action_reason: Some("because".to_owned()),
            before_state: None,
            after_state: Some(format!("{{\"run_id\":\"{RUN}\"}}")),
            run_seq: of_run.then(|| self.audit.len() as u64 + 1),
            correlation_id: "cor-1".to_owned(),
            created_at: self.now(),
        };
        let leaf = AuditLeaf::Entry(record.clone());
        let hash = leaf.hash();
        let index = self.ledger.append(leaf, hash);
        if of_run {
            self.audit.push((record, index));
        }
    }

    pub(crate) fn acknowledge_incident(&mut self) {
        let (at, event_id) = (self.now(), self.id("ine_"));
        let incident = self.incidents.first_mut().expect("an incident");
        "ACKED".clone_into(&mut incident.lifecycle_state);
        incident.acknowledged_at = Some(at.clone());
        incident.acknowledged_by = Some("ana".to_owned());
        let event = TimelineEvent {
            event_id,
            event_type: "acknowledged".to_owned(),
            actor: Some("ana".to_owned()),
            details: None,
            at,
        };
        incident.timeline.push(event);
        let id = incident.incident_id.clone();
        self.govern(AuditEventType::IncidentAcknowledged, AuditEntityType::Incident, &id, true);
    }
}
