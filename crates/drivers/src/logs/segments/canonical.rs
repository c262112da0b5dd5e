//! A run's segments opened to their lines, of which no value is made: each is the canonical bytes that were hashed. For
//! who tells of a whole run, and needs of most records only whose they are, of which kind, and in which place.

use std::collections::BTreeMap;

use entities::logs::run_segments::{self as segments, Column, Model};
use models::ids::{RunId, TenantId};
use proof::{
    contents::Content,
    records::{Line, LineHead, Record, RecordKind},
    segment::{FEED, MissingSegment},
};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{
    held::{HeldRecords, Place, why},
    lines::{Counted, RunRecords},
    open::{bad, bytes, place, says_what_it_holds},
};
use crate::{StoreError, conn::Conn, driver::of_tenant, logs::Named, read};

of_tenant!(segments);

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
    /// The lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = Result<Line<'_>, StoreError>> {
        let kept = texts(&self.text).zip(&self.kinds).filter(|(_, kind)| kind.is_some());
        kept.map(move |(text, _)| {
            line(text).map_err(|why| StoreError::Corrupt {
                table: "run_segments",
                row: self.place.clone(),
                why: format!("body: {why}"),
            })
        })
    }
}

/// What the segments of a run hold as it is stored, and what of it is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeldLines {
    /// What the receipt covers, or will, in order.
    pub segments: Vec<SegmentLines>,
    /// The records that came after the run was sealed, each kind in order of its place.
    pub late: Vec<Record>,
    /// The segments that are not there, or not what was recorded, in order.
    pub missing: Vec<MissingSegment>,
    /// The texts that the steps name.
    pub named: Named,
}

/// All lines of a run; what came after it was sealed is behind what `sealed` counts. `counted` is how much the run has
/// counted.
pub(crate) async fn lines_of_run(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    sealed: Option<&SealedCounts>,
    counted: Option<Place>,
) -> Result<HeldLines, StoreError> {
    let select = of(tenant).filter(Column::RunId.eq(run.0)).order_by_asc(Column::FirstRecord);
    let mut reading = Reading::default();
    let mut segments = Vec::new();
    for row in read::all(conn, select).await? {
        segments.extend(reading.meet(&row, sealed));
    }
    let Reading { mut held, late, .. } = reading;
    if let Some(counted) = counted {
        held.end_at(counted);
    }
    let HeldRecords { missing, named, .. } = held;
    Ok(HeldLines { segments, late, missing, named })
}

/// The segments of a run as far as they were met.
#[derive(Default)]
struct Reading {
    held: HeldRecords,
    single: Single,
    late: Vec<Record>,
}

/// Of which kinds that a run has one record of there was one.
#[derive(Clone, Copy, Default)]
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

impl Reading {
    /// Goes on with a segment, and gives its lines; none of one that is missing.
    fn meet(&mut self, row: &Model, sealed: Option<&SealedCounts>) -> Option<SegmentLines> {
        let mut lines = None;
        let Self { held, single, late } = self;
        held.meet_by(row, |held, row| {
            let opened = Opened::of(row, *single, sealed).map_err(why)?;
            held.named.add(Place::of(row).records, opened.names);
            late.extend(opened.late);
            *single = opened.single;
            lines = Some(SegmentLines { place: place(row), text: opened.text, kinds: opened.kinds });
            Ok(())
        });
        lines
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
            let is_late = sealed.is_some_and(|counts| place >= counts.get(&kind).copied().unwrap_or(0));
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
