//! Holds a tenant's counters against what they count (ADR 44), a day or some agents in each round, and counts anew
//! where somebody asks for it.

use std::time::Duration;

use drivers::{ReadTx, StoreError, Tx, counters::Round};
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

/// How many rows of counters that cannot be mended are deleted at once.
const DELETED: usize = 50;

/// So many times at most some of the rows that came to nothing are deleted in one piece of the check.
const DELETIONS: usize = 20;

/// How long that waits for who writes to such a row at that moment.
const PATIENCE: Duration = Duration::from_millis(50);

/// Looks at the counters of the round after another; gives what was found, and the round, if there was one.
pub(crate) async fn check_next(
    store: &ReadTx,
    tenant: TenantId,
    after: Option<&Round>,
) -> Result<(Vec<Found>, Option<Round>), StoreError> {
    let round = match store.counters().next_round(tenant, after).await {
        Ok(Some(round)) => round,
        Ok(None) => return Ok((Vec::new(), None)),
        // Where to go on cannot be read: the pass ends.
        Err(err) => return Ok((vec![of_corrupt(None, err)?], None)),
    };
    let told = match store.counters().miscounts(tenant, &round).await {
        Ok(miscounts) => miscounts.into_iter().take(TOLD).map(found).collect(),
        Err(err) => vec![of_corrupt(None, err)?],
    };
    Ok((told, Some(round)))
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
    let (mut found, mut last) = (Vec::new(), None);
    loop {
        // Each round from a moment of its own: none of them keeps a long history of the store alive.
        let store = spine.read().await?;
        let Some(round) = store.counters().next_round(tenant, last.as_ref()).await? else {
            return Ok(found);
        };
        found.extend(store.counters().miscounts(tenant, &round).await?);
        last = Some(round);
    }
}

/// Makes a tenant's counters say what is there; gives those that did not when it looked: another who counts anew may
/// have mended some of them while this waited. Whoever writes what is counted may go on
/// meanwhile. Each time that it is to wait for another who does so, `waits` is told before for whom: the number that
/// Postgres gives that one's connection.
pub async fn recount(
    spine: &Spine,
    tenant: TenantId,
    waits: &(dyn Fn(i32) + Sync),
) -> Result<Vec<Miscount>, Error> {
    let (mut mended, mut last) = (Vec::new(), None);
    loop {
        let next = spine.read().await?.counters().next_round(tenant, last.as_ref()).await?;
        let Some(round) = next else { return Ok(mended) };
        mended.extend(retrying(spine, || recount_round(spine, (tenant, &round), waits)).await?);
        last = Some(round);
    }
}

async fn recount_round(
    spine: &Spine,
    (tenant, round): (TenantId, &Round),
    waits: &(dyn Fn(i32) + Sync),
) -> Result<Vec<Miscount>, Error> {
    let wrong = spine.read().await?.counters().miscounts(tenant, round).await?;
    if wrong.is_empty() {
        return Ok(wrong);
    }
    let strays = spine.read().await?.counters().strays(tenant, round).await?;
    // A few at once: who adds to one of them waits until they are deleted.
    for some in strays.chunks(DELETED) {
        let tx = spine.begin().await?;
        tx.counters().delete(tenant, some).await?;
        tx.commit().await?;
    }
    let alone = alone(spine, tenant, waits).await?;
    // Of a moment behind those who counted anew before.
    let lacking = spine.read().await?.counters().lacking(tenant, round).await?;
    if lacking.is_empty() {
        return Ok(wrong);
    }
    let tx = match alone {
        Some(tx) => tx,
        None => spine.begin().await?,
    };
    tx.counters().mend(lacking);
    tx.commit().await?;
    Ok(wrong)
}

/// A unit of work until whose end nobody else counts the tenant anew; none on a store that has no lock for that. It
/// waits for as long as another counts, which takes as long as there are calls: a person asked for it, is told that it
/// waits, and may end it.
async fn alone(
    spine: &Spine,
    tenant: TenantId,
    waits: &(dyn Fn(i32) + Sync),
) -> Result<Option<Tx>, StoreError> {
    loop {
        let tx = spine.begin().await?;
        if let Some(other) = tx.counters().recounted_by(tenant).await? {
            waits(other);
        }
        let is_held = tx.counters().hold_recounts(tenant).await;
        match is_held {
            Ok(true) => return Ok(Some(tx)),
            Ok(false) => {
                tx.rollback().await?;
                return Ok(None);
            }
            // The store gave up the lock, and not we: what it waits for at once has an end.
            Err(err) if err.is_locked() => tracing::debug!("another counts anew; waiting on"),
            Err(err) => return Err(err),
        }
    }
}

/// Deletes the counters of a round that came to nothing. A run that ended leaves nothing of how it stood while it was
/// live, and of agents that are named anew that is most of what they have. On a day that is not over it is soon used
/// again. True where there may be more of them, with which the next piece goes on. What somebody holds is deleted in
/// the next pass.
pub(crate) async fn sweep(spine: &Spine, tenant: TenantId, round: &Round) -> bool {
    let may_be = match round {
        Round::Day(day) => *day < spine.now().date_naive(),
        Round::Whole => false,
        Round::Agents { .. } => true,
    };
    if !may_be {
        return false;
    }
    for _ in 0..DELETIONS {
        match sweep_some(spine, tenant, round).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(err) => {
                let err = &err as &dyn std::error::Error;
                tracing::debug!(error = err, "counters that came to nothing stay until the next pass");
                return false;
            }
        }
    }
    true
}

async fn sweep_some(spine: &Spine, tenant: TenantId, round: &Round) -> Result<bool, StoreError> {
    if !spine.read().await?.counters().has_empty(tenant, round).await? {
        return Ok(false);
    }
    let tx = spine.begin().await?;
    tx.wait_at_most(PATIENCE).await?;
    let is_more = tx.counters().sweep(tenant, round).await?;
    tx.commit().await?;
    Ok(is_more)
}
