//! What has been seen of a tenant: its steps, each read once.

use std::collections::BTreeMap;

use models::logs::StepRow;
use proof::{
    hash,
    records::{Record, StepRecord},
    segment::{FEED, open},
};
use serde_json::Value;

/// A tenant as it was seen so far. What a segment holds never changes, so none is opened twice.
#[derive(Default)]
pub(super) struct Seen {
    /// The steps of each run.
    steps: BTreeMap<String, Vec<StepRow>>,
    /// How many records of each run were read.
    records: BTreeMap<String, u64>,
    /// Runs that a person has ended, as they were when that was seen first.
    pub(super) killed: BTreeMap<String, Value>,
}

impl Seen {
    /// Which segments were not read yet, as a condition on `run_segments`.
    pub(super) fn unread(&self) -> String {
        let read = |(run, records): (&String, &u64)| {
            format!("('{}'::uuid, {records}::bigint)", run.trim_start_matches("run_"))
        };
        let read: Vec<String> = self.records.iter().map(read).collect();
        if read.is_empty() {
            return "true".to_owned();
        }
        let of_run = "k.run = run_segments.run_id AND run_segments.first_record < k.records";
        format!("NOT EXISTS (SELECT 1 FROM (VALUES {}) AS k (run, records) WHERE {of_run})", read.join(", "))
    }

    /// Reads a segment, which must be the next of its run.
    pub(super) fn read(&mut self, segment: &Value) -> Result<(), String> {
        let run = segment["run"].as_str().unwrap();
        let number = |name: &str| segment[name].as_i64().unwrap();
        let records = self.records.entry(run.to_owned()).or_default();
        if i64::try_from(*records) != Ok(number("first")) {
            return Err(format!(
                "{run}: the segment after {records} records says that there are {}",
                number("first")
            ));
        }
        let body = hex::decode(segment["body"].as_str().unwrap()).unwrap();
        let length = usize::try_from(number("length")).unwrap();
        let lines = open(number("codec"), &body, length).map_err(|why| format!("{run}: {why}"))?;
        let steps = self.steps.entry(run.to_owned()).or_default();
        for line in lines.split(|byte| *byte == FEED) {
            *records += 1;
            let record: Record = serde_json::from_slice(line).map_err(|err| format!("{run}: {err}"))?;
            if let Record::Step(step) = record {
                steps.push(StepRow::new(step, hash::leaf(line)));
            }
        }
        Ok(())
    }

    /// All steps.
    pub(super) fn steps(&self) -> impl Iterator<Item = &StepRow> {
        self.steps.values().flatten()
    }

    /// The steps of a run.
    pub(super) fn of_run(&self, run: &str) -> impl Iterator<Item = &StepRecord> {
        self.steps.get(run).into_iter().flatten().map(|step| &step.record)
    }
}
