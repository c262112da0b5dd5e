//! A segment of a run that is not there, or not what was recorded: what is said of it, wherever somebody asks for its
//! records.

use serde::{Deserialize, Serialize};

use crate::{records::RecordKind, told::together};

/// A segment that cannot be read: its records are missing from what is answered, and from nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingSegment {
    /// Its place: how many records the run's segments hold before it.
    pub first_record: u64,
    /// The index of its first step; where it has none, that of the run's next.
    pub first_step: u64,
    /// How many records are missing with it.
    pub record_count: u64,
    /// How many of them are steps.
    pub step_count: u64,
    /// What is wrong with it.
    pub why: String,
}

impl MissingSegment {
    /// How it is named, by its run and its place.
    #[must_use]
    pub fn row(&self, run: &str) -> String {
        format!("{run}/{}", self.first_record)
    }

    /// Which one it is, and what is wrong with it.
    #[must_use]
    pub fn told(&self, run: &str) -> String {
        format!("run_segments row {}: {}", self.row(run), self.why)
    }

    /// The same of several: where there are many, the first say enough.
    #[must_use]
    pub fn told_of_all(missing: &[Self], run: &str) -> String {
        together(missing.iter().map(|one| one.told(run)))
    }
}

/// How many records of a run its segments hold, by how many it has of each kind.
#[must_use]
pub fn held(of: impl Fn(RecordKind) -> u64) -> u64 {
    RecordKind::ALL.iter().filter(|kind| is_in_segments(**kind)).map(|kind| of(*kind)).sum()
}

/// Whether segments hold records of this kind, which a group adds and nothing changes. The others have tables.
const fn is_in_segments(kind: RecordKind) -> bool {
    match kind {
        RecordKind::Activity
        | RecordKind::Decision
        | RecordKind::Environment
        | RecordKind::Gap
        | RecordKind::Integrity
        | RecordKind::Provider
        | RecordKind::Step => true,
        RecordKind::Breach
        | RecordKind::CaptureFailure
        | RecordKind::Enforcement
        | RecordKind::Incident
        | RecordKind::Intervention
        | RecordKind::Prevention
        | RecordKind::Run => false,
    }
}
