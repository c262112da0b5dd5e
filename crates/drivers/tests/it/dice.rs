//! Chance that is the same for the same seed: runs, calls to models, and what lists are asked for.

use chrono::{DateTime, Utc};
use models::{
    activity::{EvidenceHealth, LatencyBucket, RiskLevel, Run, RunFilter, RunState},
    ids::{KeyId, TenantId},
    logs::{ExecutionStatus, LlmRunFilter, LlmRunRecord},
};
use proof::words::{Assurance, IntegrityStatus, RunSource, RunStatus};

use crate::{
    sample::{self, ODD, at, run, uuid},
    whole::llm_run,
};

const DAY: i64 = 86_400;

/// It goes on from its seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len() as u64)).expect("small")].clone()
    }

    pub(crate) fn time(&mut self) -> DateTime<Utc> {
        let second = self.roll(3 * DAY.unsigned_abs());
        at(i64::try_from(second).expect("small"))
    }

    fn some(&mut self, all: &[&str]) -> Option<String> {
        let word = self.of(all);
        (!word.is_empty()).then(|| word.to_owned())
    }

    pub(crate) fn run(&mut self, tenant: TenantId, n: u128) -> Run {
        let run = Run {
            agent_id: self.of(&["a", "b", ODD]).to_owned(),
            project_id: self.some(&["", "p", "q"]),
            provider_type: self.some(&["", "openai"]),
            source: self.of(RunSource::ALL),
            is_synthetic: self.roll(4) == 0,
            key_id: KeyId(uuid(70 + u128::from(self.roll(2)))),
            started_at: self.time(),
            idempotency_key: None,
            assurance: self.of(Assurance::ALL),
            ..run(tenant, n)
        };
        self.moved(run)
    }

    /// The run as it may stand later.
    pub(crate) fn moved(&mut self, run: Run) -> Run {
        let standing = Run {
            risk_level: self.of(RiskLevel::ALL),
            latency_bucket: self.of(LatencyBucket::ALL),
            evidence_health: self.of(EvidenceHealth::ALL),
            integrity_status: self.of(IntegrityStatus::ALL),
            incident_count: self.roll(2),
            policy_violation: self.roll(3) == 0,
            ..run
        };
        if standing.state == RunState::Completed || self.roll(2) == 0 {
            return standing;
        }
        Run {
            state: RunState::Completed,
            status: self.of(&[RunStatus::Succeeded, RunStatus::Failed]),
            completed_at: Some(at(5 * DAY)),
            ..standing
        }
    }

    pub(crate) fn call(&mut self, tenant: TenantId, run: u128, step: u64) -> LlmRunRecord {
        LlmRunRecord {
            provider: self.some(&["", "openai", "anthropic"]),
            model: self.some(&["", "gpt", "claude", "\"[,]"]),
            execution_status: self.of(ExecutionStatus::ALL),
            is_synthetic: self.roll(4) == 0,
            cost_nanousd: self.of(&[0, 7, sample::MOST]),
            cost_known: self.roll(4) > 0,
            input_tokens: self.roll(1 << 22),
            output_tokens: self.of(&[0, 1, sample::MOST]),
            created_at: self.time(),
            ..llm_run(tenant, run, step)
        }
    }

    /// Two filters at most, as lists are asked for.
    pub(crate) fn filter(&mut self) -> RunFilter {
        let mut filter = RunFilter::default();
        for _ in 0..2 {
            match self.roll(14) {
                0 => filter.state = Some(self.of(RunState::ALL)),
                1 => filter.status = Some(self.of(RunStatus::ALL)),
                2 => filter.risk = Some(self.roll(2) == 0),
                3 => filter.risk_level = Some(self.of(RiskLevel::ALL)),
                4 => filter.agent_id = Some(self.of(&["a", "b", ODD, "nobody"]).to_owned()),
                5 => filter.project_id = Some(self.of(&["p", "nothing"]).to_owned()),
                6 => filter.provider_type = Some("openai".to_owned()),
                7 => filter.source = Some(self.of(RunSource::ALL)),
                8 => filter.is_synthetic = Some(self.roll(2) == 0),
                9 => filter.started_after = Some(self.time()),
                10 => filter.started_before = Some(self.time()),
                11 => filter.key_id = Some(KeyId(uuid(70))),
                12 => filter.latency_bucket = Some(self.of(LatencyBucket::ALL)),
                _ => filter.evidence_health = Some(self.of(EvidenceHealth::ALL)),
            }
        }
        filter
    }

    pub(crate) fn filter_of_calls(&mut self) -> LlmRunFilter {
        let mut filter = LlmRunFilter::default();
        for _ in 0..2 {
            match self.roll(6) {
                0 => filter.provider = Some("openai".to_owned()),
                1 => filter.model = Some(self.of(&["gpt", "\"[,]"]).to_owned()),
                2 => filter.execution_status = Some(self.of(ExecutionStatus::ALL)),
                3 => filter.is_synthetic = Some(self.roll(2) == 0),
                4 => filter.created_after = Some(self.time()),
                _ => filter.created_before = Some(self.time()),
            }
        }
        filter
    }
}
