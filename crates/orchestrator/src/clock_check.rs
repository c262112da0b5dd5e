//! Looks whether this server's clock is right; see [`crate::clocks`].

use chrono::Duration;

use crate::{clocks::Look, errors::Error, spine::Spine};

/// Looks at the clock. Gives what is wrong with it.
pub(crate) async fn look(spine: &Spine) -> Result<Option<String>, Error> {
    let Some(steady) = spine.steady() else { return Ok(None) };
    let before = spine.own_clock();
    match spine.db().now().await? {
        Some(store) => {
            // The store answered between the two; only what lies outside of that is certain.
            let after = spine.own_clock();
            let off = if before > store { before - store } else { (after - store).min(Duration::zero()) };
            spine.clocks().compared(Look { before, steady, off, took: after - before });
        }
        None => spine.clocks().moved_on(before, steady, spine.settings().run_abandon_after),
    }
    Ok(spine.clocks().wrong())
}

/// Looks at the clock; whether what is due by it may be ended.
pub(crate) async fn may_sweep(spine: &Spine) -> Result<bool, Error> {
    look(spine).await?;
    Ok(!spine.steady().is_some_and(|steady| spine.clocks().holds_sweeper(steady)))
}
