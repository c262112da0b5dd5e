//! Marks live runs of which nothing is heard, or that go on for far longer than expected: no call tells of what does
//! not happen. What a call finds later is derived from what holds then, as ever.

use chrono::{DateTime, TimeDelta};
use drivers::STALLED_AT_ONCE;
use engines::activity::{EXPECTED_MS, SILENCE_MS, STALLED_FACTOR};
use models::activity::{Marked, Stalls};

use crate::{clock_check, errors::Error, spine::Spine};

/// Marks what stalls at the spine's time, if that can be relied on: runs of all tenants, a bounded number in each unit
/// of work. Gives how many.
pub async fn tick(spine: &Spine) -> Result<u64, Error> {
    if !clock_check::may_sweep(spine).await? {
        return Ok(0);
    }
    let now = spine.now();
    let silence = TimeDelta::milliseconds(i64::try_from(SILENCE_MS).unwrap_or(i64::MAX));
    // Who could not speak for so long has not been silent: then only those are marked that go on for too long.
    let heard = clock_check::has_heard_for(spine, silence);
    let silent_since = if heard { now - silence } else { DateTime::UNIX_EPOCH };
    let stalls = Stalls { now, silent_since, expected_ms: EXPECTED_MS, factor: STALLED_FACTOR };
    let mut all = 0;
    loop {
        let tx = spine.begin().await?;
        let Marked { found, marked } = tx.activity().mark_stalled(stalls).await?;
        tx.commit().await?;
        all += marked;
        // Those of which none could be marked would only be found again.
        if found < STALLED_AT_ONCE || marked == 0 {
            return Ok(all);
        }
    }
}
