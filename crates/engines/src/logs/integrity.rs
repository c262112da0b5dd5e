//! Grades a run's evidence from the facts that the assembler gathered. Pure.

use std::collections::BTreeMap;

use models::logs::{ClassCounts, IntegrityEvaluation, IntegrityFacts};
use proof::words::{EvidenceClass, IntegrityGrade, IntegrityState, IntegrityStatus};

/// Classes that every run has, or has for each step that calls for one. J is not graded: it is the grade.
pub const REQUIRED_EVIDENCE: &[EvidenceClass] = &[
    EvidenceClass::Run,
    EvidenceClass::Trace,
    EvidenceClass::Environment,
    EvidenceClass::Activity,
    EvidenceClass::Provider,
    EvidenceClass::Decision,
];

/// Classes that are looked for at sealing.
pub const EXPECTED_EVIDENCE: &[EvidenceClass] = REQUIRED_EVIDENCE;

/// Applies the policy of spec 4 to facts.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntegrityEvaluator;

impl IntegrityEvaluator {
    /// The grade of a run's evidence:
    ///
    /// - FAIL if something required is missing that no passing failure excuses, or a permanent failure is unresolved;
    /// - WARN if a transient failure is unresolved, or there is a gap, or the score is below 1;
    /// - PASS otherwise.
    ///
    /// Removing evidence never raises the grade.
    #[must_use]
    pub fn evaluate(self, facts: &IntegrityFacts, sealed: bool) -> IntegrityEvaluation {
        let missing_reasons = missing(facts);
        let score_permille = score(facts);
        let grade = grade(facts, &missing_reasons, score_permille);
        IntegrityEvaluation {
            score_permille,
            state: if sealed { IntegrityState::Sealed } else { IntegrityState::Pending },
            grade,
            integrity_status: if sealed { status_of(grade) } else { IntegrityStatus::Unknown },
            explanation: explanation(facts, &missing_reasons, grade),
            missing: missing_reasons.keys().copied().collect(),
            missing_reasons,
        }
    }
}

/// A sealed run's standing, from its grade.
#[must_use]
pub fn status_of(grade: IntegrityGrade) -> IntegrityStatus {
    match grade {
        IntegrityGrade::Pass => IntegrityStatus::Verified,
        IntegrityGrade::Warn => IntegrityStatus::Degraded,
        IntegrityGrade::Fail => IntegrityStatus::Failed,
    }
}

fn count(of: &ClassCounts, class: EvidenceClass) -> u64 {
    of.get(&class).copied().unwrap_or(0)
}

/// How many of a class are not there.
fn short(facts: &IntegrityFacts, class: EvidenceClass) -> u64 {
    count(&facts.expected, class).saturating_sub(count(&facts.observed, class))
}

/// Each class of which less is there than should be, with why.
fn missing(facts: &IntegrityFacts) -> BTreeMap<EvidenceClass, String> {
    let why = |class: EvidenceClass| {
        let (observed, expected) = (count(&facts.observed, class), count(&facts.expected, class));
        let (transient, permanent) =
            (count(&facts.transient_failures, class), count(&facts.permanent_failures, class));
        match (transient, permanent) {
            (0, 0) => format!("{observed} of {expected}, and no failed capture explains it"),
            (0, _) => format!("{observed} of {expected}: {permanent} capture(s) failed for good"),
            _ => format!("{observed} of {expected}: {transient} capture(s) failed and may be made good"),
        }
    };
    let is_short = |class: &&EvidenceClass| short(facts, **class) > 0;
    EXPECTED_EVIDENCE.iter().filter(is_short).map(|class| (*class, why(*class))).collect()
}

/// Observed of expected, in thousandths; no class counts for more than it should hold.
fn score(facts: &IntegrityFacts) -> u64 {
    let expected: u64 = EXPECTED_EVIDENCE.iter().map(|class| count(&facts.expected, *class)).sum();
    let absent: u64 = EXPECTED_EVIDENCE.iter().map(|class| short(facts, *class)).sum();
    (expected - absent).saturating_mul(1_000).checked_div(expected).unwrap_or(0)
}

