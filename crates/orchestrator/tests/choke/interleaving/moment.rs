//! One moment of a tenant's limits: what is counted against what its steps used, and what was admitted against what
//! there is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use proof::{
    records::StepRecord,
    words::{StepSource, StepStatus},
};
use serde_json::{Value, json};

use super::seen::Seen;

/// The rows of one statement, each of which says in `row` what it is.
pub(super) struct Moment(Vec<Value>);

impl Moment {
    pub(super) fn of(rows: Vec<Value>) -> Self {
        Self(rows)
    }

    fn rows(&self, of: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |row| row["row"] == of)
    }

    pub(super) fn check(&self, seen: &mut Seen) -> Result<(), String> {
        let mut segments: Vec<&Value> = self.rows("segment").collect();
        segments.sort_by_key(|segment| segment["first"].as_u64());
        for segment in segments {
            seen.read(segment)?;
        }
        self.check_limits(seen)?;
        self.check_runs(seen)?;
        self.check_killed(seen)
    }

    /// The steps that count are those that the limits have counted. A span has happened, and asks nobody.
    fn check_limits(&self, seen: &Seen) -> Result<(), String> {
        let place = |row| (text(row, "run"), number(row, "step"));
        let uncounted: BTreeSet<(&str, u64)> = self.rows("uncounted").map(place).collect();
        let (mut steps, mut tokens, mut admitted_steps, mut admitted_tokens) = (0, 0, 0, 0);
        for step in seen.steps().map(|row| &row.record) {
            let used = step.input_tokens + step.output_tokens;
            steps += u64::from(step.status != StepStatus::Refused);
            if !uncounted.contains(&(step.run_id.as_str(), step.step_index)) {
                tokens += used;
            }
            if is_admitted(step) {
                admitted_steps += 1;
                admitted_tokens += used;
            }
        }
        let limits: Vec<&Value> = self.rows("limit").collect();
        if limits.len() != 2 {
            return Err(format!("two limits with one window each: {limits:#?}"));
        }
        for limit in limits {
            let (spent, admitted) = match text(limit, "limit") {
                "STEPS" => (steps, admitted_steps),
                _ => (tokens, admitted_tokens),
            };
            let number = |name: &str| number(limit, name);
            if number("used") != spent || number("reserved") != number("held") {
                return Err(format!(
                    "what is counted is not what the rows say, which spent {spent}: {limit}"
                ));
            }
            if admitted + number("held") > number("max") {
                return Err(format!("more was admitted than there is, {admitted}: {limit}"));
            }
        }
        Ok(())
    }

    /// Of a run's steps some may be of a permit that had lapsed by another replica's clock, which may have given its
    /// room away.
    fn check_runs(&self, seen: &Seen) -> Result<(), String> {
        let end = |row| (text(row, "id"), row["expires"].as_i64().unwrap());
        let ends: BTreeMap<&str, i64> = self.rows("permit").map(end).collect();
        let may_have_lapsed = |step: &&StepRecord| {
            let recorded = DateTime::parse_from_rfc3339(&step.recorded_at).unwrap().timestamp_micros();
            let end = step.permit_id.as_deref().and_then(|permit| ends.get(permit));
            end.is_some_and(|end| *end <= recorded + 1_000_000)
        };
        for run in self.rows("run") {
            let admitted: Vec<_> = seen.of_run(text(run, "run")).filter(|step| is_admitted(step)).collect();
            let doubtful = admitted.iter().copied().filter(may_have_lapsed).count() as u64;
            if admitted.len() as u64 + number(run, "held") > number(run, "max") + doubtful {
                let admitted = admitted.len();
                return Err(format!(
                    "{admitted} were admitted, {doubtful} of them in doubt, in a run: {run}"
                ));
            }
        }
        Ok(())
    }

    /// A run that was killed is as it was then: nothing passes, and no refusal is recorded. Of its spans it has what
    /// was told by then.
    fn check_killed(&self, seen: &mut Seen) -> Result<(), String> {
        for row in self.rows("killed") {
            let run = text(row, "run");
            let steps = seen.of_run(run).filter(|step| step.source != StepSource::External).count();
            let now = json!({ "run": run, "steps": steps, "permits": row["permits"] });
            let before = seen.killed.entry(run.to_owned()).or_insert_with(|| now.clone());
            if *before != now {
                return Err(format!("a run went on after it was killed: {before}, and now {now}"));
            }
        }
        Ok(())
    }
}

/// Whether somebody asked for the step, and was let.
fn is_admitted(step: &StepRecord) -> bool {
    step.status != StepStatus::Refused && step.source != StepSource::External
}

fn text<'r>(row: &'r Value, name: &str) -> &'r str {
    row[name].as_str().unwrap()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap()
}
