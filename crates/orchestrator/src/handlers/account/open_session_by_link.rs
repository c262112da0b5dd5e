//! Opening a session with a link that serves once.

use models::ids::LoginLinkId;

use super::{
    authenticate::{AuthError, as_key},
    session::{Opened, insert, same},
    token,
};
use crate::{errors::Error, spine::Spine};

/// `account.open_session_by_link`: a session by a link, which serves once.
#[tracing::instrument(name = "account.open_session_by_link", skip_all)]
pub async fn open_session_by_link(spine: &Spine, token: &str) -> Result<Opened, AuthError> {
    let (id, given) = token::read::<LoginLinkId>(spine.wrapping_key(), token).ok_or(AuthError::Unknown)?;
    let link = spine.read_first().await.map_err(Error::from)?.account().find_login_link(id).await;
    let link = link.map_err(Error::from)?.ok_or(AuthError::Unknown)?;
    same(link.secret_hash, given)?;
    if link.used_at.is_some() {
        return Err(AuthError::Used);
    }
    let now = spine.now();
    if link.expires_at <= now {
        return Err(AuthError::Expired);
    }
    let context = as_key(spine, link.key_id).await?;
    let tx = spine.begin().await.map_err(Error::from)?;
    // Of two who come at the same time, one gets in.
    if !tx.account().use_login_link(link.tenant, id, now).await.map_err(Error::from)? {
        return Err(AuthError::Used);
    }
    let (token, lasts) = insert(spine, &tx, &context).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(Opened { token, lasts, context })
}
