//! Whether the numbers that are kept beside a run's steps follow from the steps: which of them count, and what they add
//! up to. These numbers are not hashed with the steps, and a row can be added past HOC, so they are worked out anew.

use std::collections::BTreeMap;

use models::{activity::Run, logs::Uncounted};
use proof::{
    canonical::MAX_INTEGER,
    records::{DecisionRecord, StepRecord},
    tally::{self, Counted, Tally, Told},
    words::{StepKind, StepStatus},
};

use crate::coordinators::sealed_records::Came;

/// What the steps of a run come to, as far as they were met, which is in order; and what is stored of that.
pub(super) struct Counting {
    /// The steps that are said not to count, and whether that leaves a cost in doubt.
    stored: BTreeMap<u64, bool>,
    /// Those that do not count as their tree says.
    due: BTreeMap<u64, bool>,
    tree: Tally,
    /// There is a step in a tree, and a decision that names another version of the tally.
    is_in_tree: bool,
    is_of_another: bool,
    in_time: Totals,
    late: Totals,
}

impl Counting {
    pub(super) fn of(uncounted: &[Uncounted]) -> Self {
        Self {
            stored: uncounted.iter().map(|of| (of.step_index, of.in_doubt)).collect(),
            due: BTreeMap::new(),
            tree: Tally::default(),
            is_in_tree: false,
            is_of_another: false,
            in_time: Totals::default(),
            late: Totals::default(),
        }
    }

    /// Whether this version of the tally decided which of the steps count: each decision names the one that did, and
    /// steps that are in no tree count for each of them.
    fn is_known(&self) -> bool {
        !(self.is_in_tree && self.is_of_another)
    }

    /// Whether a step is said to count.
    pub(super) fn counts(&self, step: u64) -> bool {
        !self.stored.contains_key(&step)
    }

    /// Meets a decision.
    pub(super) fn decision(&mut self, decision: &DecisionRecord) {
        self.is_of_another |= !tally::counts_alike(&decision.engine_version);
    }

    /// Meets the next step.
    pub(super) fn step(&mut self, step: &StepRecord, came: Came) {
        self.is_in_tree |= step.external_span_id.is_some();
        // They add up as they are stored. Where the tree says otherwise of any, that is told first.
        let counts = self.counts(step.step_index);
        match came {
            Came::InTime => self.in_time.add(step, counts, is_refused(step)),
            Came::Late => {
                // It has happened, and is a step whatever it was.
                self.late.add(step, counts, false);
            }
        }
        if self.is_known() {
            self.grow(step, came);
        } else {
            // What another version said of each step is taken at its word; what they add up to is not.
            self.tree = Tally::default();
            self.due.clear();
        }
    }

    /// Notes which steps do not count, as their tree says with this one.
    fn grow(&mut self, step: &StepRecord, came: Came) {
        let index = step.step_index;
        if came == Came::Late {
            let late = self.tree.come_late(Told::of(step));
            if !late.counts {
                self.due.insert(index, late.is_in_doubt);
            }
            return;
        }
        let Counted { counts, no_longer } = self.tree.add(Told::of(step));
        let own = Some(index).filter(|_| !counts);
        // As it was known with this step, when it was written.
        self.due.extend(no_longer.into_iter().chain(own).map(|at| (at, self.tree.is_in_doubt(at))));
    }

    /// The first comparison that fails, in words, once all steps were met.
    pub(super) fn check(&self, run: &Run) -> Result<(), String> {
        if self.is_known() {
            self.check_each()?;
        }
        let Totals { steps, refused, llm_calls, tool_calls, .. } = self.in_time;
        let due = (steps.saturating_sub(refused), refused, llm_calls, tool_calls);
        let stated = (run.step_count, run.refused_count, run.llm_call_count, run.tool_call_count);
        let used = [run.input_tokens, run.output_tokens, run.cost_nanousd];
        if stated != due || !self.in_time.adds_up_to(used) {
            return Err("the run's totals are not those of its steps".to_owned());
        }
        // What came late is counted beside the totals that were sealed.
        let stated = run.late.clone().unwrap_or_default();
        let of_late = (stated.step_count, stated.llm_call_count, stated.tool_call_count);
        let Totals { steps, llm_calls, tool_calls, .. } = self.late;
        let used = [stated.input_tokens, stated.output_tokens, stated.cost_nanousd];
        if of_late != (steps, llm_calls, tool_calls) || !self.late.adds_up_to(used) {
            return Err("the run's late totals are not those of its late steps".to_owned());
        }
        Ok(())
    }

    /// Whether what is said of each step is what the tree says.
    fn check_each(&self) -> Result<(), String> {
        let of_step = |step: &u64| (self.stored.get(step), self.due.get(step));
        let differs = |step: &&u64| self.stored.get(*step) != self.due.get(*step);
        let Some(step) = self.stored.keys().chain(self.due.keys()).filter(differs).min() else {
            return Ok(());
        };
        let said = match of_step(step) {
            (None, _) => "counts",
            (_, None) => "does not count",
            (Some(true), _) => "leaves a cost in doubt",
            (Some(false), _) => "leaves no cost in doubt",
        };
        Err(format!("step {step} is said to be one that {said}, and the run's steps say otherwise"))
    }
}

