//! What is asked of decisions as they are made again: one after another, for they are too many to be held.

use std::iter;

use proof::{
    hash::Hash,
    records::{DecisionRecord, RecordKind},
};
use rules::{CompiledSnapshot, ENGINE_VERSION, SCHEMA_VERSION, reexecute::ReexecuteError};

use super::{Case, Outcome, Worst, effects::Effects, facts::Facts};
use crate::{
    document::Added,
    report::{Finding, Findings},
};

/// The three checks of decisions, as far as they have come.
pub(crate) struct Again<'c> {
    case: &'c Case<'c>,
    snapshot: CompiledSnapshot,
    reexecuted: Reexecuted,
    facts: Option<Facts<'c>>,
    effects: Option<Effects>,
    /// The addendum whose decisions come; none of the sealed ones.
    late: Option<usize>,
    /// How many of them have come.
    came: usize,
    /// How many have come in all.
    shown: usize,
    /// They are not those that were read before.
    is_changed: bool,
}

impl<'c> Again<'c> {
    pub(crate) fn begin(case: &'c Case<'c>) -> Self {
        Self {
            case,
            snapshot: CompiledSnapshot::compile(&case.document.sealed.snapshot.value.definition),
            reexecuted: Reexecuted::default(),
            facts: Facts::begin(case),
            effects: Effects::begin(case),
            late: None,
            came: 0,
            shown: 0,
            is_changed: false,
        }
    }

    /// The next decision, of that addendum where it is late.
    pub(crate) fn decision(&mut self, late: Option<usize>, decision: &DecisionRecord, hash: Hash) {
        if late != self.late {
            self.leave();
            (self.late, self.came) = (late, 0);
            let addendum = self.addendum();
            if let (Some(facts), Some(addendum)) = (&mut self.facts, addendum) {
                facts.go_to(&addendum.gist);
            }
        }
        self.is_changed |= self.read_before().get(self.came) != Some(&hash);
        self.came += 1;
        self.shown += 1;
        self.reexecuted.decision(decision, &self.snapshot);
        if let Some(facts) = &mut self.facts {
            facts.decision(decision, hash);
        }
        if let Some(effects) = &mut self.effects {
            effects.decision(decision, &self.snapshot);
        }
    }

    /// There are no more: whether they were all of those that were read before. Of a part of which none came nobody
    /// was told, so they are counted in all as well.
    pub(crate) fn over(&mut self) -> bool {
        self.leave();
        let document = self.case.document;
        let late = document.after.addenda.iter().map(|addendum| &addendum.value.added.lines);
        let all = iter::once(&document.sealed.lines).chain(late);
        self.is_changed |=
            self.shown != all.map(|lines| lines.of_kind(RecordKind::Decision).len()).sum::<usize>();
        !self.is_changed
    }

    /// There are no more of the part that they are of.
    fn leave(&mut self) {
        self.is_changed |= self.came != self.read_before().len();
    }

    /// What was found.
    pub(crate) fn note(self, findings: &mut Findings) {
        let (outcome, left_out) = self.reexecuted.end();
        findings.note_part("reexecute", outcome, left_out);
        let missing = "records are missing, so the facts are not held against them";
        let (outcome, left_out) = self.facts.map_or_else(|| (Ok(missing.to_owned()), true), Facts::end);
        findings.note_part("facts", outcome, left_out);
        let missing = "records are missing, so what follows from decisions is not looked for";
        let case = self.case;
        let (outcome, left_out) =
            self.effects.map_or_else(|| (Ok(missing.to_owned()), true), |effects| effects.end(case));
        findings.note_part("effects", outcome, left_out);
    }

    fn addendum(&self) -> Option<&'c Added> {
        let addendum = self.case.document.after.addenda.get(self.late?)?;
        Some(&addendum.value.added)
    }

    fn read_before(&self) -> &'c [Hash] {
        let lines = match (self.late, self.addendum()) {
            (None, _) => &self.case.document.sealed.lines,
            (Some(_), Some(addendum)) => &addendum.lines,
            (Some(_), None) => return &[],
        };
        lines.of_kind(RecordKind::Decision)
    }
}

/// Every decision that is here follows from the snapshot and its own inputs.
#[derive(Default)]
struct Reexecuted {
    worst: Worst,
    alike: u64,
    other: u64,
    /// The first engine that made others.
    by: Option<String>,
}

impl Reexecuted {
    fn decision(&mut self, decision: &DecisionRecord, snapshot: &CompiledSnapshot) {
        match snapshot.reexecute(decision) {
            Ok(found) if found.matches => self.alike += 1,
            Ok(found) => {
                let parts: Vec<&str> = found.differences.iter().map(|it| it.part.as_str()).collect();
                let detail =
                    format!("decision {} comes out otherwise: {}", decision.decision_id, parts.join(", "));
                self.worst.found(Finding::tampered(detail));
            }
            Err(ReexecuteError::OtherEngine { engine, .. }) => {
                self.other += 1;
                self.by.get_or_insert(engine);
            }
            Err(why) => {
                self.worst.found(Finding::tampered(format!(
                    "decision {} cannot be decided: {why}",
                    decision.decision_id
                )));
            }
        }
    }

    /// Also whether some were left out, which another engine made.
    fn end(self) -> (Outcome, bool) {
        let Self { mut worst, alike, other, by } = self;
        let by = by.unwrap_or_default();
        // What nobody looked at is not well: who signs says which engine decided.
        if other > 0 && alike == 0 {
            worst.found(Finding::not_reexecuted(format!(
                "none of {other} decisions was decided again: they are by {by}, and this is {ENGINE_VERSION} on \
                 {SCHEMA_VERSION}; the program of the build that made them, which the environment evidence names, decides them"
            )));
        }
        let outcome = worst.or_else(|| match other {
            0 => format!("{alike} decisions decided again, alike"),
            _ => format!("{alike} decisions decided again, alike; {other} by another engine ({by}) were not"),
        });
        (outcome, other > 0)
    }
}
