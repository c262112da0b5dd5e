//! Another signing key: each log says so in a leaf that the old key signs.

use drivers::StoreError;
use models::{
    account::{Installation, SigningKey},
    ids::TenantId,
    ledger::LogMark,
    logs::SystemEventType,
};
use proof::{
    keys::PublicKey,
    leaves::{MarkLeaf, SigningKeyLeaf},
    words::LogName,
};
use serde_json::json;

use crate::{
    consequences::{
        author::{Author, SystemCaller},
        system_records::{Event, record},
    },
    errors::Error,
    ledger::Appender,
    spine::Spine,
};

/// Why the same key signs as before.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Another rotation was first, and the key of this process signs no more.
    #[error(
        "another rotation came first: key {signs} signs for this store now, and {old} does not. This one changed nothing; \
         if it is still wanted, begin it anew with the key file of {signs}"
    )]
    CameFirst {
        /// The key that signs.
        signs: String,
        /// The key that this process has.
        old: String,
    },
    /// Another rotation has not ended yet.
    #[error(
        "another rotation is under way, and this one changed nothing: when that one has ended, its key signs"
    )]
    UnderWay,
    /// The store did not answer as it should.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for RotationError {
    fn from(err: StoreError) -> Self {
        Self::Failed(err.into())
    }
}

/// `account.rotate_signing_key`: from now on `new` signs for the installation. Every log of every tenant gets a leaf
/// that says so, signed by the key that this spine has, and the old key stays published. All of it, or nothing.
#[tracing::instrument(name = "account.rotate_signing_key", skip_all)]
pub async fn rotate_signing_key(
    spine: &Spine,
    new: &PublicKey,
    by: &SystemCaller,
) -> Result<(), RotationError> {
    let (now, old) = (spine.now(), spine.signing_key().public());
    let tx = spine.begin().await?;
    // Of two at once the second waits here, and reads what the first made of it.
    let installation = match tx.account().lock_installation().await {
        Err(StoreError::Locked(_)) => return Err(RotationError::UnderWay),
        locked => locked?,
    };
    let installation = installation.ok_or_else(|| Error::Internal("the installation is gone".to_owned()))?;
    if installation.signing_key_id != old.id() {
        return Err(RotationError::CameFirst { signs: installation.signing_key_id, old: old.id() });
    }
    let key = SigningKey { id: new.id(), public_key: new.to_pem(), created_at: now, retired_at: None };
    tx.account().insert_signing_key(&key).await?;
    tx.account().save_installation(&Installation { signing_key_id: new.id(), ..installation }).await?;
    tx.account().retire_signing_key(&old.id(), now).await?;
    let event = Event {
        component: "ledger",
        what: SystemEventType::ConfigChange,
        summary: format!("key {} signs from now on, and key {} does not", new.id(), old.id()),
        details: json!({ "old_key_id": old.id(), "new_key_id": new.id() }),
    };
    let record = record(spine, TenantId::INSTALLATION, event, &Author::from(by), now);
    tx.logs().insert_system_records(&[record]).await?;
    for tenant in tx.account().list_tenants().await? {
        for name in LogName::ALL {
            let mut log = Appender::lock(&tx, tenant.id, *name).await?;
            let at = log.not_before(now);
            let leaf = SigningKeyLeaf {
                tenant_id: tenant.id.to_string(),
                log: *name,
                old_key_id: old.id(),
                new_key_id: new.id(),
                new_public_key: new.to_pem(),
                rotated_by: by.name.clone(),
                rotated_at: models::time::text(at),
                signature: String::new(),
            };
            let mark = MarkLeaf::SigningKey(leaf.signed(spine.signing_key()));
            let leaf_hash = mark.hash();
            let leaf_index = log.append(leaf_hash, at);
            let mark = LogMark { tenant: tenant.id, log: *name, leaf_index, leaf_hash, mark, created_at: at };
            tx.ledger().insert_log_marks(&[mark]).await?;
            log.save(&tx).await?;
        }
    }
    Ok(tx.commit().await?)
}
