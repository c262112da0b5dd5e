//! Whatever the records of a run hold, they come back from its segments as they were hashed.

use std::collections::HashMap;

use drivers::{
    Db, StoreError, Tx,
    logs::{DecidedStep, Named, NewSegment, RunLines, RunRecords, StoredSegment},
};
use models::{ids::RunId, verdict::Verdict};
use proof::{
    hash,
    records::{Record, RecordKind, StepRecord},
    segment::{Line, MissingSegment},
    tagged::Hashed,
    words::StepSource,
};
use proptest::{
    collection::vec,
    prop_assert, prop_assert_eq,
    test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner},
};
use tokio::{runtime::Handle, task};

use crate::{
    bundles::records_of,
    sample::{self, TENANT, uuid, verdict},
    tape::{RUN, any_record},
    whole,
};

/// What one group adds to the run.
#[derive(Default)]
struct Group {
    evidence: Vec<Record>,
    steps: Vec<(Hashed<StepRecord>, Verdict)>,
}

impl Group {
    fn of(records: Vec<Record>) -> Self {
        let mut group = Self::default();
        for record in records {
            if let Record::Step(step) = record {
                let verdict = verdict(TENANT, RUN, step.step_index);
                group.steps.push((Hashed::new(step), verdict));
            } else {
                group.evidence.push(record);
            }
        }
        group
    }

    fn added(&self, first_record: u64, first_step: u64) -> NewSegment<'_> {
        NewSegment {
            tenant: TENANT,
            run: RunId(uuid(RUN)),
            first_record,
            first_step,
            steps: self.steps.iter().map(|(record, verdict)| DecidedStep { record, verdict }).collect(),
            evidence: self.evidence.iter().map(Line::of).collect(),
            contents: None,
        }
    }
}

/// The same, each in the place that it has among those of its kind. Of what a run has one of, the first alone; and a
/// step has no other's key. The decision that it names is in no segment: nobody who reads segments joins the two.
fn placed(records: Vec<Record>) -> Vec<Record> {
    let mut counts: HashMap<RecordKind, u64> = HashMap::new();
    let mut all = Vec::new();
    for mut record in records {
        let count = counts.entry(record.kind()).or_default();
        let at = *count;
        *count += 1;
        match &mut record {
            Record::Step(step) => {
                step.step_index = at;
                step.idempotency_key = step.idempotency_key.take().map(|key| format!("{at} {key}"));
                step.decision_id = Some(verdict(TENANT, RUN, at).record().decision_id.clone());
            }
            Record::Decision(decision) => decision.seq = at,
            Record::Activity(activity) => activity.seq = at,
            Record::Provider(provider) => provider.seq = at,
            Record::Gap(gap) => gap.seq = at,
            _ if at > 0 => continue,
            _ => {}
        }
        all.push(record);
    }
    all
}

/// What the store gives of a run.
struct Back {
    held: RunRecords,
    missing: Vec<MissingSegment>,
    named: Named,
    stored: Vec<StoredSegment>,
}

