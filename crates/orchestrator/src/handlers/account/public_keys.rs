//! The published signing keys.

use models::account::SigningKey;

use crate::{errors::Error, spine::Spine};

/// `account.public_keys`: the public halves of all keys that ever signed for this installation, oldest first.
#[tracing::instrument(name = "account.public_keys", skip_all)]
pub async fn public_keys(spine: &Spine) -> Result<Vec<SigningKey>, Error> {
    Ok(spine.read().await?.account().signing_keys().await?)
}
