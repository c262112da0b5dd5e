//! Do the numbers that are stated agree with what can be counted?

use std::collections::BTreeMap;

use proof::{records::RecordKind, words::Action};

use super::{
    Case, Outcome, Worst,
    standing::standing,
    totals::{self, Sealed},
};
use crate::report::Finding;

/// Counts of records, steps and verdicts; grade and assurance; the run's totals, which are kept in `totals`.
pub(crate) fn counts(case: &Case<'_>, totals: &mut Option<Sealed>) -> Outcome {
    let (document, manifest) = (case.document, case.manifest);
    let mut worst = Worst::default();
    for kind in RecordKind::ALL {
        let listed = case.listed(*kind).len() as u64;
        match manifest.record_counts.get(kind).copied() {
            Some(stated) if stated == listed => {}
            Some(stated) if stated > listed => {
                worst.found(Finding::truncated(format!(
                    "the statement counts {stated} {kind} and lists {listed}"
                )));
            }
            stated => {
                let stated = stated.unwrap_or_default();
                worst.found(Finding::tampered(format!(
                    "the statement counts {stated} {kind} and lists {listed}"
                )));
            }
        }
    }
    if case.whole(RecordKind::Decision) {
        let mut tally: BTreeMap<Action, u64> = BTreeMap::new();
        for decision in document.sealed.gist.decisions.iter() {
            *tally.entry(decision.action).or_default() += 1;
        }
        worst.expect(tally == manifest.verdict_tally, || {
            "the tally of verdicts is not that of the decisions".to_owned()
        });
    }
    if case.whole(RecordKind::Integrity) {
        let grade = document.sealed.gist.integrity.last().map(|integrity| integrity.grade);
        worst
            .expect(grade == manifest.grade, || "the grade is not that of the integrity evidence".to_owned());
    }
    standing(case, &mut worst);
    *totals = totals::sealed(case, &mut worst);
    let records: u64 = manifest.record_counts.values().sum();
    let uses = if matches!(totals, Some((_, None))) {
        "; what steps used was not counted anew: another version counted it"
    } else {
        ""
    };
    let kinds = manifest.record_counts.values().filter(|count| **count > 0).count();
    worst.or_else(|| format!("{records} records of {kinds} kinds, as stated{uses}"))
}
