//! A segment's lines: the canonical bytes of each record, as it was hashed. They hold no line feed, for JSON escapes
//! it.

use proof::{
    hash,
    records::{
        ActivityRecord, DecisionRecord, EnvironmentRecord, GapRecord, IntegrityRecord, ProviderRecord,
        Record, RecordKind,
    },
    segment::FEED,
};

use models::logs::StepRow;

/// Records of a run, each kind in order of its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRecords {
    /// The steps, refused ones included.
    pub steps: Vec<StepRow>,
    /// What was decided (class D).
    pub decisions: Vec<DecisionRecord>,
    /// What surrounded the run when it began (class H).
    pub environment: Option<EnvironmentRecord>,
    /// What went in and out of the steps (class B).
    pub activities: Vec<ActivityRecord>,
    /// What the model providers answered (class G).
    pub providers: Vec<ProviderRecord>,
    /// How whole the evidence is (class J); none before the run is sealed.
    pub integrity: Option<IntegrityRecord>,
    /// Calls that were answered while the store was down.
    pub gaps: Vec<GapRecord>,
}

/// How many records there are of each kind that a segment counts in the open, by the column.
pub(super) type Counted = [(&'static str, usize); 5];

/// How many records of each kind there are.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    lists: [usize; 5],
    single: [bool; 2],
}

impl RunRecords {
    /// Adds the records of these lines, which are of `tenant` and `run`; gives how many they are.
    pub(super) fn read(&mut self, lines: &[u8], tenant: &str, run: &str) -> Result<u64, String> {
        let mut count = 0;
        for line in lines.split(|byte| *byte == FEED).filter(|line| !line.is_empty()) {
            let record: Record =
                serde_json::from_slice(line).map_err(|err| format!("line {count}: {err}"))?;
            let told = (tenant_of(&record), record.run_id());
            if told != (tenant, Some(run)) {
                return Err(format!("line {count} is of another run"));
            }
            self.add(record, line).map_err(|why| format!("line {count}: {why}"))?;
            count += 1;
        }
        Ok(count)
    }

    /// How far it has come.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            lists: [
                self.steps.len(),
                self.decisions.len(),
                self.activities.len(),
                self.providers.len(),
                self.gaps.len(),
            ],
            single: [self.environment.is_some(), self.integrity.is_some()],
        }
    }

    /// Forgets what was added since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        let [steps, decisions, activities, providers, gaps] = mark.lists;
        self.steps.truncate(steps);
        self.decisions.truncate(decisions);
        self.activities.truncate(activities);
        self.providers.truncate(providers);
        self.gaps.truncate(gaps);
        let [environment, integrity] = mark.single;
        if !environment {
            self.environment = None;
        }
        if !integrity {
            self.integrity = None;
        }
    }

    /// How many of them a segment counts in the open.
    pub(super) fn counts(&self) -> Counted {
        [
            ("step_count", self.steps.len()),
            ("decision_count", self.decisions.len()),
            ("environment_count", usize::from(self.environment.is_some())),
            ("activity_count", self.activities.len()),
            ("provider_count", self.providers.len()),
        ]
    }

    fn add(&mut self, record: Record, line: &[u8]) -> Result<(), String> {
        match record {
            Record::Step(record) => {
                self.steps.push(StepRow::new(record, hash::leaf(line)));
            }
            Record::Decision(record) => self.decisions.push(record),
            Record::Activity(record) => self.activities.push(record),
            Record::Provider(record) => self.providers.push(record),
            Record::Gap(record) => self.gaps.push(record),
            Record::Environment(record) => only(&mut self.environment, record, RecordKind::Environment)?,
            Record::Integrity(record) => only(&mut self.integrity, record, RecordKind::Integrity)?,
            other => return Err(format!("{} is kept elsewhere", other.kind())),
        }
        Ok(())
    }
}

/// A run has one of it.
fn only<R>(place: &mut Option<R>, record: R, kind: RecordKind) -> Result<(), String> {
    if place.is_some() {
        return Err(format!("a second {kind}"));
    }
    *place = Some(record);
    Ok(())
}

fn tenant_of(record: &Record) -> &str {
    match record {
        Record::Step(record) => &record.tenant_id,
        Record::Decision(record) => &record.tenant_id,
        Record::Environment(record) => &record.tenant_id,
        Record::Activity(record) => &record.tenant_id,
        Record::Provider(record) => &record.tenant_id,
        Record::Integrity(record) => &record.tenant_id,
        Record::Gap(record) => &record.tenant_id,
        _ => "",
    }
}
