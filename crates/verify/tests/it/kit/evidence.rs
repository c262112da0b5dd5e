//! What a scene records of a call: the decision, the fingerprints, what the provider said; and of its surroundings.

use proof::{
    canonical,
    hash::{Hash, sha256},
    records::{
        ActivityRecord, CaptureFailureRecord, DecisionRecord, EnvironmentRecord, GapRecord, ProviderRecord,
        Record, RecordKind,
    },
    words::{
        Action, ActorType, Assurance, CaptureFailureReason, EvidenceClass, FailureResolution, Moment,
        RunSource, StepKind, StepStatus, WayIn,
    },
};
use rules::{
    ENGINE_VERSION, Facts, SCHEMA_VERSION,
    facts::{ContentFacts, ParamFacts, Principal, Resource, RunFacts, StepFacts, TimeFacts},
    limits::LimitInput,
    reexecute::limit_inputs_json,
    verdict::{Circumstances, Conclusion, conclude_under},
};

use super::{Call, RUN, Scene, TENANT};

/// A decision that is recorded.
pub(super) struct Decided {
    pub(super) verdict: Conclusion,
    pub(super) hash: Hash,
    pub(super) id: String,
}

impl Scene {
    pub(super) fn environment(&mut self) -> Record {
        Record::Environment(EnvironmentRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            evidence_id: self.id("evi_"),
            sdk_name: Some("a \"sdk\"\n".to_owned()),
            sdk_version: Some("1.2.3".to_owned()),
            environment: Some("test".to_owned()),
            telemetry: None,
            details: Some("{\"python\":\"3.12\",\"größe\":1.5}".to_owned()),
            way_in: WayIn::Rest,
            user_agent: Some("a \"sdk\"/1.2.3".to_owned()),
            hoc_version: "0.1.0".to_owned(),
            captured_at: self.now(),
        })
    }

    pub(super) fn facts(&self, call: &Call, reported: bool) -> Facts {
        let (cost, (input, output)) = call.counted();
        // Leave is asked without a model, and so for any.
        let named = |name: &str| if reported { name.to_owned() } else { String::new() };
        Facts {
            principal: Principal {
                agent_id: "agent-1".to_owned(),
                project_id: String::new(),
                tenant_id: TENANT.to_owned(),
                labels: [].into(),
            },
            resource: Resource {
                run_id: RUN.to_owned(),
                assurance: Assurance::Enforced,
                source: RunSource::Agent,
                actor_type: ActorType::Agent,
                provider_type: String::new(),
                attempt: 1.into(),
                is_replay: false,
                is_synthetic: false,
            },
            step: Some(StepFacts {
                told_elsewhere: !call.counts,
                cache_read_tokens: rules::Count::ZERO,
                cache_write_tokens: rules::Count::ZERO,
                kind: call.kind,
                skill: call.skill.clone(),
                provider: named("openai"),
                model: named("gpt-4o-mini-2024-07-18"),
                model_requested: named("gpt-4o-mini"),
                input_tokens: input.into(),
                output_tokens: output.into(),
                cost_nanousd: cost.into(),
                cost_known: true,
                duration_ms: 12.into(),
                retry_count: 0.into(),
                status: reported.then_some(StepStatus::Success),
                params: ParamFacts::default(),
                labels: [].into(),
            }),
            content: ContentFacts::default(),
            run: RunFacts {
                steps: self.after.step_count.into(),
                refused: self.after.refused_count.into(),
                tokens: (self.after.input_tokens + self.after.output_tokens).into(),
                cost_nanousd: self.after.cost_nanousd.into(),
                ..RunFacts::default()
            },
            time: TimeFacts { hour: 8.into(), weekday: 6.into() },
            tampered: [].into(),
        }
    }

    /// Decides as the choke point does, and records it.
    pub(super) fn decide(
        &mut self,
        call: &Call,
        moment: Moment,
        step_index: Option<u64>,
        permit_id: Option<String>,
    ) -> Decided {
        let facts = self.facts(call, moment != Moment::StepPre);
        let inputs: Vec<LimitInput> = self
            .compiled
            .applicable(moment, &facts)
            .map(|limit| LimitInput::from_facts(limit, moment, &facts))
            .collect();
        let rules = self.compiled.evaluate(moment, &facts);
        let met = self.frozen.as_ref().map(|(freeze, _)| freeze.intervened());
        let measured = self.compiled.measure(moment, &facts, &inputs);
        let conclusion = conclude_under(
            moment,
            &rules,
            &measured,
            Circumstances { intervened: met.as_ref(), ..Circumstances::default() },
        );
        let told = self.reported && conclusion.action > Action::Allow;
        let refused = conclusion.action.refuses() && !told;
        let decision_id = self.id("dec_");
        let decision = Record::Decision(DecisionRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            decision_id: decision_id.clone(),
            seq: self.next(RecordKind::Decision),
            moment,
            step_index,
            permit_id: permit_id.filter(|_| !refused),
            snapshot_digest: self.snapshot.digest().to_string(),
            engine_version: ENGINE_VERSION.to_owned(),
            schema_version: SCHEMA_VERSION.to_owned(),
            facts: facts.canonical(),
            limit_inputs: limit_inputs_json(&inputs),
            fired: conclusion.fired_json(),
            limits: conclusion.limits_json(),
            action: if told { Action::Allow } else { conclusion.action },
            would_have: told.then_some(conclusion.action),
            halt_reason: conclusion.halt_reason,
            deciding_policy_id: conclusion.deciding_policy_id.clone(),
            overridden_by: None,
            permit_note: None,
            permit_required: false,
            intervention: met.as_ref().map(canonical::to_text),
            decided_at: self.now(),
        });
        let hash = self.push(decision);
        self.met(hash);
        Decided { verdict: conclusion, hash, id: decision_id }
    }

    pub(super) fn evidence(&mut self, call: &Call, step_index: u64) -> (Hash, Option<Hash>) {
        let activity = Record::Activity(ActivityRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            evidence_id: self.id("evi_"),
            seq: self.next(RecordKind::Activity),
            step_index,
            prompt_hash: Some(sha256(b"prompt").to_string()),
            response_hash: Some(sha256(b"response").to_string()),
            prompt_length: 20,
            response_length: 24,
            model: Some("gpt-4o-mini".to_owned()),
            sensitivity: "EMAIL".to_owned(),
            redacted_count: 1,
            redaction_version: 1,
            commitment: sha256(b"commitment").to_string(),
            commitment_key_id: "key_1".to_owned(),
            captured_at: self.now(),
        });
        let activity = self.push(activity);
        if call.kind != StepKind::LlmCall {
            return (activity, None);
        }
        let (input_tokens, output_tokens) = call.tokens();
        let provider = Record::Provider(ProviderRecord {
            cache_write_tokens: 0,
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            evidence_id: self.id("evi_"),
            seq: self.next(RecordKind::Provider),
            step_index,
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o-mini-2024-07-18".to_owned()),
            request_id: Some("req-1".to_owned()),
            input_tokens,
            output_tokens,
            cache_read_tokens: 0,
            reasoning_tokens: 0,
            latency_ms: 12,
            finish_reason: Some("stop".to_owned()),
            http_status: Some(200),
            error: None,
            captured_at: self.now(),
        });
        (activity, Some(self.push(provider)))
    }

    pub(crate) fn fail_capture(&mut self) {
        let failure = Record::CaptureFailure(CaptureFailureRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            failure_id: self.id("cpf_"),
            seq: self.next(RecordKind::CaptureFailure),
            step_index: Some(0),
            evidence_class: EvidenceClass::Provider,
            reason: CaptureFailureReason::ProviderTimeout,
            resolution: FailureResolution::Transient,
            error_message: "no answer".to_owned(),
            failed_at: self.now(),
        });
        self.push(failure);
    }

    /// What was decided last had been told before it was recorded.
    pub(crate) fn gap(&mut self) {
        let records = self.late.as_ref().map_or(&self.records, |late| &late.records);
        let decision = records.iter().rev().find_map(|record| match record {
            Record::Decision(decision) => Some(decision.clone()),
            _ => None,
        });
        let decision = decision.expect("a decision");
        let gap = Record::Gap(GapRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            gap_id: self.id("gap_"),
            seq: self.next(RecordKind::Gap),
            decision_id: decision.decision_id,
            step_index: decision.step_index,
            permit_id: decision.permit_id,
            answered_at: self.now(),
            recorded_at: self.now(),
        });
        self.push(gap);
    }
}
