//! A run's segments opened to their lines, of which no value is made: each is the canonical bytes that were hashed. For
//! who tells of a whole run, and needs of most records only whose they are, of which kind, and in which place.

use std::collections::{BTreeMap, HashSet};

use entities::logs::run_segments::Model;
use proof::{
    contents::Content,
    records::{Line, LineHead, Record, RecordKind},
    segment::{FEED, MissingSegment},
};

use super::{
    held::{HeldRecords, Place, why},
    lines::{Counted, RunRecords},
    open::{bad, bytes, place, says_what_it_holds},
    pages::{SegmentsEnd, StoredSegment},
};
use crate::{StoreError, logs::Named};

/// How many records of each kind the receipt of a run covers.
pub type SealedCounts = BTreeMap<RecordKind, u64>;

/// The lines of a segment that the run's receipt covers, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentLines {
    /// Which segment it is.
    place: String,
    text: String,
    /// Of each line. None of one that came after the run was sealed.
    kinds: Vec<Option<RecordKind>>,
}

impl SegmentLines {
    /// Of which kinds there are some.
    pub fn kinds(&self) -> impl Iterator<Item = RecordKind> {
        self.kinds.iter().flatten().copied()
    }

    /// Those of a kind, in order.
    pub fn of_kind(&self, wanted: RecordKind) -> impl Iterator<Item = Result<Line<'_>, StoreError>> {
        let kept = texts(&self.text).zip(&self.kinds).filter(move |(_, kind)| **kind == Some(wanted));
        kept.map(move |(text, _)| {
            line(text).map_err(|why| StoreError::Corrupt {
                table: "run_segments",
                row: self.place.clone(),
                why: format!("body: {why}"),
            })
        })
    }
}

/// The lines of a run, segment by segment, as often as somebody goes through them: all are looked at the first time,
/// and what is missing then is missing from then on.
#[derive(Debug, Default)]
pub struct RunLines {
    held: HeldRecords,
    single: Single,
    /// The places of the segments that are not what was recorded.
    unread: HashSet<i64>,
    /// Of a run to which something came after it was sealed.
    sealed: Option<SealedCounts>,
    late: Vec<Record>,
}

impl RunLines {
    /// Of a run of which the receipt covers so many records of each kind; all of them where nothing came later.
    #[must_use]
    pub fn of(sealed: Option<SealedCounts>) -> Self {
        Self { sealed, ..Self::default() }
    }

    /// Goes on with a segment for the first time, and gives its lines; none of one that is missing.
    pub fn meet(&mut self, StoredSegment(row): &StoredSegment) -> Option<SegmentLines> {
        let mut lines = None;
        let Self { held, single, sealed, late, .. } = self;
        held.meet_by(row, |held, row| {
            let opened = Opened::of(row, *single, sealed.as_ref()).map_err(why)?;
            held.named.add(Place::of(row).records, opened.names);
            late.extend(opened.late);
            *single = opened.single;
            lines = Some(SegmentLines { place: place(row), text: opened.text, kinds: opened.kinds });
            Ok(())
        });
        if lines.is_none() {
            self.unread.insert(row.first_record);
        }
        lines
    }

    /// There are no more.
    pub fn end(&mut self, end: &SegmentsEnd) {
        if let Some(counted) = end.counted {
            self.held.end_at(counted);
        }
    }

    /// The lines of a segment that was met before; an error where it is not what it was then.
    pub fn again(&self, StoredSegment(row): &StoredSegment) -> Result<Option<SegmentLines>, StoreError> {
        if self.unread.contains(&row.first_record) {
            return Ok(None);
        }
        let text = String::from_utf8(bytes(row)?).map_err(|err| bad(row, "body", &err.to_string()))?;
        let kinds: Result<Vec<_>, String> = texts(&text).map(|told| self.kind_of(told)).collect();
        let kinds = kinds.map_err(|why| bad(row, "body", &why))?;
        Ok(Some(SegmentLines { place: place(row), text, kinds }))
    }

    /// Of which kind a line is; none of one that came late.
    fn kind_of(&self, told: &str) -> Result<Option<RecordKind>, String> {
        if self.sealed.is_none()
            && let Some(kind) = tag_of(told).and_then(RecordKind::of_tag)
        {
            return Ok(Some(kind));
        }
        let line = line(told)?;
        Ok(Some(line.kind()).filter(|_| !is_late(&line, self.sealed.as_ref())))
    }

