//! The segments of a run, one after another: what is whole is read, and what is missing is named.
//!
//! Each goes on where the one before ends. What one that does not open says of itself is not believed further than the
//! next one allows: that ends it.

use entities::logs::run_segments::Model;
use models::logs::StepRow;
use proof::{canonical::MAX_INTEGER, segment::MissingSegment};

use super::{lines::RunRecords, open::open};
use crate::{StoreError, logs::contents::Named};

/// What the segments of a run hold, and what of it is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HeldRecords {
    /// What could be read.
    pub(crate) records: RunRecords,
    /// The segments that are not there, or not what was recorded, in order.
    pub(crate) missing: Vec<MissingSegment>,
    /// The texts that the steps name.
    pub(crate) named: Named,
    /// Where the next segment begins.
    pub(super) next: Place,
    /// The last one did not open, so where it ends is its own word.
    is_unsure: bool,
}

/// Where a segment begins, or ends: how many records, and steps, come before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How many records.
    pub records: u64,
    /// How many steps.
    pub steps: u64,
}

impl Place {
    pub(super) fn of(row: &Model) -> Self {
        Self { records: count(row.first_record), steps: count(row.first_step) }
    }
}

/// A column that says less than nothing says nothing, and one that says more than any run has says the most: what is
/// made of it stands in bundles, which hold no larger number.
fn count(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0).min(MAX_INTEGER)
}

/// That the records from one place up to another are not there. One that no run has is nobody's to be told of.
fn gone(from: u64, to: u64) -> String {
    if to < MAX_INTEGER {
        format!("the records {from} to {} are not there", to - 1)
    } else {
        format!("the records from {from} on are not there: the next segment says that it is behind any")
    }
}

/// What is wrong with a segment, in words.
pub(super) fn why(err: StoreError) -> String {
    match err {
        StoreError::Corrupt { why, .. } => why,
        other => other.to_string(),
    }
}

impl HeldRecords {
    /// Of a stretch of a run that begins somewhere.
    pub(super) fn begun_at(next: Place) -> Self {
        Self { next, ..Self::default() }
    }

    /// Goes on with a segment.
    pub(super) fn meet(&mut self, row: &Model) {
        self.meet_by(row, Self::add);
    }

    /// Goes on with a segment, of which `add` takes what it holds, all of it or nothing.
    pub(super) fn meet_by(&mut self, row: &Model, add: impl FnOnce(&mut Self, &Model) -> Result<(), String>) {
        let begins = Place::of(row);
        if !self.is_unsure && begins.records < self.next.records {
            let why = format!("there is a segment with the records up to {} already", self.next.records);
            self.missing.push(MissingSegment {
                first_record: begins.records,
                first_step: self.next.steps,
                record_count: 0,
                step_count: 0,
                why,
            });
            if row.step_count <= 0 || begins.steps != self.next.steps {
                return;
            }
            // Its steps are those that come next: it is in its place, and the one before is not.
            self.next.records = begins.records;
        }
        // Behind one that does not open it is not known how many steps there were.
        let passed = if self.is_unsure { 0 } else { self.next.steps };
        self.reach(begins);
        let due = self.next.steps.max(passed);
        let opened = if begins.steps == due {
            add(self, row)
        } else {
            Err(format!("first_step: it begins with step {}, and step {due} is the next", begins.steps))
        };
        let (records, steps) = (count(row.record_count), count(row.step_count));
        let end = |begin: u64, count: u64| begin.saturating_add(count).min(MAX_INTEGER);
        self.next = Place { records: end(begins.records, records), steps: end(due, steps) };
        self.is_unsure = opened.is_err();
        self.missing.extend(opened.err().map(|why| MissingSegment {
            first_record: begins.records,
            first_step: due,
            record_count: records,
            step_count: steps,
            why,
        }));
    }

    /// Adds what a segment holds, all of it or nothing.
    fn add(&mut self, row: &Model) -> Result<(), String> {
        let (before, steps) = (self.records.mark(), self.records.steps.len());
        open(row, &mut self.records).map_err(|err| {
            self.records.back_to(before);
            why(err)
        })?;
        self.named.note(count(row.first_record), self.records.steps.iter().skip(steps));
        Ok(())
    }

    /// The next segment begins here, or the run ends: what is not there up to it is named.
    pub(super) fn reach(&mut self, at: Place) {
        if let Some(last) = self.missing.last_mut().filter(|_| self.is_unsure) {
            if at.records <= self.next.records {
                last.record_count = at.records.saturating_sub(last.first_record);
                last.step_count = at.steps.saturating_sub(last.first_step);
                self.next = at;
            }
            self.is_unsure = false;
        }
        let Place { records, steps } = self.next;
        if at.records > records {
            self.missing.push(MissingSegment {
                first_record: records,
                first_step: steps,
                record_count: at.records - records,
                step_count: at.steps.saturating_sub(steps),
                why: gone(records, at.records),
            });
            self.next = at;
        }
    }

    /// Its run has counted so many records: what is not there of the last of them is named too. More than that is for
    /// whoever compares them with the receipt to find.
    pub(crate) fn end_at(&mut self, counted: Place) {
        if self.is_unsure || counted.records > self.next.records {
            self.reach(counted);
        }
    }

    /// How many steps there are up to here, with those that are missing, as far as is known.
    pub(crate) fn steps(&self) -> u64 {
        self.next.steps
    }

    /// The steps that were read since this was asked last, and what they name. Nothing else of it is kept: for who
    /// reads a run piece by piece.
    pub(super) fn take_steps(&mut self) -> (Vec<StepRow>, Named) {
        let (steps, named) = (std::mem::take(&mut self.records.steps), std::mem::take(&mut self.named));
        self.records.decisions.clear();
        self.records.activities.clear();
        self.records.providers.clear();
        self.records.gaps.clear();
        (steps, named)
    }

    /// There ought to be so many steps: where none of its traces says how many records there are with them, those
    /// alone.
    pub(crate) fn cover(&mut self, steps: u64) {
        let left = steps.saturating_sub(self.next.steps);
        if left > 0 {
            self.reach(Place { records: self.next.records.saturating_add(left), steps });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_no_run_has_is_not_told_as_one() {
        for (records, why) in [
            (53, "the records 50 to 52 are not there"),
            (
                MAX_INTEGER,
                "the records from 50 on are not there: the next segment says that it is behind any",
            ),
        ] {
            let mut held = HeldRecords::begun_at(Place { records: 50, steps: 7 });
            held.reach(Place { records, steps: 7 });
            assert_eq!(held.missing.iter().map(|one| one.why.as_str()).collect::<Vec<_>>(), [why]);
        }
    }
}
