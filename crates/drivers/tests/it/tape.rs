//! Any record that a run's segments may hold, made of numbers: what a store or a codec could get wrong is in it more
//! often than in those of runs.

use models::ids::RunId;
use proof::{
    canonical::MAX_INTEGER,
    contents::Content,
    hash::sha256,
    records::{
        ActivityRecord, DecisionRecord, EnvironmentRecord, GapRecord, IntegrityRecord, ProviderRecord,
        Record, StepRecord,
    },
    words::{
        Action, Asked, CostNote, HaltReason, IntegrityGrade, IntegrityState, IntegrityStatus, Moment,
        OutcomeCategory, PermitNote, ReplayBehavior, StepKind, StepLevel, StepSource, StepStatus, WayIn,
    },
};
use proptest::{collection::vec, prelude::*};

use crate::sample::{TENANT, uuid};

/// The run of which they are.
pub(crate) const RUN: u128 = 1;

/// What JSON escapes or must not, what ends a line for some readers, and what looks like a record's own members.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u0000",
    "\u{0}",
    "\u{1f}",
    "\n",
    "\r",
    "\t",
    "\u{8}",
    "\u{c}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{ffff}",
    "\u{e000}",
    "\u{10ffff}",
    "a\u{301}",
    "\u{1f980}",
    "{}",
    "null",
    "/",
    "</",
    " ",
    ",\"type\":\"hoc/run/v1\"",
    "\"run_id\":\"another\"",
    "9007199254740993",
];

/// Around each length that a number may have, and the largest that a record holds.
const EDGES: &[u64] = &[0, 1, 9, 10, 255, 1 << 31, 1 << 32, MAX_INTEGER - 2, MAX_INTEGER - 1, MAX_INTEGER];

/// The numbers that a record is made of, one after another. Where there are no more, each is 0, of which the least is
/// made: so a record that fails gets smaller with its numbers.
struct Tape(std::vec::IntoIter<usize>);

impl Tape {
    fn next(&mut self) -> usize {
        self.0.next().unwrap_or(0)
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() % end
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn word<W: Copy>(&mut self, all: &[W]) -> W {
        all[self.below(all.len())]
    }

    fn some<T>(&mut self, of: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| of(self))
    }

    fn number(&mut self) -> u64 {
        if self.below(3) < 2 { self.word(EDGES) } else { self.next() as u64 % (MAX_INTEGER + 1) }
    }

    fn text(&mut self) -> String {
        match self.below(16) {
            0..=2 => String::new(),
            3..=9 => {
                let pieces = self.below(9);
                (0..pieces).map(|_| self.word(PIECES)).collect()
            }
            10..=14 => {
                let characters = self.below(6);
                (0..characters).map(|_| self.character()).collect()
            }
            _ => self.word(PIECES).repeat(self.below(2_000)),
        }
    }

    fn character(&mut self) -> char {
        let code = u32::try_from(self.below(0x11_0000)).unwrap_or(0);
        // Half of a pair is no character.
        char::from_u32(code).unwrap_or('\u{fffd}')
    }

    fn content(&mut self) -> Content {
        Content { hash: sha256(&self.next().to_be_bytes()), length: self.number() }
    }

    fn words(&mut self) -> Option<String> {
        self.some(Self::text)
    }

    fn step(&mut self, tenant_id: String, run_id: String) -> StepRecord {
        StepRecord {
            tenant_id,
            run_id,
            trace_id: self.text(),
            step_index: 0,
            parent_step_index: self.some(Self::number),
            kind: self.word(StepKind::ALL),
            skill_name: self.text(),
            params: self.some(Self::content),
            status: self.word(StepStatus::ALL),
            asked: self.word(Asked::ALL),
            reported_status: self.some(|it| it.word(StepStatus::ALL)),
            outcome_category: self.word(OutcomeCategory::ALL),
            outcome_code: self.words(),
            outcome_data: self.some(Self::content),
            prompt: self.some(Self::content),
            response: self.some(Self::content),
            finish_reason: self.words(),
            provider: self.words(),
            model: self.words(),
            model_requested: self.words(),
            input_tokens: self.number(),
            output_tokens: self.number(),
            cache_read_tokens: self.number(),
            cache_write_tokens: self.number(),
            reasoning_tokens: self.number(),
            cost_nanousd: self.number(),
            cost_known: self.yes(),
            cost_note: self.some(|it| it.word(CostNote::ALL)),
            duration_ms: self.number(),
            retry_count: self.number(),
            started_at: self.words(),
            recorded_at: self.text(),
            level: self.word(StepLevel::ALL),
            source: self.word(StepSource::ALL),
            reported_by: self.words(),
            external_span_id: self.words(),
            external_parent_span_id: self.words(),
            idempotency_key: self.words(),
            request_hash: self.words(),
            replay_behavior: self.some(|it| it.word(ReplayBehavior::ALL)),
            input_hash: self.text(),
            output_hash: self.text(),
            params_hash: self.words(),
            outcome_hash: self.words(),
            permit_id: self.words(),
            permit_note: self.some(|it| it.word(PermitNote::ALL)),
            decision_id: self.words(),
            pre_decision_hash: self.words(),
            post_decision_hash: self.words(),
            activity_hash: self.words(),
            provider_hash: self.words(),
            run_after: self.text(),
            determinism_hash: self.text(),
            prev_hash: self.text(),
        }
    }