    /// The records that came after the run was sealed, each kind in order of its place. They are given once.
    pub fn take_late(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.late)
    }

    /// The segments that are not there, or not what was recorded, in order.
    #[must_use]
    pub fn missing(&self) -> &[MissingSegment] {
        &self.held.missing
    }

    /// The texts that the steps name.
    #[must_use]
    pub fn named(&self) -> &Named {
        &self.held.named
    }
}

/// The tag of a line. A member's name with its quotes stands in no text, where a quote is escaped; the only objects
/// within a record are names of texts, which have no tag.
fn tag_of(told: &str) -> Option<&str> {
    const MEMBER: &str = ",\"type\":\"";
    let behind = told.get(told.rfind(MEMBER)? + MEMBER.len()..)?;
    behind.split_once('"').map(|(tag, _)| tag)
}

fn is_late(line: &Line<'_>, sealed: Option<&SealedCounts>) -> bool {
    sealed.is_some_and(|counts| line.place() >= counts.get(&line.kind()).copied().unwrap_or(0))
}

/// Of which kinds that a run has one record of there was one.
#[derive(Clone, Copy, Debug, Default)]
struct Single {
    environment: bool,
    integrity: bool,
}

impl Single {
    /// There is one more of this kind.
    fn note(&mut self, kind: RecordKind) -> Result<(), String> {
        let known = match kind {
            RecordKind::Environment => &mut self.environment,
            RecordKind::Integrity => &mut self.integrity,
            RecordKind::Activity
            | RecordKind::Decision
            | RecordKind::Gap
            | RecordKind::Provider
            | RecordKind::Step => return Ok(()),
            other => return Err(format!("{other} is kept elsewhere")),
        };
        if *known {
            return Err(format!("a second {kind}"));
        }
        *known = true;
        Ok(())
    }
}

/// A segment that is whole.
struct Opened {
    text: String,
    kinds: Vec<Option<RecordKind>>,
    late: Vec<Record>,
    names: Vec<Content>,
    single: Single,
}

impl Opened {
    /// A segment that holds what its row says in the open: the same as where values are made of its lines, but that
    /// members which nobody asks for here may be anything. Who changes those changes what is hashed.
    fn of(row: &Model, mut single: Single, sealed: Option<&SealedCounts>) -> Result<Self, StoreError> {
        let text = String::from_utf8(bytes(row)?).map_err(|err| bad(row, "body", &err.to_string()))?;
        let (tenant, run) = (row.tenant_id.to_string(), row.run_id.to_string());
        let (mut kinds, mut late, mut names, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut held = RunRecords::default().counts();
        for (at, told) in texts(&text).enumerate() {
            let bad = |why: &str| bad(row, "body", &format!("line {at}: {why}"));
            let line = line(told).map_err(|why| bad(&why))?;
            let (kind, place) = (line.kind(), line.place());
            if !line.is_of(&tenant, &run) {
                return Err(bad("it is of another run"));
            }
            single.note(kind).map_err(|why| bad(&why))?;
            count(&mut held, kind);
            if kind == RecordKind::Step {
                steps.push(place);
                names.extend(line.names());
            }
            let is_late = is_late(&line, sealed);
            if is_late {
                late.push(serde_json::from_str(told).map_err(|err| bad(&err.to_string()))?);
            }
            kinds.push((!is_late).then_some(kind));
        }
        says_what_it_holds(row, kinds.len() as u64, &held, steps.into_iter())?;
        Ok(Self { text, kinds, late, names, single })
    }
}

/// There is one more of this kind.
fn count(held: &mut Counted, kind: RecordKind) {
    let at = match kind {
        RecordKind::Step => 0,
        RecordKind::Decision => 1,
        RecordKind::Environment => 2,
        RecordKind::Activity => 3,
        RecordKind::Provider => 4,
        _ => return,
    };
    held[at].1 += 1;
}

fn texts(lines: &str) -> impl Iterator<Item = &str> {
    lines.split(char::from(FEED)).filter(|line| !line.is_empty())
}

/// A line; or why it is none of a record.
fn line(text: &str) -> Result<Line<'_>, String> {
    let head: LineHead<'_> = serde_json::from_str(text).map_err(|err| err.to_string())?;
    Line::new(text, head)
}
