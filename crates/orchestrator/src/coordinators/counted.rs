//! Whether the numbers that are kept beside a run's steps follow from the steps: which of them count, and what they add
//! up to. These numbers are not hashed with the steps, and a row can be added past HOC, so they are worked out anew.

use std::collections::{BTreeMap, BTreeSet};

use models::{activity::Run, logs::Uncounted};
use proof::{
    canonical::MAX_INTEGER,
    records::{Record, StepRecord},
    tally::{self, Counted, Tally, Told},
    words::{StepKind, StepStatus},
};

/// The places of the steps that do not count, those that are stored where another version of the tally decided it; or
/// the first comparison that fails, in words. The records of each kind are in order.
pub(super) fn check(
    run: &Run,
    uncounted: &[Uncounted],
    records: &[Record],
    late: &[Record],
) -> Result<BTreeSet<u64>, String> {
    let stored: BTreeMap<u64, bool> = uncounted.iter().map(|of| (of.step_index, of.in_doubt)).collect();
    let is_known = counted_here([records, late]);
    let (sealed, late) = (steps(records), steps(late));
    // What another version said of each step is taken at its word; what they add up to is not.
    let due = if is_known { not_counting(&sealed, &late) } else { stored.clone() };
    let of_step = |step: &u64| (stored.get(step), due.get(step));
    // Of steps that came in time no doubt was said by builds before, of the same version of the tally.
    let first_late = late.first().map_or(u64::MAX, |step| step.step_index);
    let differs = |step: &&u64| match of_step(step) {
        (Some(false), Some(true)) => **step >= first_late,
        (said, is) => said != is,
    };
    if let Some(step) = stored.keys().chain(due.keys()).filter(differs).min() {
        let said = match of_step(step) {
            (None, _) => "counts",
            (_, None) => "does not count",
            (Some(true), _) => "leaves a cost in doubt",
            (Some(false), _) => "leaves no cost in doubt",
        };
        return Err(format!("step {step} is said to be one that {said}, and the run's steps say otherwise"));
    }
    let due: BTreeSet<u64> = due.into_keys().collect();
    let counting = counting(&sealed, &due);
    let refused = sealed.iter().filter(|step| is_refused(step)).count() as u64;
    let calls =
        |kind: StepKind| counting.iter().filter(|step| step.kind == kind && !is_refused(step)).count() as u64;
    let done = (sealed.len() as u64).saturating_sub(refused);
    let due_of_run = (done, refused, calls(StepKind::LlmCall), calls(StepKind::ToolCall));
    let of_run = (run.step_count, run.refused_count, run.llm_call_count, run.tool_call_count);
    let used = [run.input_tokens, run.output_tokens, run.cost_nanousd];
    if of_run != due_of_run || !adds_up(used, &sealed, &counting) {
        return Err("the run's totals are not those of its steps".to_owned());
    }
    late_totals(run, &late, &due)?;
    Ok(due)
}

/// Whether this version of the tally decided which of the steps count: each decision names the one that did, and steps
/// that are in no tree count for each of them.
fn counted_here(records: [&[Record]; 2]) -> bool {
    let all = || records.into_iter().flatten();
    let is_in_tree =
        |record: &Record| matches!(record, Record::Step(step) if step.external_span_id.is_some());
    let is_of_another = |record: &Record| matches!(record, Record::Decision(decision) if !tally::counts_alike(&decision.engine_version));
    !(all().any(is_in_tree) && all().any(is_of_another))
}

/// What came late is counted beside the totals that were sealed. It has happened, and is a step whatever it was.
fn late_totals(run: &Run, late: &[&StepRecord], due: &BTreeSet<u64>) -> Result<(), String> {
    let stated = run.late.clone().unwrap_or_default();
    let counting = counting(late, due);
    let calls = |kind: StepKind| counting.iter().filter(|step| step.kind == kind).count() as u64;
    let due_of_late = (late.len() as u64, calls(StepKind::LlmCall), calls(StepKind::ToolCall));
    let of_late = (stated.step_count, stated.llm_call_count, stated.tool_call_count);
    let used = [stated.input_tokens, stated.output_tokens, stated.cost_nanousd];
    if of_late == due_of_late && adds_up(used, late, &counting) {
        Ok(())
    } else {
        Err("the run's late totals are not those of its late steps".to_owned())
    }
}

/// The places of the steps that do not count, as their tree says, and whether they leave a cost in doubt.
fn not_counting(sealed: &[&StepRecord], late: &[&StepRecord]) -> BTreeMap<u64, bool> {
    let (mut tally, mut not) = (Tally::default(), BTreeMap::new());
    for step in sealed {
        let Counted { counts, no_longer } = tally.add(Told::of(step));
        let own = Some(step.step_index).filter(|_| !counts);
        // As it was known with this step, when it was written.
        not.extend(no_longer.into_iter().chain(own).map(|at| (at, tally.is_in_doubt(at))));
    }
    for step in late {
        let came = tally.come_late(Told::of(step));
        if !came.counts {
            not.insert(step.step_index, came.is_in_doubt);
        }
    }
    not
}

fn steps(records: &[Record]) -> Vec<&StepRecord> {
    let steps = records.iter().filter_map(|record| match record {
        Record::Step(step) => Some(step),
        _ => None,
    });
    steps.collect()
}

fn counting<'r>(steps: &[&'r StepRecord], due: &BTreeSet<u64>) -> Vec<&'r StepRecord> {
    steps.iter().copied().filter(|step| !due.contains(&step.step_index)).collect()
}

fn is_refused(step: &StepRecord) -> bool {
    step.status == StepStatus::Refused
}

/// Whether tokens in and out and cost are what the counting ones of these steps used. Where all of them together are as
/// much as a record holds, or more, the sums may have been cut, and say nothing.
fn adds_up(stated: [u64; 3], all: &[&StepRecord], counting: &[&StepRecord]) -> bool {
    let used = |step: &StepRecord| [step.input_tokens, step.output_tokens, step.cost_nanousd].map(u128::from);
    let sum = |steps: &[&StepRecord]| {
        steps.iter().fold([0_u128; 3], |sums, step| {
            let used = used(step);
            [sums[0] + used[0], sums[1] + used[1], sums[2] + used[2]]
        })
    };
    let (all, counting) = (sum(all), sum(counting));
    (0..3).all(|at| all[at] >= u128::from(MAX_INTEGER) || counting[at] == u128::from(stated[at]))
}

#[cfg(test)]
mod tests {
    use proof::{
        records::DecisionRecord,
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
            assert_eq!(counted_here([&sealed, &late]), expected, "{sealed:?} {late:?}");
        }
    }
}