fn is_refused(step: &StepRecord) -> bool {
    step.status == StepStatus::Refused
}

/// What some steps add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    steps: u64,
    refused: u64,
    /// Of the steps that count.
    llm_calls: u64,
    tool_calls: u64,
    /// Tokens in and out, and the cost: of all steps, and of those that count.
    all: [u128; 3],
    counting: [u128; 3],
}

impl Totals {
    fn add(&mut self, step: &StepRecord, counts: bool, is_refused: bool) {
        self.steps += 1;
        self.refused += u64::from(is_refused);
        let is_call = |kind: StepKind| u64::from(counts && !is_refused && step.kind == kind);
        self.llm_calls += is_call(StepKind::LlmCall);
        self.tool_calls += is_call(StepKind::ToolCall);
        let used = [step.input_tokens, step.output_tokens, step.cost_nanousd].map(u128::from);
        for (at, used) in used.into_iter().enumerate() {
            self.all[at] += used;
            self.counting[at] += if counts { used } else { 0 };
        }
    }

    /// Whether tokens in and out and cost are what the counting ones of these steps used. Where all of them together
    /// are as much as a record holds, or more, the sums may have been cut, and say nothing.
    fn adds_up_to(&self, stated: [u64; 3]) -> bool {
        (0..3)
            .all(|at| self.all[at] >= u128::from(MAX_INTEGER) || self.counting[at] == u128::from(stated[at]))
    }
}

#[cfg(test)]
mod tests {
    use proof::{
        records::{DecisionRecord, Record},
        words::{Action, Asked, Moment, OutcomeCategory, StepLevel, StepSource},
    };
    use serde_json::json;

    use super::*;

    fn decision(engine_version: &str) -> Record {
        Record::Decision(DecisionRecord {
            tenant_id: "ten_1".to_owned(),
            run_id: "run_1".to_owned(),
            decision_id: "dec_1".to_owned(),
            seq: 0,
            moment: Moment::StepBoth,
            step_index: Some(0),
            permit_id: None,
            snapshot_digest: String::new(),
            engine_version: engine_version.to_owned(),
            schema_version: rules::SCHEMA_VERSION.to_owned(),
            facts: String::new(),
            limit_inputs: String::new(),
            fired: String::new(),
            limits: String::new(),
            action: Action::Allow,
            would_have: None,
            halt_reason: None,
            deciding_policy_id: None,
            intervention: None,
            overridden_by: None,
            permit_note: None,
            permit_required: false,
            decided_at: String::new(),
        })
    }

    fn step(span: Option<&str>) -> Record {
        let step = json!({
            "tenant_id": "ten_1", "run_id": "run_1", "trace_id": "trc_1", "step_index": 0,
            "kind": StepKind::LlmCall, "skill_name": "x", "status": StepStatus::Success, "asked": Asked::After,
            "outcome_category": OutcomeCategory::ALL[0], "input_tokens": 1, "output_tokens": 1,
            "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0, "cost_nanousd": 0,
            "cost_known": true, "duration_ms": 0, "retry_count": 0, "recorded_at": "",
            "level": StepLevel::ALL[0], "source": StepSource::ALL[0], "external_span_id": span,
            "input_hash": "", "output_hash": "", "run_after": "", "determinism_hash": "", "prev_hash": "",
        });
        Record::Step(serde_json::from_value(step).expect("a step"))
    }

    fn counted_here(sealed: &[Record], late: &[Record]) -> bool {
        let mut counting = Counting::of(&[]);
        for (records, came) in [(sealed, Came::InTime), (late, Came::Late)] {
            for record in records {
                match record {
                    Record::Decision(decision) => counting.decision(decision),
                    Record::Step(step) => counting.step(step, came),
                    other => panic!("{other:?}"),
                }
            }
        }
        counting.is_known()
    }

    #[test]
    fn what_another_version_counted_of_a_tree_is_not_counted_here() {
        let (own, older) = (rules::ENGINE_VERSION, "hoc-rules/5 cedar-language/4.6.0");
        let (in_tree, in_none) = (step(Some("00000000000000a1")), step(None));
        for (sealed, late, expected) in [
            (vec![decision(own), in_tree.clone()], vec![], true),
            (vec![decision(older), in_tree.clone()], vec![], false),
            (vec![decision(own), decision(older), in_tree.clone()], vec![], false),
            (vec![decision(own), in_tree.clone()], vec![decision(older)], false),
            (vec![decision(older), in_none], vec![], true),
            (vec![], vec![], true),
        ] {
            assert_eq!(counted_here(&sealed, &late), expected, "{sealed:?} {late:?}");
        }
    }
}