fn grade(facts: &IntegrityFacts, missing: &BTreeMap<EvidenceClass, String>, score: u64) -> IntegrityGrade {
    let excused = |class: &EvidenceClass| short(facts, *class) <= count(&facts.transient_failures, *class);
    let any = |of: &ClassCounts| of.values().any(|count| *count > 0);
    if any(&facts.permanent_failures) || !missing.keys().all(excused) {
        IntegrityGrade::Fail
    } else if any(&facts.transient_failures) || facts.gaps > 0 || score < 1_000 {
        IntegrityGrade::Warn
    } else {
        IntegrityGrade::Pass
    }
}

fn explanation(
    facts: &IntegrityFacts,
    missing: &BTreeMap<EvidenceClass, String>,
    grade: IntegrityGrade,
) -> String {
    let mut parts: Vec<String> =
        missing.iter().map(|(class, why)| format!("class {class} ({}) {why}", name(*class))).collect();
    if facts.gaps > 0 {
        parts.push(format!("{} gap(s) after an outage", facts.gaps));
    }
    if parts.is_empty() {
        parts.push("all expected evidence is there".to_owned());
    }
    format!("{grade}: {}", parts.join("; "))
}

fn name(class: EvidenceClass) -> &'static str {
    match class {
        EvidenceClass::Run => "run",
        EvidenceClass::Trace => "steps",
        EvidenceClass::Environment => "environment",
        EvidenceClass::Activity => "activity",
        EvidenceClass::Provider => "provider",
        EvidenceClass::Decision => "decisions",
        EvidenceClass::Integrity => "integrity",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole() -> IntegrityFacts {
        let counts: ClassCounts = REQUIRED_EVIDENCE.iter().map(|class| (*class, 2)).collect();
        IntegrityFacts { expected: counts.clone(), observed: counts, ..IntegrityFacts::default() }
    }

    fn grade_of(facts: &IntegrityFacts) -> IntegrityGrade {
        IntegrityEvaluator.evaluate(facts, true).grade
    }

    #[test]
    fn whole_evidence_passes() {
        let evaluation = IntegrityEvaluator.evaluate(&whole(), true);
        assert_eq!((evaluation.grade, evaluation.score_permille), (IntegrityGrade::Pass, 1_000));
        assert_eq!(evaluation.integrity_status, IntegrityStatus::Verified);
        assert_eq!(evaluation.explanation, "PASS: all expected evidence is there");
    }

    #[test]
    fn a_missing_class_is_named_with_its_reason() {
        let mut facts = whole();
        facts.observed.insert(EvidenceClass::Provider, 1);
        let evaluation = IntegrityEvaluator.evaluate(&facts, true);
        assert_eq!(evaluation.grade, IntegrityGrade::Fail);
        assert_eq!(
            evaluation.explanation,
            "FAIL: class G (provider) 1 of 2, and no failed capture explains it"
        );
        facts.transient_failures.insert(EvidenceClass::Provider, 1);
        assert_eq!(grade_of(&facts), IntegrityGrade::Warn, "it may be made good");
        facts.permanent_failures.insert(EvidenceClass::Provider, 1);
        assert_eq!(grade_of(&facts), IntegrityGrade::Fail);
    }

    #[test]
    fn a_gap_is_a_warning() {
        assert_eq!(grade_of(&IntegrityFacts { gaps: 1, ..whole() }), IntegrityGrade::Warn);
    }

    #[test]
    fn an_open_run_has_no_standing() {
        let evaluation = IntegrityEvaluator.evaluate(&whole(), false);
        assert_eq!(evaluation.integrity_status, IntegrityStatus::Unknown);
        assert_eq!(evaluation.state, IntegrityState::Pending);
    }

    fn counts() -> impl Strategy<Value = ClassCounts> {
        proptest::collection::btree_map(proptest::sample::select(REQUIRED_EVIDENCE.to_vec()), 0_u64..4, 0..6)
    }

    proptest! {
        #[test]
        fn the_grade_never_rises_when_evidence_is_removed(
            expected in counts(), observed in counts(), transient in counts(), gaps in 0_u64..2,
            class in proptest::sample::select(REQUIRED_EVIDENCE.to_vec()),
        ) {
            let before = IntegrityFacts {
                expected, observed, transient_failures: transient, permanent_failures: ClassCounts::new(), gaps,
            };
            let mut after = before.clone();
            after.observed.entry(class).and_modify(|count| *count = count.saturating_sub(1));
            // The vocabulary lists the best grade first.
            prop_assert!(grade_of(&after) >= grade_of(&before));
        }
    }
}
