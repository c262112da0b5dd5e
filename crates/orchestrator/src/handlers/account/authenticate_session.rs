//! Who calls with a session.

use std::time::Instant;

use models::{account::Session, ids::SessionId};

use super::{
    authenticate::{AuthError, as_key},
    session::{same, stored},
    token,
};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `account.authenticate_session`: the context of the key that a session was made from.
#[tracing::instrument(name = "account.authenticate_session", level = "debug", skip_all)]
pub async fn authenticate_session(spine: &Spine, token: &str) -> Result<CallContext, AuthError> {
    let session = known(spine, token).await?;
    if session.ended_at.is_some() {
        return Err(AuthError::Ended);
    }
    if !session.in_force(spine.now()) {
        return Err(AuthError::Expired);
    }
    as_key(spine, session.key_id).await
}

/// The session as the store has it; as it was last read, while the store is down.
async fn known(spine: &Spine, token: &str) -> Result<Session, AuthError> {
    let (id, given) = token::read::<SessionId>(spine.wrapping_key(), token).ok_or(AuthError::Unknown)?;
    let read = Instant::now();
    let (session, news) = match stored(spine, id).await {
        Ok(Some(session)) => (session, true),
        Ok(None) => {
            spine.credentials().forget_session(id);
            return Err(AuthError::Unknown);
        }
        Err(err @ Error::Unavailable(_)) => {
            let memory = spine.settings().outage_memory.to_std().unwrap_or_default();
            let remembered = spine.credentials().remembered_session(id, read, memory);
            (remembered.ok_or(AuthError::Failed(err))?, false)
        }
        Err(err) => return Err(AuthError::Failed(err)),
    };
    same(session.secret_hash, given)?;
    // The store may not have been told.
    if spine.credentials().is_left(&session) {
        return Err(AuthError::Ended);
    }
    if news {
        spine.credentials().keep_session(session.clone(), read);
    }
    Ok(session)
}
