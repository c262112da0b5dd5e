//! The steps that were recorded under idempotency keys. A key stands in the open, its step in a segment; one whose
//! segment does not open is lost, and said to be.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use entities::logs::step_keys;
use models::{
    ids::{RunId, TenantId},
    logs::{StepKey, StepRow},
};
use proof::segment::MissingSegment;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};

use super::{
    held::Place,
    read::{JudgedStep, in_steps, judged},
    run::{Around, rows_around},
    write::digest,
};
use crate::{
    StoreError,
    conn::Conn,
    field::{Field as _, corrupt},
    keys, read,
};

/// Steps that are no further apart are asked for together.
const NEAR: u64 = 64;

/// What was recorded under some keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepsUnder {
    /// The steps, each with its decision.
    pub found: Vec<JudgedStep>,
    /// Those that were recorded, and are not to be read.
    pub lost: Vec<LostStep>,
}

/// A step whose key stands in the open, and whose record is not to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostStep {
    /// Its run.
    pub run: RunId,
    /// The key that it was recorded under.
    pub key: StepKey,
    /// Where it is among the steps of its run, as its key says.
    pub step_index: u64,
    /// The table that does not match.
    pub table: &'static str,
    /// Which row of it, by run and place.
    pub row: String,
    /// What is wrong with it.
    pub why: String,
}

/// Keys that stand in the open, each with the run and the index of its step, which was not found there; in order.
pub(crate) type Missed = Vec<((RunId, u64), StepKey)>;

/// The steps that were recorded under these keys of runs, with their decisions; and the keys of those that are lost.
pub(crate) async fn steps_under(
    conn: &Conn,
    tenant: TenantId,
    keys: &[(RunId, StepKey)],
) -> Result<(Vec<JudgedStep>, Missed), StoreError> {
    let wanted: HashMap<(RunId, u64), &StepKey> = {
        let place = |(run, key): &(RunId, StepKey)| (*run, digest(key.text()));
        let by_place: HashMap<((RunId, Vec<u8>), bool), &StepKey> =
            keys.iter().map(|of| ((place(of), of.1.is_span()), &of.1)).collect();
        let mut wanted = HashMap::new();
        for row in places_under(conn, tenant, keys.iter().map(place).collect()).await? {
            let (at, run) = (step_of(&row)?, row.run_id.0);
            let key = by_place.get(&((run, row.digest), row.is_span));
            wanted.extend(key.map(|key| ((run, at), *key)));
        }
        wanted
    };
    let ranges = ranges_of(wanted.keys().copied());
    let mut found = Vec::with_capacity(wanted.len());
    let mut there: HashSet<(RunId, u64)> = HashSet::with_capacity(wanted.len());
    for opened in in_steps(conn, tenant, &ranges).await? {
        let (run, records) = match opened {
            Ok(opened) => opened,
            // What it held is not there, and is said to be lost.
            Err(StoreError::Corrupt { .. }) => continue,
            Err(err) => return Err(err),
        };
        let is_wanted = |step: &StepRow| {
            let key = wanted.get(&(run, step.record.step_index));
            key.is_some_and(|key| StepKey::of(&step.record).as_ref() == Some(*key))
        };
        for step in judged(records).filter(|step| is_wanted(&step.step)) {
            there.insert((run, step.step.record.step_index));
            found.push(step);
        }
    }
    let missed = wanted.into_iter().filter(|(place, _)| !there.contains(place));
    let mut missed: Missed = missed.map(|(place, key)| (place, key.clone())).collect();
    missed.sort_unstable_by_key(|(place, _)| *place);
    Ok((found, missed))
}

/// Why these steps are lost: all segments around them are looked for at once, and opened once for steps that are near
/// each other. `counted` is how much their runs have counted.
pub(crate) async fn why_lost(
    conn: &Conn,
    tenant: TenantId,
    missed: Missed,
    counted: &HashMap<RunId, Place>,
) -> Result<Vec<LostStep>, StoreError> {
    let ranges = ranges_of(missed.iter().map(|(place, _)| *place));
    let rows = rows_around(conn, tenant, &ranges).await?;
    let mut lost = Vec::with_capacity(missed.len());
    let mut missed = missed.into_iter().peekable();
    for (run, range) in &ranges {
        let Around { mut held, is_end } = Around::among(&rows, *run, range);
        if let Some(counted) = counted.get(run).filter(|_| is_end) {
            held.end_at(*counted);
        }
        while let Some((place, key)) = missed.next_if(|((of, at), _)| of == run && range.contains(at)) {
            lost.push(lost_step(&held.missing, place, key));
        }
    }
    Ok(lost)
}

/// Which segment the step would be in, and what is wrong with it; where it is whole, it is the key that does not match.
fn lost_step(missing: &[MissingSegment], (run, at): (RunId, u64), key: StepKey) -> LostStep {
    let is_in = |one: &&MissingSegment| one.first_step <= at && at - one.first_step < one.step_count;
    let (table, row, why) = match missing.iter().find(is_in) {
        Some(one) => ("run_segments", one.row(&run.to_string()), one.why.clone()),
        None => {
            ("step_keys", run.to_string(), format!("it names step {at}, which is not there under its key"))
        }
    };
    LostStep { run, key, step_index: at, table, row, why }
}

/// Single steps as few ranges of steps: those that are near each other are mostly in the same segments.
fn ranges_of(steps: impl Iterator<Item = (RunId, u64)>) -> Vec<(RunId, Range<u64>)> {
    let mut steps: Vec<(RunId, u64)> = steps.collect();
    steps.sort_unstable();
    let mut ranges: Vec<(RunId, Range<u64>)> = Vec::new();
    for (run, at) in steps {
        match ranges.last_mut() {
            Some((of, range)) if *of == run && at < range.end.saturating_add(NEAR) => {
                range.end = at.saturating_add(1);
            }
            _ => ranges.push((run, at..at.saturating_add(1))),
        }
    }
    ranges
}

/// Where the spans that are recorded under these keys are among a run's steps.
pub(crate) async fn spans_under(
    conn: &Conn,
    tenant: TenantId,
    run: RunId,
    keys: &[String],
) -> Result<HashMap<String, u64>, StoreError> {
    let by_digest: HashMap<Vec<u8>, &String> = keys.iter().map(|key| (digest(key), key)).collect();
    let digests = by_digest.keys().map(|digest| (run, digest.clone())).collect();
    let mut places = HashMap::new();
    for row in places_under(conn, tenant, digests).await?.into_iter().filter(|row| row.is_span) {
        let at = step_of(&row)?;
        places.extend(by_digest.get(&row.digest).map(|key| ((*key).clone(), at)));
    }
    Ok(places)
}

fn keys_of(tenant: TenantId) -> Select<step_keys::Entity> {
    step_keys::Entity::find().filter(step_keys::Column::TenantId.eq(tenant.0))
}

/// The rows of keys of which these are the runs and the digests.
async fn places_under(
    conn: &Conn,
    tenant: TenantId,
    digests: Vec<(RunId, Vec<u8>)>,
) -> Result<Vec<step_keys::Model>, StoreError> {
    use step_keys::Column as K;
    let digests = keys::in_order(&digests).into_iter().map(|(run, of)| [run.0.into(), of.into()]).collect();
    read::by_keys(conn, keys_of(tenant), [K::RunId, K::Digest], digests).await
}

/// The index that a key's row names.
fn step_of(row: &step_keys::Model) -> Result<u64, StoreError> {
    row.step_index
        .get()
        .map_err(|why| corrupt(&step_keys::Entity, row.run_id.to_string(), "step_index", &why))
}
