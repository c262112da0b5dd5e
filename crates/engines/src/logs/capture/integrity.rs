//! Class J: how whole the run's evidence is, written once at sealing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use models::{
    ids::EvidenceId,
    logs::{ClassCounts, ExecutionContext, IntegrityEvaluation, IntegrityFacts},
};
use proof::{records::IntegrityRecord, words::EvidenceClass};

/// The integrity record of a run, from the facts and their grade.
#[must_use]
pub fn capture_integrity_evidence(
    ctx: &ExecutionContext,
    id: EvidenceId,
    facts: &IntegrityFacts,
    evaluation: &IntegrityEvaluation,
    now: DateTime<Utc>,
) -> IntegrityRecord {
    let missing: Vec<&str> = evaluation.missing.iter().map(|class| class.as_str()).collect();
    let reasons: BTreeMap<EvidenceClass, &String> =
        evaluation.missing_reasons.iter().map(|(class, why)| (*class, why)).collect();
    let sum = |of: &ClassCounts| of.values().sum::<u64>();
    IntegrityRecord {
        tenant_id: ctx.tenant().to_string(),
        run_id: ctx.run_id().to_string(),
        evidence_id: id.to_string(),
        expected: proof::canonical::to_text(&facts.expected),
        observed: proof::canonical::to_text(&facts.observed),
        missing: missing.join(","),
        missing_reasons: proof::canonical::to_text(&reasons),
        capture_failures: sum(&facts.transient_failures) + sum(&facts.permanent_failures),
        score_permille: evaluation.score_permille,
        state: evaluation.state,
        grade: evaluation.grade,
        integrity_status: evaluation.integrity_status,
        explanation: evaluation.explanation.clone(),
        computed_at: models::time::text(now),
    }
}
