//! Who calls with a session.

use super::{
    authenticate::{AuthError, as_key},
    session::find,
};
use crate::{context::CallContext, spine::Spine};

/// `account.authenticate_session`: the context of the key that a session was made from.
#[tracing::instrument(name = "account.authenticate_session", level = "debug", skip_all)]
pub async fn authenticate_session(spine: &Spine, token: &str) -> Result<CallContext, AuthError> {
    let session = find(spine, token).await?;
    if session.ended_at.is_some() {
        return Err(AuthError::Ended);
    }
    if !session.in_force(spine.now()) {
        return Err(AuthError::Expired);
    }
    as_key(spine, session.key_id).await
}