async fn stored_and_read(tx: &Tx, added: &[NewSegment<'_>]) -> Result<Back, StoreError> {
    let run = RunId(uuid(RUN));
    tx.traces().append(added).await?;
    let (held, missing, named) = whole::read_run(*tx.traces(), TENANT, run).await;
    let end = tx.traces().segments_end(TENANT, run).await?;
    let stored = tx.traces().segments_behind(TENANT, run, None, &end, 1_000).await?;
    Ok(Back { held, missing, named, stored })
}

/// They are stored in groups of these sizes, by turns, and read back both ways: as values, and as lines of bytes. All
/// of it is undone before it is looked at: smaller ones are tried behind one that fails, and need the store.
async fn come_back(db: &Db, records: Vec<Record>, sizes: &[usize]) -> Result<(), TestCaseError> {
    let records = placed(records);
    let mut due = records.clone();
    due.sort_by_key(|record| (record.kind(), record.position()));
    let mut left = records.into_iter().peekable();
    let mut sizes = sizes.iter().copied().cycle();
    let mut groups = Vec::new();
    while left.peek().is_some() {
        groups.push(Group::of(left.by_ref().take(sizes.next().unwrap_or(1)).collect()));
    }
    let (mut first_record, mut first_step) = (0, 0);
    let mut added = Vec::new();
    for group in &groups {
        added.push(group.added(first_record, first_step));
        first_step += group.steps.len() as u64;
        first_record += (group.steps.len() + group.evidence.len()) as u64;
    }
    let tx = db.begin().await.expect("begin");
    let back = stored_and_read(&tx, &added).await;
    tx.rollback().await.expect("undone");
    let back = back.map_err(|err| TestCaseError::fail(format!("the store: {err}")))?;
    prop_assert_eq!(back.stored.len(), groups.len());
    are_values(&back, &due)?;
    are_lines(&back, &due)
}

/// What was read as values is what is due.
fn are_values(Back { held, missing, .. }: &Back, due: &[Record]) -> Result<(), TestCaseError> {
    prop_assert!(missing.is_empty(), "{missing:?}");
    let mut read = records_of(held);
    read.sort_by_key(|record| (record.kind(), record.position()));
    for (read, due) in read.iter().zip(due) {
        prop_assert!(read == due, "{read:?}\nis not\n{due:?}");
    }
    prop_assert_eq!(read.len(), due.len());
    let steps = due.iter().filter(|record| record.kind() == RecordKind::Step);
    prop_assert!(held.steps.iter().map(|row| row.step_hash).eq(steps.map(Record::hash)));
    prop_assert!(held.steps.iter().all(|row| row.reported == (row.record.source == StepSource::External)));
    Ok(())
}

/// What was read as lines is the bytes that were hashed of what is due.
fn are_lines(Back { named, stored, .. }: &Back, due: &[Record]) -> Result<(), TestCaseError> {
    let mut lines = RunLines::of(None);
    let mut told = Vec::new();
    for segment in stored {
        let Some(met) = lines.meet(segment) else { continue };
        for kind in RecordKind::ALL {
            for line in met.of_kind(*kind) {
                let line = line.map_err(|err| TestCaseError::fail(err.to_string()))?;
                told.push((line.kind(), line.place(), line.text().to_owned()));
            }
        }
    }
    prop_assert!(lines.missing().is_empty(), "{:?}", lines.missing());
    prop_assert!(lines.named() == named, "other texts are named");
    told.sort();
    for ((kind, place, text), record) in told.iter().zip(due) {
        prop_assert_eq!((*kind, Some(*place)), (record.kind(), record.position()));
        prop_assert!(text.as_bytes() == record.canonical_bytes(), "{text}\nis not\n{record:?}");
        prop_assert_eq!(hash::leaf(text.as_bytes()), record.hash(), "{}", text);
    }
    prop_assert_eq!(told.len(), due.len());
    Ok(())
}

/// The beginning of what would fill a screen many times.
fn shortened(text: &str) -> String {
    text.chars().take(4_000).collect()
}

testkit::on_both! {
    /// The same ones each time: what fails once fails again.
    async fn any_records_come_back_as_they_were_hashed(db: TestDatabase) {
        let db = sample::store(db).await;
        whole::start(&db, [RUN]).await;
        let config = Config { cases: 12, max_shrink_iters: 500, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let any = (vec(any_record(), 1..300), vec(1..60_usize, 1..6));
        let handle = Handle::current();
        let tried = task::block_in_place(|| {
            runner.run(&any, |(records, sizes)| handle.block_on(come_back(&db, records, &sizes)))
        });
        match tried {
            Ok(()) => {}
            Err(TestError::Abort(why)) => panic!("{why}"),
            Err(TestError::Fail(why, (records, sizes))) => {
                let (why, count) = (shortened(why.message()), records.len());
                let records = shortened(&format!("{records:?}"));
                panic!("{why}\n{count} records in groups of {sizes:?}: {records}");
            }
        }
    }
}
