//! What a group adds to a run's log of records. A step gets in only with a verdict.

use entities::logs::{run_contents, run_segments as segments, step_keys};
use models::{
    ids::{RunId, TenantId},
    logs::{KeyDigest, StepKey},
    verdict::Verdict,
};
use proof::{
    records::{RecordKind, StepRecord},
    segment::{self as codec, FEED, Line},
    tagged::Hashed,
};

use crate::{
    StoreError, bulk,
    field::{Field as _, corrupt},
    logs::{
        TraceStore,
        contents::{self, NewContents},
    },
};

/// A step, and the verdict of the choke point that lets it into the chain. There is no other way in, so a step that
/// nothing judged does not compile:
///
/// ```compile_fail,E0308
/// # fn f<'r>(
/// #     record: &'r proof::tagged::Hashed<proof::records::StepRecord>,
/// #     segment: &mut drivers::logs::NewSegment<'r>,
/// # ) {
/// segment.steps.push(record);
/// # }
/// ```
///
/// ```compile_fail,E0063
/// # use drivers::logs::DecidedStep;
/// # use proof::{records::StepRecord, tagged::Hashed};
/// # fn f<'a>(record: &'a Hashed<StepRecord>) -> DecidedStep<'a> {
/// DecidedStep { record, reported: false }
/// # }
/// ```
///
/// A verdict cannot be put together by hand either:
///
/// ```compile_fail,E0451
/// # use models::verdict::Verdict;
/// # use proof::{records::DecisionRecord, tagged::Hashed};
/// # fn f(decision: std::sync::Arc<Hashed<DecisionRecord>>) -> Verdict {
/// Verdict { decision }
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DecidedStep<'v> {
    /// The step as it is hashed. It names the verdict's decision.
    pub record: &'v Hashed<StepRecord>,
    /// What the choke point concluded.
    pub verdict: &'v Verdict,
}

impl DecidedStep<'_> {
    /// The record, if it and the verdict speak of the same.
    fn record(&self) -> Result<&Hashed<StepRecord>, String> {
        let decision = self.verdict.record();
        let names_it = self.record.decision_id.as_deref() == Some(decision.decision_id.as_str());
        let is_of_it = self.record.run_id == decision.run_id && self.record.tenant_id == decision.tenant_id;
        (names_it && is_of_it)
            .then_some(self.record)
            .ok_or_else(|| format!("step {}: its verdict is about another", self.record.step_index))
    }
}

/// What a group adds to one run.
#[derive(Clone, Debug)]
pub struct NewSegment<'r> {
    /// Whose it is.
    pub tenant: TenantId,
    /// The run.
    pub run: RunId,
    /// How many records the run's segments hold before it.
    pub first_record: u64,
    /// The index of its first step; where it has none, that of the run's next.
    pub first_step: u64,
    /// Its steps, in order.
    pub steps: Vec<DecidedStep<'r>>,
    /// Its other records, each kind in order of its place.
    pub evidence: Vec<Line<'r>>,
    /// The texts that its records name; none where they name none, or none are kept of the run.
    pub contents: Option<NewContents<'r>>,
}

impl TraceStore<'_> {
    /// Adds to the logs of runs, one segment a run. A place, or a run's idempotency key, that is taken is a conflict.
    pub async fn append(self, added: &[NewSegment<'_>]) -> Result<(), StoreError> {
        for segment in added {
            self.conn.counters().note_steps(segment.tenant, segment.run, segment.first_step);
        }
        let rows = added.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        bulk::insert::<segments::Entity>(self.conn, rows).await?;
        let keys = added.iter().flat_map(keys_of).collect::<Result<Vec<_>, _>>()?;
        bulk::insert::<step_keys::Entity>(self.conn, keys).await?;
        let texts = added.iter().filter_map(texts_of).collect::<Result<Vec<_>, _>>()?;
        bulk::insert::<run_contents::Entity>(self.conn, texts).await
    }
}

