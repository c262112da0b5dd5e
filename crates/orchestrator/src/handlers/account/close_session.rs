//! Ending a session.

use models::ids::SessionId;

use super::{
    authenticate::AuthError,
    key_note::{Noted, note},
    session::find,
    token,
};
use crate::{consequences::author::Author, errors::Error, spine::Spine};

/// `account.close_session`: a session opens nothing any more, on no replica. One that is over stays over.
#[tracing::instrument(name = "account.close_session", skip_all)]
pub async fn close_session(spine: &Spine, token: &str) -> Result<(), AuthError> {
    let closed = close(spine, token).await;
    // Whatever the store says to it: here it opens nothing any more.
    if let Some((id, given)) = token::read::<SessionId>(spine.wrapping_key(), token) {
        spine.credentials().leave_session(id, given);
    }
    closed
}

async fn close(spine: &Spine, token: &str) -> Result<(), AuthError> {
    let session = find(spine, token).await?;
    let now = spine.now();
    let tx = spine.begin().await.map_err(Error::from)?;
    let key = tx.account().find_key_of(session.tenant, session.key_id).await.map_err(Error::from)?;
    let ended = tx.account().end_session(session.tenant, session.id, now).await.map_err(Error::from)?;
    if let Some(key) = key.filter(|_| ended) {
        let by = Author { name: key.owner.clone(), correlation_id: None };
        let closed = Noted::Used(format!("session {} closed", session.id));
        note(spine, &tx, &key, closed, &by, now).await?;
        tx.commit().await.map_err(Error::from)?;
    }
    Ok(())
}
