//! Opening a session with a key.

use super::{
    authenticate::{AuthError, authenticate},
    session::{Opened, insert},
};
use crate::{errors::Error, spine::Spine};

/// `account.open_session`: a session of the key in `token`.
#[tracing::instrument(name = "account.open_session", skip_all)]
pub async fn open_session(spine: &Spine, token: &str) -> Result<Opened, AuthError> {
    let context = authenticate(spine, token).await?;
    let tx = spine.begin().await.map_err(Error::from)?;
    let (token, lasts) = insert(spine, &tx, &context).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(Opened { token, lasts, context })
}
