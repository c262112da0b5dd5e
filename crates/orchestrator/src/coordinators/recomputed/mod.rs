//! A run gone through once, from its first record to its last, a page of its segments at a time: its chain, its trees
//! and what is kept beside its records are worked out anew as these come, and no record is kept.
//!
//! What is held grows with a run by little: by its uncounted steps, its addenda and what stands in tables of its own,
//! by a place for each segment that names texts, and by the tree of its first steps, of which there is a bound.

mod beside;
mod calls;
mod counted;
mod late;
mod leaf;
mod records;

use std::ops::RangeInclusive;

use drivers::{
    ReadTx, StoreError,
    logs::{LookedAtTexts, RunReading, RunRecords, SealedCounts, StoredSegment},
};
use models::{activity::Run, ledger::RunLogEntry, logs::StepRow};
use proof::{
    records::{RecordKind, StepRecord},
    segment::MissingSegment,
    tagged::RecordRef,
};

use self::{beside::Beside, records::Records};
use super::{
    pages::Pages,
    sealed_records::{Came, of_tables, parted, sealed_counts},
};
use crate::aside::aside;

/// So many bytes of segments are read at once.
const PAGE: u64 = 1 << 20;

/// What a run comes to.
pub(super) struct Recomputed<'r> {
    /// Of its records; where some are missing, of those before them.
    pub(super) records: Records<'r>,
    /// Of what is kept beside them, likewise; or what of that does not read back.
    pub(super) beside: Result<Beside<'r>, StoreError>,
    /// How many steps could be read that its receipt covers, or will.
    pub(super) steps: u64,
    /// The segments that are not there, or not what was recorded, in order.
    pub(super) missing: Vec<MissingSegment>,
    /// Its texts.
    pub(super) texts: LookedAtTexts,
}

/// Who is given each step that could be read, and whether it came in time.
pub(super) type EachStep<'e> = dyn FnMut(StepRow, Came) + Send + 'e;

/// Goes through a run, of which these are the leaves, and gives each step to `each`.
pub(super) async fn recompute<'r>(
    store: &ReadTx,
    run: &'r Run,
    leaves: &'r [RunLogEntry],
    each: &mut EachStep<'_>,
) -> Result<Recomputed<'r>, StoreError> {
    let traces = store.traces();
    let own = match run.late {
        Some(_) => traces.find_trace(run.tenant, run.trace_id).await?,
        None => None,
    };
    let sealed = sealed_counts(run, own.as_ref());
    let mut pages = Pages::of(traces.segments_end(run.tenant, run.id).await?, PAGE);
    let mut texts = traces.begin_texts(run.tenant, run.id).await?;
    let mut reading = RunReading::default();
    let mut going = Going::begin(store, run, leaves, sealed).await?;
    let (mut behind, mut is_last) = (None::<StoredSegment>, false);
    while !is_last {
        let (mut page, ends) = pages.next(store, (run.tenant, run.id), behind.as_ref()).await?;
        going.expect(store, &page).await?;
        let bytes: usize = page.iter().map(StoredSegment::bytes).sum();
        // Opened they are a few times as long.
        aside(4 * bytes, || {
            for segment in &page {
                let records = reading.meet(segment);
                // Where one is missing, nothing that is made of all of them can be right.
                if reading.missing().is_empty() {
                    going.meet(&records);
                }
                going.hand_on(records.steps, each);
            }
        });
        let named = reading.take_named();
        traces.look_at_texts(run.tenant, run.id, &mut texts, &named).await?;
        (behind, is_last) = (page.pop(), ends);
    }
    going.ask(store, going.asked..=u64::MAX).await?;
    reading.end(pages.end());
    let missing = reading.into_missing();
    let Going { records, beside, steps, .. } = going;
    Ok(Recomputed { records, beside, steps, texts: texts.end(&missing), missing })
}