    fn decision(&mut self, tenant_id: String, run_id: String) -> DecisionRecord {
        DecisionRecord {
            tenant_id,
            run_id,
            decision_id: self.text(),
            seq: 0,
            moment: self.word(Moment::ALL),
            step_index: self.some(Self::number),
            permit_id: self.words(),
            snapshot_digest: self.text(),
            engine_version: self.text(),
            schema_version: self.text(),
            facts: self.text(),
            limit_inputs: self.text(),
            fired: self.text(),
            limits: self.text(),
            action: self.word(Action::ALL),
            would_have: self.some(|it| it.word(Action::ALL)),
            halt_reason: self.some(|it| it.word(HaltReason::ALL)),
            deciding_policy_id: self.words(),
            intervention: self.words(),
            overridden_by: self.words(),
            permit_note: self.some(|it| it.word(PermitNote::ALL)),
            permit_required: self.yes(),
            decided_at: self.text(),
        }
    }

    fn environment(&mut self, tenant_id: String, run_id: String) -> EnvironmentRecord {
        EnvironmentRecord {
            tenant_id,
            run_id,
            evidence_id: self.text(),
            sdk_name: self.words(),
            sdk_version: self.words(),
            environment: self.words(),
            telemetry: self.words(),
            details: self.words(),
            way_in: self.word(WayIn::ALL),
            user_agent: self.words(),
            hoc_version: self.text(),
            captured_at: self.text(),
        }
    }

    fn activity(&mut self, tenant_id: String, run_id: String) -> ActivityRecord {
        ActivityRecord {
            tenant_id,
            run_id,
            evidence_id: self.text(),
            seq: 0,
            step_index: self.number(),
            prompt_hash: self.words(),
            response_hash: self.words(),
            prompt_length: self.number(),
            response_length: self.number(),
            model: self.words(),
            sensitivity: self.text(),
            redacted_count: self.number(),
            redaction_version: self.number(),
            commitment: self.text(),
            commitment_key_id: self.text(),
            captured_at: self.text(),
        }
    }

    fn provider(&mut self, tenant_id: String, run_id: String) -> ProviderRecord {
        ProviderRecord {
            tenant_id,
            run_id,
            evidence_id: self.text(),
            seq: 0,
            step_index: self.number(),
            provider: self.words(),
            model: self.words(),
            request_id: self.words(),
            input_tokens: self.number(),
            output_tokens: self.number(),
            cache_read_tokens: self.number(),
            cache_write_tokens: self.number(),
            reasoning_tokens: self.number(),
            latency_ms: self.number(),
            finish_reason: self.words(),
            http_status: self.some(Self::number),
            error: self.words(),
            captured_at: self.text(),
        }
    }

    fn integrity(&mut self, tenant_id: String, run_id: String) -> IntegrityRecord {
        IntegrityRecord {
            tenant_id,
            run_id,
            evidence_id: self.text(),
            expected: self.text(),
            observed: self.text(),
            missing: self.text(),
            missing_reasons: self.text(),
            capture_failures: self.number(),
            score_permille: self.number(),
            state: self.word(IntegrityState::ALL),
            grade: self.word(IntegrityGrade::ALL),
            integrity_status: self.word(IntegrityStatus::ALL),
            explanation: self.text(),
            computed_at: self.text(),
        }
    }

    fn gap(&mut self, tenant_id: String, run_id: String) -> GapRecord {
        GapRecord {
            tenant_id,
            run_id,
            gap_id: self.text(),
            seq: 0,
            decision_id: self.text(),
            step_index: self.some(Self::number),
            permit_id: self.words(),
            answered_at: self.text(),
            recorded_at: self.text(),
        }
    }

    fn record(&mut self) -> Record {
        let (tenant, run) = (TENANT.to_string(), RunId(uuid(RUN)).to_string());
        // Of steps and decisions there are most.
        match self.below(10) {
            0..=2 => Record::Step(self.step(tenant, run)),
            3..=4 => Record::Decision(self.decision(tenant, run)),
            5 => Record::Environment(self.environment(tenant, run)),
            6 => Record::Activity(self.activity(tenant, run)),
            7 => Record::Provider(self.provider(tenant, run)),
            8 => Record::Integrity(self.integrity(tenant, run)),
            _ => Record::Gap(self.gap(tenant, run)),
        }
    }
}

/// Any record of [`RUN`], with no place yet.
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    vec(any::<usize>(), 1..120).prop_map(|numbers| Tape(numbers.into_iter()).record())
}
