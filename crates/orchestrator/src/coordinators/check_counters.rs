//! Holds a tenant's counters against what they count (ADR 44), a day in each round, and counts anew where somebody asks
//! for it.

use chrono::NaiveDate;
use drivers::{ReadTx, StoreError, counters::Round};
use engines::incidents::Mismatch;
use models::{counters::Miscount, ids::TenantId};

use crate::{
    consequences::found::{Found, of_corrupt},
    errors::Error,
    retrying::retrying,
    spine::Spine,
};

/// How many counters one round tells of: where all of them are wrong, the first say enough.
const TOLD: usize = 10;

/// Looks at the counters of the next day after another, and after the last at those of no day; gives what was found,
/// and the day, if there was one.
pub(crate) async fn check_next(
    store: &ReadTx,
    tenant: TenantId,
    after: Option<NaiveDate>,
) -> Result<(Vec<Found>, Option<NaiveDate>), StoreError> {
    let looked = async {
        let day = store.counters().next_day(tenant, after).await?;
        let round = day.map_or(Round::Whole, Round::Day);
        Ok::<_, StoreError>((store.counters().miscounts(tenant, round).await?, day))
    };
    match looked.await {
        Ok((miscounts, day)) => Ok((miscounts.into_iter().take(TOLD).map(found).collect(), day)),
        // What cannot be read ends the pass: who counts anew is told the same.
        Err(err) => Ok((vec![of_corrupt(None, err)?], None)),
    }
}

fn found(miscount: Miscount) -> Found {
    let Miscount { counted, name, differs } = miscount;
    let mismatch = Mismatch {
        table: "counters",
        row: counted.to_string(),
        log: "the rows that it counts",
        why: format!("of {name} {differs} (`hoc doctor --recount` counts anew)"),
        policy_id: None,
        part_of: None,
    };
    (None, mismatch)
}

/// Every counter of a tenant that does not say what is there.
pub async fn miscounts(spine: &Spine, tenant: TenantId) -> Result<Vec<Miscount>, Error> {
    let (mut found, mut day) = (Vec::new(), None);
    loop {
        // Each round from a moment of its own: none of them keeps a long history of the store alive.
        let store = spine.read().await?;
        let next = store.counters().next_day(tenant, day).await?;
        found.extend(store.counters().miscounts(tenant, next.map_or(Round::Whole, Round::Day)).await?);
        match next {
            Some(_) => day = next,
            None => return Ok(found),
        }
    }
}

/// Makes a tenant's counters say what is there; gives those that did not. Each day that is wrong is a unit of work,
/// behind which whoever writes what is counted waits.
pub async fn recount(spine: &Spine, tenant: TenantId) -> Result<Vec<Miscount>, Error> {
    let (mut mended, mut day) = (Vec::new(), None);
    loop {
        let next = spine.read().await?.counters().next_day(tenant, day).await?;
        let round = next.map_or(Round::Whole, Round::Day);
        mended.extend(retrying(spine, || recount_round(spine, tenant, round)).await?);
        match next {
            Some(_) => day = next,
            None => return Ok(mended),
        }
    }
}

async fn recount_round(spine: &Spine, tenant: TenantId, round: Round) -> Result<Vec<Miscount>, Error> {
    // Looked at first: where nothing is wrong, nobody is to wait.
    if spine.read().await?.counters().miscounts(tenant, round).await?.is_empty() {
        return Ok(Vec::new());
    }
    let tx = spine.begin().await?;
    let mended = tx.counters().recount(tenant, round).await?;
    tx.commit().await?;
    Ok(mended)
}
