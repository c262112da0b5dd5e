//! The published signing keys, as one file.

use super::public_keys::public_keys;
use crate::{errors::Error, spine::Spine};

/// `account.public_keys_pem`: what `account.public_keys` gives, as PEM blocks in the same order.
#[tracing::instrument(name = "account.public_keys_pem", skip_all)]
pub async fn public_keys_pem(spine: &Spine) -> Result<String, Error> {
    Ok(public_keys(spine).await?.into_iter().map(|key| key.public_key).collect())
}
