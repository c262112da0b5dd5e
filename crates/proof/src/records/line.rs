//! A record as the store has it: the line of canonical bytes that was hashed, of which no value is made. What is asked
//! of it is read where it stands.

use serde::Deserialize;

use super::RecordKind;
use crate::{
    contents::Content,
    words::{Action, IntegrityGrade},
};

/// What is read of a line: whose it is, of which kind, where its place is, and what whoever tells of all records tells
/// of it. Other members are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LineHead<'l> {
    #[serde(rename = "type")]
    tag: &'l str,
    tenant_id: &'l str,
    run_id: &'l str,
    seq: Option<u64>,
    step_index: Option<u64>,
    action: Option<Action>,
    engine_version: Option<String>,
    schema_version: Option<String>,
    grade: Option<IntegrityGrade>,
    params: Option<Content>,
    outcome_data: Option<Content>,
    prompt: Option<Content>,
    response: Option<Content>,
}

/// A record's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    kind: RecordKind,
    place: u64,
    text: &'l str,
    head: LineHead<'l>,
}

impl<'l> Line<'l> {
    /// A line, of which this is what was read of it; or why it is none of a record.
    pub fn new(text: &'l str, head: LineHead<'l>) -> Result<Self, String> {
        let kind = RecordKind::of_tag(head.tag).ok_or_else(|| format!("`{}` is no record", head.tag))?;
        let place = match kind {
            RecordKind::Step => head.step_index,
            RecordKind::Environment | RecordKind::Integrity | RecordKind::Run => Some(0),
            _ => head.seq,
        };
        let place = place.ok_or_else(|| format!("a record of {kind} without its place"))?;
        Ok(Self { kind, place, text, head })
    }

    /// The kind under which the receipt counts it.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Its place among the run's records of its kind, from 0.
    #[must_use]
    pub const fn place(&self) -> u64 {
        self.place
    }

    /// The line, as it was hashed.
    #[must_use]
    pub const fn text(&self) -> &'l str {
        self.text
    }

    /// Whether it is of this run.
    #[must_use]
    pub fn is_of(&self, tenant: &str, run: &str) -> bool {
        (self.head.tenant_id, self.head.run_id) == (tenant, run)
    }

    /// The texts that a step names.
    pub fn names(&self) -> impl Iterator<Item = Content> {
        let LineHead { params, outcome_data, prompt, response, .. } = self.head;
        [params, outcome_data, prompt, response].into_iter().flatten()
    }

    /// What a decision answered.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        self.head.action.filter(|_| self.kind == RecordKind::Decision)
    }

    /// The versions of what evaluated a decision: of the engine, and of the facts that rules may read.
    #[must_use]
    pub fn engine(&self) -> Option<(&str, &str)> {
        let LineHead { engine_version, schema_version, .. } = &self.head;
        let versions = engine_version.as_deref().zip(schema_version.as_deref());
        versions.filter(|_| self.kind == RecordKind::Decision)
    }

    /// The grade that the integrity record gives.
    #[must_use]
    pub fn grade(&self) -> Option<IntegrityGrade> {
        self.head.grade.filter(|_| self.kind == RecordKind::Integrity)
    }
}
