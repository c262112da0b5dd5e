//! What the group made of each of its runs, as the segment that its log of records grows by.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use drivers::{
    StoreError,
    logs::{Base, DecidedStep, NewContents, NewSegment},
};
use models::ids::RunId;
use proof::{
    records::RecordKind,
    segment::{Line, held},
};

use crate::choke::state::{RunState, State};

/// One segment for each run that the group adds records to, in order of the runs.
pub(super) fn of<'s>(
    state: &'s State,
    bases: &'s HashMap<RunId, Arc<Base>>,
) -> Result<Vec<NewSegment<'s>>, StoreError> {
    let new = &state.new;
    let mut added = Added { state, segments: BTreeMap::new(), ids: HashMap::new() };
    for record in &new.environments {
        added.evidence(&record.run_id, record.into())?;
    }
    for decision in &new.decisions {
        added.evidence(&decision.run_id, (&**decision).into())?;
    }
    for record in &new.activities {
        added.evidence(&record.run_id, record.into())?;
    }
    for record in &new.providers {
        added.evidence(&record.run_id, record.into())?;
    }
    for record in &new.gaps {
        added.evidence(&record.run_id, record.into())?;
    }
    for record in &new.integrities {
        added.evidence(&record.run_id, record.into())?;
    }
    for (record, verdict) in &new.steps {
        added.of(&record.run_id)?.steps.push(DecidedStep { record, verdict });
    }
    let with_texts = |(run, segment): (&'s RunState, NewSegment<'s>)| {
        let texts = new.texts.get(&segment.run);
        let base = bases.get(&segment.run).map(|base| &**base);
        let contents = texts.map(|texts| NewContents { texts, base });
        placed(run, NewSegment { contents, ..segment })
    };
    added.segments.into_values().map(with_texts).collect()
}

/// Where the texts of these segments are kept, and what they stand on.
pub(super) fn places(segments: &[NewSegment<'_>]) -> HashMap<RunId, Base> {
    let place = |segment: &NewSegment<'_>| {
        let place = segment.first_record;
        let base = segment.contents?.base;
        let (key_place, depth) = base.map_or((place, 0), |base| (base.key_place, base.depth + 1));
        Some((segment.run, Base { place, key_place, depth, bytes: Vec::new() }))
    };
    segments.iter().filter_map(place).collect()
}

/// The segments as far as they have come.
struct Added<'s> {
    state: &'s State,
    segments: BTreeMap<RunId, (&'s RunState, NewSegment<'s>)>,
    /// The runs by their text, as records name them.
    ids: HashMap<&'s str, RunId>,
}

impl<'s> Added<'s> {
    fn evidence(&mut self, run: &'s str, line: Line<'s>) -> Result<(), StoreError> {
        self.of(run)?.evidence.push(line);
        Ok(())
    }

    fn of(&mut self, run: &'s str) -> Result<&mut NewSegment<'s>, StoreError> {
        let unknown = |why: &str| StoreError::Corrupt {
            table: "run_segments",
            row: run.to_owned(),
            why: why.to_owned(),
        };
        let id = match self.ids.get(run) {
            Some(id) => *id,
            None => run.parse().map_err(|_| unknown("a record is of a run that has no id"))?,
        };
        self.ids.insert(run, id);
        let state = self.state;
        let of_run = state.runs.get(&id).ok_or_else(|| unknown("a record is of a run of another group"))?;
        let (_, segment) = self.segments.entry(id).or_insert_with(|| {
            let segment = NewSegment {
                tenant: state.tenant.id,
                run: id,
                first_record: 0,
                first_step: 0,
                steps: Vec::new(),
                evidence: Vec::new(),
                contents: None,
            };
            (of_run, segment)
        });
        Ok(segment)
    }
}

/// The segment with its place: the run has counted its records already. One that it has not counted would be stored
/// where no proof finds it.
fn placed<'s>(run: &RunState, segment: NewSegment<'s>) -> Result<NewSegment<'s>, StoreError> {
    let records = held(|kind| run.next_seq(kind));
    let steps = segment.steps.len() as u64;
    let first_record = records.checked_sub(steps + segment.evidence.len() as u64);
    let first_step = run.next_seq(RecordKind::Step).checked_sub(steps);
    match (first_record, first_step) {
        (Some(first_record), Some(first_step)) => {
            // A body that this process saw behind this place is of a history that the store has lost.
            let is_before = |base: &&Base| base.place < first_record;
            let contents =
                segment.contents.map(|new| NewContents { base: new.base.filter(is_before), ..new });
            Ok(NewSegment { first_record, first_step, contents, ..segment })
        }
        _ => Err(StoreError::Corrupt {
            table: "run_segments",
            row: segment.run.to_string(),
            why: "it adds records that the run has not counted".to_owned(),
        }),
    }
}
