//! Whether this server should be sent calls.

use crate::{
    checkpoints::{lost::look_into_fall, signs::installation},
    clock_check,
    errors::Error,
    fallen::Fallen,
    spine::Spine,
};

/// Why this server should be sent no calls now.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The schema is behind: nothing that is stored can be relied on to fit.
    #[error("{} migration(s) are not applied: run `hoc migrate`", .0.len())]
    Migrations(Vec<String>),
    /// An older backup was restored. Whoever asks has no key, and is told no names: the log has them.
    #[error("{0}. The log of this server says what is missing, and where what it has seen is kept")]
    HeldBack(String),
    /// The clock is not the store's, or is behind what an embedded store holds.
    #[error("{0}")]
    Clock(String),
    /// Another key signs for the store: checkpoints are not signed, and bundles are not to be had here.
    #[error("{0}")]
    OtherSigningKey(String),
    /// Work that must go on does not: checkpoints are not signed, or runs are not ended.
    #[error("background work has stopped, and is tried again: {}", .0.join(", "))]
    Background(Vec<&'static str>),
    /// The file of an embedded store is damaged: what is not damaged of it may be read.
    #[error("{0}")]
    Damaged(&'static str),
    /// The store does not answer, or does not commit.
    #[error("the store takes no commits")]
    Store(#[source] Error),
}

/// `system.readyz`: whether the store is migrated, and commits, is signed with the key of this server, and has its
/// time.
#[tracing::instrument(name = "system.readyz", level = "debug", skip_all)]
pub async fn readyz(spine: &Spine) -> Result<(), NotReady> {
    if let Some(why) = spine.db().damaged() {
        return Err(NotReady::Damaged(why));
    }
    let store = |err| NotReady::Store(Error::from(err));
    let pending = spine.db().pending_migrations().await.map_err(store)?;
    if !pending.is_empty() {
        return Err(NotReady::Migrations(pending));
    }
    if let Some(why) = look_into_fall(spine).await {
        return Err(NotReady::HeldBack(why.to_owned()));
    }
    if let Some(why) = spine.held_back_in_short() {
        return Err(NotReady::HeldBack(why));
    }
    runs_on(spine.fallen())?;
    signs(spine).await?;
    spine.db().can_commit().await.map_err(store)?;
    let wrong = clock_check::look(spine).await.map_err(NotReady::Store)?;
    let wrong = wrong.or_else(|| spine.clocks().store_ahead(spine.own_clock()));
    wrong.map_or(Ok(()), |why| Err(NotReady::Clock(why)))
}

/// Refuses where another key signs for the store.
async fn signs(spine: &Spine) -> Result<(), NotReady> {
    let store = spine.read_first().await.map_err(|err| NotReady::Store(err.into()))?;
    match installation(spine, &store).await {
        Ok(_) => Ok(()),
        Err(Error::OtherSigningKey(why)) => Err(NotReady::OtherSigningKey(why)),
        Err(err) => Err(NotReady::Store(err)),
    }
}

/// Refuses while background work stands still.
pub(crate) fn runs_on(fallen: &Fallen) -> Result<(), NotReady> {
    let names = fallen.names();
    if names.is_empty() { Ok(()) } else { Err(NotReady::Background(names)) }
}
