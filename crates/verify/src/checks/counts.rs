//! Do the numbers that are stated agree with what can be counted?

use std::collections::BTreeMap;

use proof::{
    records::{RecordKind, RunAfter, RunRecord},
    words::{Action, Assurance},
};
use serde::Deserialize;

use super::{Case, Outcome, Worst, chain::counted};
use crate::{document::Sealed, json::Parser, report::Finding};

/// Counts of records, steps and verdicts; grade and assurance; the run's totals.
pub(crate) fn counts(case: &Case<'_>) -> Outcome {
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
        for action in &document.sealed.actions {
            *tally.entry(*action).or_default() += 1;
        }
        worst.expect(tally == manifest.verdict_tally, || {
            "the tally of verdicts is not that of the decisions".to_owned()
        });
    }
    if case.whole(RecordKind::Integrity) {
        let grade = document.sealed.integrity.last().map(|integrity| integrity.grade);
        worst
            .expect(grade == manifest.grade, || "the grade is not that of the integrity evidence".to_owned());
    }
    assurance(case, &mut worst);
    if let [run] = document.sealed.run.as_slice() {
        worst.expect(run.assurance == manifest.assurance, || {
            "the assurance is not that of the run".to_owned()
        });
        if case.whole(RecordKind::Step) {
            totals(run, &document.sealed, &mut worst);
        }
    }
    let records: u64 = manifest.record_counts.values().sum();
    worst.or_else(|| format!("{records} records of {} kinds, as stated", manifest.record_counts.len()))
}

/// The assurance of the run as it stands is that of the statement, lowered by a gap that came late.
fn assurance(case: &Case<'_>, worst: &mut Worst) {
    let (document, manifest) = (case.document, case.manifest);
    let addenda = &document.after.addenda;
    if addenda.len() < manifest.after.addenda.len() {
        return;
    }
    let late = addenda.iter().any(|addendum| {
        addendum.value.added.lines.get(&RecordKind::Gap).is_some_and(|lines| !lines.is_empty())
    });
    let standing = if late { Assurance::Reported } else { manifest.assurance };
    worst.expect(document.after.run.value.assurance == standing, || {
        "the assurance is not that of records/after/run".to_owned()
    });
}

/// The sealed run's totals are what its last step left it with.
fn totals(run: &RunRecord, sealed: &Sealed, worst: &mut Worst) {
    worst.expect((run.step_count, run.refused_count) == counted(&sealed.steps), || {
        "the run counts other steps than there are".to_owned()
    });
    let Some(left) = &sealed.run_after else { return };
    let Ok(after) = RunAfter::deserialize(&mut Parser::new(left)) else {
        worst.found(Finding::tampered("the last step does not say how it left the run"));
        return;
    };
    let left =
        (after.step_count, after.refused_count, after.cost_microusd, after.input_tokens, after.output_tokens);
    let stated = (run.step_count, run.refused_count, run.cost_microusd, run.input_tokens, run.output_tokens);
    worst.expect(left == stated, || "the run's totals are not those that its last step left".to_owned());
}
