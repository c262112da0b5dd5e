//! Looks whether this server's clock is right; see [`crate::clocks`].

use chrono::Duration;

use crate::{
    clocks::{self, Look},
    errors::Error,
    spine::Spine,
};

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

/// Holds the newest leaf of all logs against the clock, as a start finds it. Gives that it is ahead, where it is.
pub(crate) async fn look_at_newest(spine: &Spine) -> Result<Option<String>, Error> {
    let Some(steady) = spine.steady() else { return Ok(None) };
    let newest = spine.read_first().await?.ledger().newest_leaf_at().await?;
    let (Some(newest), now) = (newest, spine.now()) else { return Ok(None) };
    if spine.db().is_sqlite() {
        spine.clocks().began_on(newest, (now, steady), spine.settings().run_abandon_after);
    }
    Ok(clocks::is_ahead(newest, now).then(|| clocks::told_ahead(newest, now)))
}

/// What comes is heard from now on: this server comes up, or its store has just been away. Nobody could speak before.
pub(crate) fn hears_from_now(spine: &Spine) {
    if let Some(steady) = spine.steady() {
        spine.clocks().hears_from(steady);
    }
}

/// Whether this server has been there to hear for so long: what was silent meanwhile has not spoken.
pub(crate) fn has_heard_for(spine: &Spine, age: Duration) -> bool {
    spine.steady().is_none_or(|steady| spine.clocks().has_heard_for(steady, age))
}

/// Whether what was silent for long may be given up: for whoever sweeps, after a look whether anything may be swept.
pub(crate) fn may_give_up(spine: &Spine) -> bool {
    may_forget(spine) && has_heard_for(spine, spine.settings().run_abandon_after)
}

/// Whether what is over may be forgotten, after the same look.
pub(crate) fn may_forget(spine: &Spine) -> bool {
    is_past(spine, spine.settings().run_abandon_after)
}

/// Whether a permit whose time is over by the clock has lapsed.
pub(crate) fn may_lapse(spine: &Spine) -> bool {
    is_past(spine, spine.settings().permit_ttl)
}

/// Whether it is in no doubt that what was so long ago by the clock was so.
fn is_past(spine: &Spine, age: Duration) -> bool {
    !spine.steady().is_some_and(|steady| spine.clocks().is_in_doubt(steady, age))
}
