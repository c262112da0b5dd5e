//! Looks into every segment of every run of a tenant, a piece at a time: for who examines a store. Each is opened, and
//! the idempotency keys of the steps are held against them, both ways, and so are the bodies of their texts.

use models::ids::{RunId, TenantId};
use proof::{contents::MissingContents, segment::MissingSegment};

use crate::{
    consequences::{
        found::{of_contents, of_row, of_segments},
        mismatches::tell,
    },
    errors::Error,
    spine::Spine,
};

/// Runs of one piece: few, for whoever waits sees nothing of one until it is over.
const RUNS: u64 = 20;

/// How many of the newest runs that have steps are glanced at: a store without its segments shows in the first.
const GLANCED: u64 = 50;

/// What was looked into, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many runs.
    pub runs: u64,
    /// How many segments.
    pub segments: u64,
    /// How many idempotency keys of steps.
    pub keys: u64,
    /// Each run that is not as it was recorded, and what is wrong with it.
    pub faults: Vec<(RunId, String)>,
    /// The last of the runs: none where there were no more.
    pub last: Option<RunId>,
}

/// Looks into the runs that come after the last one given. What is found is an incident of its run, as where the
/// background check finds it.
pub async fn look_into(spine: &Spine, tenant: TenantId, after: Option<RunId>) -> Result<Looked, Error> {
    let runs = spine.read().await?.activity().run_ids(tenant, after, RUNS).await?;
    let mut looked = Looked { runs: runs.len() as u64, last: runs.last().copied(), ..Looked::default() };
    for run in runs {
        // A moment for each: a long look must not hold back what is written meanwhile.
        let of_run = spine.read().await?.traces().look_into(tenant, run).await?;
        looked.segments += of_run.segments;
        looked.keys += of_run.keys;
        let name = run.to_string();
        let mut found = of_segments(run, &of_run.missing);
        let mut why = Vec::new();
        if !of_run.missing.is_empty() {
            why.push(MissingSegment::told_of_all(&of_run.missing, &name));
        }
        if !of_run.missing_contents.is_empty() {
            why.push(MissingContents::told_of_all(&of_run.missing_contents, &name));
            found.extend(of_contents(run, &of_run.missing_contents));
        }
        for wrong in of_run.wrong_keys {
            why.push(format!("step_keys row {name}: {wrong}"));
            found.push(of_row(Some(run), "step_keys", name.clone(), wrong));
        }
        if !why.is_empty() {
            tell(spine, tenant, &found).await;
            looked.faults.push((run, why.join("; ")));
        }
    }
    Ok(looked)
}

/// What shows without opening a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glanced {
    /// How many of the newest runs there were that have steps.
    pub runs: u64,
    /// Those among them of which the first segment is not there.
    pub not_begun: Vec<RunId>,
}

/// Whether the newest runs have the records that they begin with, for who has no time to look into all: a few looks
/// into an index, and nothing is opened. A backup of some tables, without the records, shows by that.
pub async fn glance(spine: &Spine, tenant: TenantId) -> Result<Glanced, Error> {
    let store = spine.read().await?;
    let runs = store.activity().newest_with_steps(tenant, GLANCED).await?;
    let not_begun = store.traces().not_begun(tenant, &runs).await?;
    Ok(Glanced { runs: runs.len() as u64, not_begun })
}

/// How many runs there are to look into, by the counters: to say how far one is, and for nothing else.
pub async fn how_many(spine: &Spine, tenant: TenantId) -> Result<u64, Error> {
    Ok(spine.read().await?.activity().run_counts(tenant).await?.total)
}
