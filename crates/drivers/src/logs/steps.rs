//! Steps, refused ones included, as the segments of their runs hold them.

use std::{collections::HashMap, ops::Range};

use models::{
    ids::{KeyId, RunId, TenantId},
    logs::{StepKey, Trace},
    page::{Cursor, Page, PageError, PageRequest},
};
use proof::{
    contents::MissingContents,
    records::RecordKind,
    segment::{MissingSegment, held},
};

use super::{
    HeldTexts, KeysOfRun, LookedInto, Named, RunRecords, SegmentsEnd, StoredSegment, TraceReads, contents,
    segments::{self, Around, HeldRecords, JudgedStep, Place, StepsUnder},
};
use crate::StoreError;

/// So many steps are read at once where a page keeps but some of them.
const STEPS_AT_ONCE: u64 = 500;

/// A page of a run's steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepsPage {
    /// The steps that could be read.
    pub page: Page<JudgedStep>,
    /// The segments among them that are not there, or not what was recorded: their steps are on no page.
    pub missing: Vec<MissingSegment>,
    /// The bodies that the steps' texts are in and that are not there, or not what was recorded.
    pub missing_contents: Vec<MissingContents>,
}

/// A stretch of steps that was looked through.
struct Stretch {
    steps: Vec<JudgedStep>,
    missing: Vec<MissingSegment>,
    /// Up to where.
    end: u64,
}

