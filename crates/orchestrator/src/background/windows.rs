//! Forgets windows of limits that are over: nobody is measured against them any more, and a limit by the second leaves
//! one behind each second.

use chrono::TimeDelta;
use drivers::FORGOTTEN_AT_ONCE;

use crate::{clock_check, errors::Error, spine::Spine};

/// How long after its end a window is kept, for answers that were given while the store was down and are still to be
/// written: they count in the window in which they were given. What comes later still has a window to itself.
const KEPT: TimeDelta = TimeDelta::days(1);

/// How many steps one tick takes at most, each a transaction of its own; the next tick goes on.
const STEPS: usize = 20;

/// Forgets what is to be forgotten at the spine's time, if that can be relied on. Gives how many windows.
pub async fn tick(spine: &Spine) -> Result<u64, Error> {
    if !clock_check::may_sweep(spine).await? || !clock_check::may_forget(spine) {
        return Ok(0);
    }
    let mut forgotten = 0;
    for _ in 0..STEPS {
        let tx = spine.begin().await?;
        let step = tx.policies().forget_windows(spine.now() - KEPT).await?;
        tx.commit().await?;
        forgotten += step;
        if step < FORGOTTEN_AT_ONCE {
            break;
        }
    }
    Ok(forgotten)
}
