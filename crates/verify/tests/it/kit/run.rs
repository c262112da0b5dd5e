//! The run itself: as it is sealed, and as it stands now.

use proof::{
    bundle::{LiveLate, LiveRun},
    records::{RecordKind, RunRecord},
    words::{ActorType, Assurance, IntegrityStatus, RunSource, TerminationReason},
};

use super::{KEY, RUN, Scene, TENANT, TRACE};

impl Scene {
    pub(super) fn run_record(&self, completed_at: String) -> RunRecord {
        RunRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: TRACE.to_owned(),
            agent_id: "agent-1".to_owned(),
            project_id: None,
            actor_type: ActorType::Agent,
            actor_id: None,
            goal: Some("know the weather".to_owned()),
            source: RunSource::Agent,
            provider_type: None,
            parent_run_id: None,
            attempt: 1,
            replay_of: None,
            replay_mode: None,
            is_synthetic: false,
            synthetic_scenario_id: None,
            correlation_id: "cor-1".to_owned(),
            opened_by: Some(KEY.to_owned()),
            external_trace_id: self.reported.then(|| "5b8efff798038103d269b633813fc60c".to_owned()),
            conversation_id: Some("talk-1".to_owned()),
            session_id: None,
            user_id: Some("ana".to_owned()),
            idempotency_key: None,
            request_hash: None,
            metadata: None,
            assurance: self.assurance(),
            snapshot_digest: self.snapshot.digest().to_string(),
            status: self.after.status,
            termination_reason: Some(TerminationReason::Completed),
            error_message: None,
            started_at: self.opened.started_at.clone(),
            completed_at,
            duration_ms: 4_500,
            expected_latency_ms: None,
            step_count: self.after.step_count,
            refused_count: self.after.refused_count,
            unasked_count: self.unasked(),
            llm_call_count: self.calls.0,
            tool_call_count: self.calls.1,
            input_tokens: self.after.input_tokens,
            output_tokens: self.after.output_tokens,
            cost_nanousd: self.after.cost_nanousd,
        }
    }

    pub(super) fn live_run(&mut self) -> LiveRun {
        let last_seen_at = self.now();
        let late_gap = self.late.iter().flat_map(|late| &late.records).any(|it| it.kind() == RecordKind::Gap);
        let assurance = match self.sealed {
            _ if late_gap => Assurance::Reported,
            _ => self.assurance(),
        };
        let late = self.late.as_ref().map(|late| late.totals);
        let late_of = |of: fn(&LiveLate) -> u64| late.as_ref().map_or(0, of);
        LiveRun {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: TRACE.to_owned(),
            agent_id: "agent-1".to_owned(),
            actor_type: ActorType::Agent,
            actor_id: None,
            conversation_id: Some("talk-1".to_owned()),
            session_id: None,
            user_id: Some("ana".to_owned()),
            assurance,
            status: self.after.status,
            termination_reason: self.sealed.as_ref().map(|_| TerminationReason::Completed),
            error_message: None,
            started_at: self.opened.started_at.clone(),
            last_seen_at,
            completed_at: self.sealed.as_ref().map(|(leaf, _)| leaf.sealed_at.clone()),
            step_count: self.after.step_count - late_of(|late| late.step_count),
            refused_count: self.after.refused_count,
            input_tokens: self.after.input_tokens - late_of(|late| late.input_tokens),
            output_tokens: self.after.output_tokens - late_of(|late| late.output_tokens),
            cost_nanousd: self.after.cost_nanousd - late_of(|late| late.cost_nanousd),
            risk_level: "NORMAL".to_owned(),
            latency_bucket: "OK".to_owned(),
            evidence_health: "FLOWING".to_owned(),
            integrity_status: IntegrityStatus::Verified,
            incident_count: self.incidents.len() as u64,
            policy_violation: self.after.refused_count > 0,
            policy_draft_count: 0,
            late,
        }
    }
}