impl TraceReads<'_> {
    /// How far the segments of a run go now. Whoever goes through them as they are stored need not do it in one moment:
    /// they are added behind that, and never changed.
    pub async fn segments_end(self, tenant: TenantId, run: RunId) -> Result<SegmentsEnd, StoreError> {
        let counted = self.counted(tenant, run).await?;
        segments::end_of_run(self.conn, tenant, run, counted).await
    }

    /// The next segments of a run behind this one, or the first of them; none where that is the end.
    pub async fn segments_behind(
        self,
        tenant: TenantId,
        run: RunId,
        behind: Option<&StoredSegment>,
        end: &SegmentsEnd,
        most: u64,
    ) -> Result<Vec<StoredSegment>, StoreError> {
        segments::some_of_run(self.conn, tenant, run, behind, end, most).await
    }

    /// How much a run has counted of what its segments hold, by its traces; none where its own is gone.
    pub(super) async fn counted(self, tenant: TenantId, run: RunId) -> Result<Option<Place>, StoreError> {
        Ok(counted_by(&self.traces_of_run(tenant, run).await?))
    }

    /// The same, of many runs; one of which the trace is gone is not among them.
    async fn counted_of(self, tenant: TenantId, runs: &[RunId]) -> Result<HashMap<RunId, Place>, StoreError> {
        let mut traces: HashMap<RunId, Vec<Trace>> = HashMap::new();
        for trace in self.traces_of_runs(tenant, runs).await? {
            traces.entry(trace.run_id).or_default().push(trace);
        }
        Ok(traces.into_iter().filter_map(|(run, traces)| Some((run, counted_by(&traces)?))).collect())
    }

    /// A run's steps by index, a page at a time; those that were added after it was sealed come last. With a key, only
    /// those that it reported. `counted` is how many the run has, as it says: what is not there of them is named. With
    /// their texts.
    pub async fn list_steps(
        self,
        tenant: TenantId,
        run: RunId,
        counted: u64,
        reported_by: Option<KeyId>,
        page: &PageRequest,
    ) -> Result<StepsPage, StoreError> {
        let first = match page.cursor {
            Some(cursor) => {
                let after = cursor.after().map_err(StoreError::Cursor)?;
                let after = i64::try_from(after).map_err(|_| StoreError::Cursor(PageError::Cursor))?;
                after.unsigned_abs() + 1
            }
            None => 0,
        };
        let by = reported_by.map(|key| key.to_string());
        let is_theirs = |step: &JudgedStep| by.is_none() || step.step.record.reported_by == by;
        let total = match (page.total, &by) {
            (false, _) => None,
            (true, None) => Some(counted),
            (true, Some(_)) => {
                let mut count = 0;
                let mut from = 0;
                while from < counted {
                    let some =
                        self.steps_in(tenant, run, from..counted.min(from + STEPS_AT_ONCE), counted).await?;
                    from = some.end;
                    count += some.steps.iter().filter(|step| is_theirs(step)).count() as u64;
                }
                Some(count)
            }
        };
        let wanted = page.limit().saturating_add(1);
        // Where only some are theirs, more than a page of them is looked through.
        let at_once = if by.is_none() { wanted } else { STEPS_AT_ONCE };
        let (mut rows, mut missing): (Vec<JudgedStep>, Vec<MissingSegment>) = (Vec::new(), Vec::new());
        let mut from = first;
        while from < counted && (rows.len() as u64) < wanted {
            let indices = from..counted.min(from.saturating_add(at_once));
            let some = self.steps_in(tenant, run, indices, counted).await?;
            from = some.end;
            rows.extend(some.steps.into_iter().filter(is_theirs));
            missing.extend(some.missing);
        }
        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        if rows.len() > limit
            && let Some(last) = limit.checked_sub(1).and_then(|last| rows.get(last))
        {
            // What comes behind the last of this page is met again by the next.
            let last = last.step.record.step_index;
            missing.retain(|one| one.first_step <= last);
        }
        // Two stretches may meet one.
        missing.sort_by_key(|one| (one.first_record, one.first_step));
        missing.dedup_by_key(|one| one.first_record);
        rows.truncate(limit.saturating_add(1));
        let mut page = Page::cut(rows, page, total, |row| Cursor::After(row.step.record.step_index));
        let (items, missing_contents) = self.with_texts(tenant, run, page.items).await?;
        page.items = items;
        Ok(StepsPage { page, missing, missing_contents })
    }

    /// The steps with what they name; and the bodies of that which cannot be read.
    async fn with_texts(
        self,
        tenant: TenantId,
        run: RunId,
        mut steps: Vec<JudgedStep>,
    ) -> Result<(Vec<JudgedStep>, Vec<MissingContents>), StoreError> {
        let index = |step: &JudgedStep| step.step.record.step_index;
        let (Some(first), Some(last)) = (steps.iter().map(index).min(), steps.iter().map(index).max()) else {
            return Ok((steps, Vec::new()));
        };
        let places = segments::places_of(self.conn, tenant, run, &(first..last.saturating_add(1))).await?;
        let mut named = Named::default();
        for step in &steps {
            let is_its = |(_, indices): &&(u64, Range<u64>)| indices.contains(&index(step));
            if let Some((place, _)) = places.iter().find(is_its) {
                named.note(*place, [&step.step]);
            }
        }
        let HeldTexts { texts, missing, .. } = contents::of_steps(self.conn, tenant, run, &named).await?;
        for step in &mut steps {
            step.texts = texts.of_step(&step.step.record);
        }
        Ok((steps, missing))
    }

    /// The steps of these indices. One that is not there is not passed over: its segment is named, and what was looked
    /// through goes on to its end. `told` is how many steps the run says that it has.
    async fn steps_in(
        self,
        tenant: TenantId,
        run: RunId,
        indices: Range<u64>,
        told: u64,
    ) -> Result<Stretch, StoreError> {
        let mut steps = Vec::new();
        let mut is_whole = true;
        for opened in segments::in_steps(self.conn, tenant, &[(run, indices.clone())]).await? {
            match opened {
                Ok((_, records)) => steps.extend(judged_in(records, &indices)),
                Err(StoreError::Corrupt { .. }) => is_whole = false,
                Err(err) => return Err(err),
            }
        }
        let as_due = steps.iter().map(|step| step.step.record.step_index).eq(indices.clone());
        if is_whole && as_due {
            return Ok(Stretch { steps, missing: Vec::new(), end: indices.end });
        }
        let Around { mut held, is_end } = segments::around(self.conn, tenant, run, &indices).await?;
        if is_end {
            match self.counted(tenant, run).await? {
                Some(counted) => held.end_at(counted),
                None => held.cover(told),
            }
        }
        let there = held.steps();
        let HeldRecords { records, mut missing, .. } = held;
        missing.retain(|one| {
            let end = one.first_step.saturating_add(one.step_count.max(1));
            one.first_step < indices.end && end > indices.start
        });
        let ends = missing.iter().map(|one| one.first_step.saturating_add(one.step_count));
        let ends = ends.fold(indices.end, u64::max);
        // Behind the last segment there is nothing to look for, whatever the run says that it has. It may reach behind
        // this stretch.
        let end = if is_end && ends >= there { u64::MAX } else { ends };
        // One that is there twice may be in a stretch that does not show it to be.
        let mut steps: Vec<JudgedStep> = judged_in(records, &indices).collect();
        steps.sort_by_key(|step| step.step.record.step_index);
        steps.dedup_by_key(|step| step.step.record.step_index);
        Ok(Stretch { steps, missing, end })
    }

    /// Opens all segments of a run and the bodies of its texts, and holds its keys against them, without keeping any of
    /// it.
    pub async fn look_into(self, tenant: TenantId, run: RunId) -> Result<LookedInto, StoreError> {
        let counted = self.counted(tenant, run).await?;
        segments::look_into(self.conn, tenant, run, counted).await
    }

    /// How many bytes the segments of these runs and the bodies of their texts have once they are opened, as far as
    /// what they say can be believed; a run without any is not listed.
    pub async fn bytes_of_runs(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, u64>, StoreError> {
        let mut all: HashMap<RunId, u64> =
            segments::bytes_of(self.conn, tenant, runs).await?.into_iter().collect();
        for (run, bytes) in contents::bytes_of(self.conn, tenant, runs).await? {
            let of_run = all.entry(run).or_default();
            *of_run = of_run.saturating_add(bytes);
        }
        Ok(all)
    }

    /// The runs among these of which the first segment is not there. Nothing is opened.
    pub async fn not_begun(self, tenant: TenantId, runs: &[RunId]) -> Result<Vec<RunId>, StoreError> {
        segments::not_begun(self.conn, tenant, runs).await
    }

    /// The idempotency keys of a run's steps, to hold the steps against.
    pub async fn keys_of_run(self, tenant: TenantId, run: RunId) -> Result<KeysOfRun, StoreError> {
        segments::keys_of_run(self.conn, tenant, run).await
    }

    /// Where the spans that are recorded under these keys are among a run's steps, as many of them as there are.
    pub async fn span_places(
        self,
        tenant: TenantId,
        run: RunId,
        keys: &[String],
    ) -> Result<HashMap<String, u64>, StoreError> {
        segments::spans_under(self.conn, tenant, run, keys).await
    }

    /// The steps that were recorded under these keys of runs, each with its decision; and those that cannot be read
    /// any more.
    pub async fn find_steps_by_keys(
        self,
        tenant: TenantId,
        keys: &[(RunId, StepKey)],
    ) -> Result<StepsUnder, StoreError> {
        let (found, missed) = segments::steps_under(self.conn, tenant, keys).await?;
        if missed.is_empty() {
            return Ok(StepsUnder { found, lost: Vec::new() });
        }
        let runs: Vec<RunId> = missed.iter().map(|((run, _), _)| *run).collect();
        let counted = self.counted_of(tenant, &runs).await?;
        let lost = segments::why_lost(self.conn, tenant, missed, &counted).await?;
        Ok(StepsUnder { found, lost })
    }
}

/// How much a run has counted of what its segments hold, by all its traces; none where its own is gone.
fn counted_by(traces: &[Trace]) -> Option<Place> {
    let of = |trace: &Trace| Place {
        records: held(|kind| trace.ranges.next(kind)),
        steps: trace.ranges.next(RecordKind::Step),
    };
    let own = traces.iter().find(|trace| trace.addendum_of.is_none()).map(of)?;
    // An addendum counts on from the one before.
    let late = traces.iter().filter(|trace| trace.addendum_of.is_some()).map(of);
    let late = late.max_by_key(|late| late.records).unwrap_or_default();
    Some(Place { records: own.records + late.records, steps: own.steps + late.steps })
}

/// Those of the steps that have these indices.
fn judged_in(records: RunRecords, indices: &Range<u64>) -> impl Iterator<Item = JudgedStep> {
    segments::judged(records).filter(move |step| indices.contains(&step.step.record.step_index))
}
