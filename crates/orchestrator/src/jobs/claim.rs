//! A server takes a job that is due.

use chrono::{DateTime, Utc};
use drivers::StoreError;
use engines::jobs::{Taken, take};
use models::jobs::JobKind;

use super::{policy::policy_of, stored::store, work::Work};
use crate::{errors::Error, spine::Spine};

/// So many jobs of which the row does not read back are passed over: no other waits behind them.
const PASSED_OVER: u64 = 8;

/// Takes the job of one of these kinds that has been due longest, if it was at `due_by`; none where there is none.
pub(super) async fn claim(
    spine: &Spine,
    kinds: &[JobKind],
    by: &str,
    due_by: DateTime<Utc>,
) -> Result<Option<Work>, Error> {
    let mut bad = 0;
    while !kinds.is_empty() && spine.read_first().await?.jobs().is_due(kinds, due_by).await? {
        let tx = spine.begin().await?;
        let now = spine.now();
        let job = match tx.jobs().claim_due(kinds, due_by, bad).await {
            Ok(Some(job)) => job,
            Ok(None) => return Ok(None),
            Err(err @ StoreError::Corrupt { .. }) if bad < PASSED_OVER => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "a job cannot be read; it is passed over"
                );
                bad += 1;
                continue;
            }
            Err(err) => return Err(err.into()),
        };
        let policy = policy_of(spine, job.kind);
        match take(job, by, &policy, now) {
            Taken::Started(moved) => {
                let job = store(&tx, moved).await?;
                tx.commit().await?;
                return Ok(Some(Work::new(spine, job, by)));
            }
            Taken::GivenUp(moved) => {
                let job = store(&tx, moved).await?;
                tx.commit().await?;
                let (tenant, id, kind) = (job.tenant, job.id, job.kind);
                tracing::error!(%tenant, job = %id, %kind, "every server that was at a job went silent; it is given up");
            }
        }
    }
    Ok(None)
}
