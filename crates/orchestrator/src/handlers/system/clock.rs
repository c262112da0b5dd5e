//! How far the clock may be relied on, as the command line asks and tells.

use crate::{clock_check, errors::Error, spine::Spine};

/// Looks at the clock before anything is served by it, and tells where the logs reach beyond it. A store that does not
/// answer is looked at again by the sweeper.
pub async fn look_at_clock(spine: &Spine) -> Result<(), Error> {
    clock_check::hears_from_now(spine);
    clock_check::look(spine).await?;
    match clock_check::look_at_newest(spine).await {
        Ok(None) => {}
        Ok(Some(why)) => tracing::error!("{why}"),
        // A head that cannot be read is told of by whoever needs it, and keeps nobody else from being served.
        Err(err) => tracing::warn!(
            error = &err as &dyn std::error::Error,
            "how far the logs of this store reach could not be read"
        ),
    }
    Ok(())
}

/// That the logs reach into the future, where they do: by the store's clock, or this machine's where the store has
/// none.
pub async fn logs_ahead(spine: &Spine) -> Result<Option<String>, Error> {
    clock_check::look(spine).await?;
    clock_check::look_at_newest(spine).await
}