/// What stands in the open for a key, beside whether it is a span's.
pub(super) fn digest(key: &str) -> Vec<u8> {
    KeyDigest::of(key, false).bytes.to_vec()
}

fn keys_of<'s>(
    segment: &'s NewSegment<'_>,
) -> impl Iterator<Item = Result<step_keys::Model, StoreError>> + 's {
    segment.steps.iter().filter_map(move |step| {
        let key = StepKey::of(step.record)?;
        let index = i64::put(&step.record.step_index);
        Some(index.map_err(|why| refused(segment, "step_index", &why)).map(|step_index| step_keys::Model {
            tenant_id: entities::Id(segment.tenant),
            run_id: entities::Id(segment.run),
            digest: digest(key.text()),
            step_index,
            is_span: key.is_span(),
        }))
    })
}

fn texts_of(segment: &NewSegment<'_>) -> Option<Result<run_contents::Model, StoreError>> {
    let new = segment.contents.filter(|contents| contents.texts.count() > 0)?;
    Some(contents::row(segment.tenant, segment.run, segment.first_record, new))
}

fn row(segment: &NewSegment<'_>) -> Result<segments::Model, StoreError> {
    let lengths = segment.evidence.iter().map(|line| line.bytes().len());
    let lengths = lengths.chain(segment.steps.iter().map(|step| step.record.canonical_bytes().len()));
    let mut lines = Vec::with_capacity(lengths.map(|length| length + 1).sum());
    let mut counts = Counts::default();
    for line in &segment.evidence {
        counts.note(line.kind());
        push(&mut lines, line.bytes());
    }
    for step in &segment.steps {
        let record = step.record().map_err(|why| refused(segment, "steps", &why))?;
        push(&mut lines, record.canonical_bytes());
    }
    let body = codec::press(&lines).map_err(|why| refused(segment, "body", &why))?;
    // What does not come back as it was hashed must not be stored.
    let opened =
        codec::open(codec::NEWEST, &body, lines.len()).map_err(|why| refused(segment, "body", &why))?;
    if opened != lines {
        return Err(refused(segment, "body", "it does not open to what was pressed"));
    }
    let number = |column: &str, value: usize| {
        i64::try_from(value).map_err(|err| refused(segment, column, &err.to_string()))
    };
    let place = |column: &str, value: u64| i64::put(&value).map_err(|why| refused(segment, column, &why));
    Ok(segments::Model {
        tenant_id: entities::Id(segment.tenant),
        run_id: entities::Id(segment.run),
        first_record: place("first_record", segment.first_record)?,
        record_count: number("record_count", segment.steps.len() + segment.evidence.len())?,
        first_step: place("first_step", segment.first_step)?,
        step_count: number("step_count", segment.steps.len())?,
        decision_count: counts.decisions,
        environment_count: counts.environments,
        activity_count: counts.activities,
        provider_count: counts.providers,
        codec: codec::NEWEST,
        raw_length: number("raw_length", lines.len())?,
        body,
    })
}

fn push(lines: &mut Vec<u8>, line: &[u8]) {
    if !lines.is_empty() {
        lines.push(FEED);
    }
    lines.extend_from_slice(line);
}

/// How many records of the classes that a seal counts.
#[derive(Default)]
struct Counts {
    decisions: i64,
    environments: i64,
    activities: i64,
    providers: i64,
}

impl Counts {
    fn note(&mut self, kind: RecordKind) {
        match kind {
            RecordKind::Decision => self.decisions += 1,
            RecordKind::Environment => self.environments += 1,
            RecordKind::Activity => self.activities += 1,
            RecordKind::Provider => self.providers += 1,
            _ => {}
        }
    }
}

fn refused(segment: &NewSegment<'_>, column: &str, why: &str) -> StoreError {
    corrupt(&segments::Entity, format!("{}/{}", segment.run, segment.first_record), column, why)
}