/// A run, as far as it was gone through.
struct Going<'r> {
    run: &'r Run,
    /// How many records of each kind its receipt covers, where some came later.
    sealed: Option<SealedCounts>,
    records: Records<'r>,
    beside: Result<Beside<'r>, StoreError>,
    steps: u64,
    /// The calls of so many steps were read.
    asked: u64,
}

impl<'r> Going<'r> {
    async fn begin(
        store: &ReadTx,
        run: &'r Run,
        leaves: &'r [RunLogEntry],
        sealed: Option<SealedCounts>,
    ) -> Result<Self, StoreError> {
        let tables = store.bundles().get_tables(run.tenant, run.id).await?;
        let (in_time, late) = parted(of_tables(run, tables), sealed.as_ref());
        let records = Records::of(leaves, &in_time, &late);
        let beside = put_off(Beside::read(store, run).await)?;
        Ok(Self { run, sealed, records, beside, steps: 0, asked: 0 })
    }

    /// Reads what is kept of the calls of the steps that these segments hold.
    async fn expect(&mut self, store: &ReadTx, page: &[StoredSegment]) -> Result<(), StoreError> {
        let end = page.iter().map(StoredSegment::steps_with_it).max().unwrap_or(0);
        if end > self.asked {
            self.ask(store, self.asked..=end - 1).await?;
            self.asked = end;
        }
        Ok(())
    }

    /// Reads what is kept of the calls of these steps.
    async fn ask(&mut self, store: &ReadTx, steps: RangeInclusive<u64>) -> Result<(), StoreError> {
        let Ok(beside) = &mut self.beside else { return Ok(()) };
        match put_off(store.logs().llm_runs_of_steps(self.run.tenant, self.run.id, steps).await)? {
            Ok(calls) => beside.expect(calls),
            Err(err) => self.beside = Err(err),
        }
        Ok(())
    }

    /// Meets what the next segment holds.
    fn meet(&mut self, of_segment: &RunRecords) {
        let RunRecords { steps, decisions, environment, activities, providers, integrity, gaps } = of_segment;
        for record in activities {
            self.push(record.into(), record.seq);
        }
        for record in decisions {
            self.push(record.into(), record.seq);
        }
        if let Some(record) = environment {
            self.push(record.into(), 0);
        }
        for record in gaps {
            self.push(record.into(), record.seq);
        }
        if let Some(record) = integrity {
            self.push(record.into(), 0);
        }
        for record in providers {
            self.push(record.into(), record.seq);
        }
        for step in steps {
            let came = self.came(&step.record);
            self.records.push_step(step, came);
        }
        let sealed = self.sealed.as_ref();
        let Ok(beside) = &mut self.beside else { return };
        for decision in decisions {
            beside.decision(decision);
        }
        for activity in activities {
            beside.activity(activity);
        }
        for StepRow { record, .. } in steps {
            beside.step(record, Came::of(RecordKind::Step, Some(record.step_index), sealed));
        }
    }

    fn push(&mut self, record: RecordRef<'_>, place: u64) {
        let came = Came::of(record.kind(), Some(place), self.sealed.as_ref());
        self.records.push(record, came);
    }

    /// Hands on the steps that could be read.
    fn hand_on(&mut self, steps: Vec<StepRow>, each: &mut EachStep<'_>) {
        for step in steps {
            let came = self.came(&step.record);
            self.steps += u64::from(came == Came::InTime);
            each(step, came);
        }
    }

    fn came(&self, step: &StepRecord) -> Came {
        Came::of(RecordKind::Step, Some(step.step_index), self.sealed.as_ref())
    }
}

/// What does not read back of what is kept beside a run's records is told only where none of these is missing.
pub(super) fn put_off<T>(read: Result<T, StoreError>) -> Result<Result<T, StoreError>, StoreError> {
    match read {
        Err(err) if !matches!(err, StoreError::Corrupt { .. }) => Err(err),
        other => Ok(other),
    }
}
