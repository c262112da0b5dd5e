//! The first start names the installation and its signing key; a later one must bring the same keys.

use drivers::StoreError;
use models::account::{Installation, SigningKey};

use crate::{errors::Error, spine::Spine, tenants::settings_of};

/// Why a server must not serve this store.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The store was signed for with another key.
    #[error(
        "this store is signed with key {stored}, and this server was given key {given}: give it the key file of \
         {stored} (HOC_SIGNING_KEY_FILE), or another store"
    )]
    OtherSigningKey {
        /// The key whose signatures the store has.
        stored: String,
        /// The key that this server has.
        given: String,
    },
    /// Tenant keys in the store do not open with the wrapping key that this server has.
    #[error("{0}")]
    OtherWrappingKey(String),
    /// The store did not answer as it should.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for InstallationError {
    fn from(err: StoreError) -> Self {
        Self::Failed(err.into())
    }
}

/// `account.ensure_installation`: the first start on an empty store names the installation and its signing key; a
/// later start must bring the same keys. Called after migrating, before anything is served.
#[tracing::instrument(name = "account.ensure_installation", skip_all)]
pub async fn ensure_installation(spine: &Spine) -> Result<Installation, InstallationError> {
    let stored = spine.read().await?.account().installation().await?;
    let installation =
        match stored {
            Some(installation) => installation,
            None => match found(spine).await {
                // Another replica was first: then its word stands.
                Err(StoreError::Conflict(_)) => {
                    spine.read().await?.account().installation().await?.ok_or_else(|| {
                        Error::Internal("the installation was there, and is gone".to_owned())
                    })?
                }
                other => other?,
            },
        };
    let given = spine.signing_key().public().id();
    if installation.signing_key_id != given {
        return Err(InstallationError::OtherSigningKey { stored: installation.signing_key_id, given });
    }
    // All tenant keys are wrapped by one key, so one of them tells.
    if let Some(tenant) = spine.read().await?.account().list_tenants().await?.first() {
        settings_of(spine, tenant).map_err(|err| InstallationError::OtherWrappingKey(err.to_string()))?;
    }
    Ok(installation)
}

async fn found(spine: &Spine) -> Result<Installation, StoreError> {
    let now = spine.now();
    let public = spine.signing_key().public();
    let key = SigningKey { id: public.id(), public_key: public.to_pem(), created_at: now, retired_at: None };
    let installation = Installation {
        name: spine.settings().installation.clone(),
        signing_key_id: key.id.clone(),
        created_at: now,
    };
    let tx = spine.begin().await?;
    tx.account().insert_signing_key(&key).await?;
    tx.account().insert_installation(&installation).await?;
    tx.commit().await?;
    Ok(installation)
}
