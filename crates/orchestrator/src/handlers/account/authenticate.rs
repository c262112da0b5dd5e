//! Who calls: the key that a token names, if its secret is right and it is in force.

use std::{sync::Arc, time::Instant};

use models::{account::Role, ids::KeyId};
use proof::words::ActorType;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::token;
use crate::{
    consequences::author::SystemCaller,
    context::{Agents, CallContext},
    credentials::Credential,
    errors::Error,
    spine::Spine,
    tenants::settings_of,
};

/// Why a caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No such key, or another secret: which of them, nobody is told.
    #[error("the credential is not known")]
    Unknown,
    /// Its time is over. Told only to who has the secret.
    #[error("the key has expired")]
    Expired,
    /// It was revoked. Told only to who has the secret.
    #[error("the key was revoked")]
    Revoked,
    /// Its owner logged out of this session. Told only to who has the secret.
    #[error("the session has ended")]
    Ended,
    /// A login link serves once. Told only to who has the secret.
    #[error("the link was used before")]
    Used,
    /// Nobody can tell now: the store did not answer, or not as it should.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// `account.authenticate`: the context of a caller. Its correlation id is made here; replace it where the caller
/// sent one.
#[tracing::instrument(name = "account.authenticate", level = "debug", skip_all)]
pub async fn authenticate(spine: &Spine, token: &str) -> Result<CallContext, AuthError> {
    let (id, given) = token::read::<KeyId>(spine.wrapping_key(), token).ok_or(AuthError::Unknown)?;
    let read = Instant::now();
    let (credential, news) = match spine.credentials().fresh(id, read) {
        Some(credential) => (credential, false),
        // Made here, and gone from the store: in an older backup, say. It is not read again for each call.
        None if spine.credentials().is_missing(id, read) => return Err(AuthError::Unknown),
        None => look_up(spine, id, read).await?,
    };
    if !bool::from(credential.key.secret_hash.as_bytes().ct_eq(given.as_bytes())) {
        return Err(AuthError::Unknown);
    }
    if news {
        spine.credentials().keep(credential.clone(), read);
    }
    context_of(spine, credential)
}

/// The context of the key that a session, or a link, was made from, whose secret the caller has: it is in force as long
/// as the key is.
pub(super) async fn as_key(spine: &Spine, id: KeyId) -> Result<CallContext, AuthError> {
    let read = Instant::now();
    if let Some(credential) = spine.credentials().fresh(id, read) {
        return context_of(spine, credential);
    }
    let (credential, news) = look_up(spine, id, read).await?;
    if news {
        spine.credentials().keep_for_session(credential.clone(), read);
    }
    context_of(spine, credential)
}

/// Who acts for an agent on the store itself: no key, so what it makes is nobody's own.
pub(crate) async fn without_a_key(
    spine: &Spine,
    caller: &SystemCaller,
    slug: &str,
) -> Result<CallContext, Error> {
    let tenant = spine.read().await?.account().find_tenant_by_slug(slug).await?;
    let tenant = tenant.ok_or_else(|| Error::not_found("tenant", slug))?;
    let now = spine.now();
    Ok(CallContext {
        tenant: Arc::new(settings_of(spine, &tenant)?),
        key: KeyId::NOBODY,
        agents: Agents::default(),
        role: Role::Agent,
        actor_type: ActorType::System,
        actor_id: caller.name.clone(),
        came_at: now,
        correlation_id: spine.id::<Uuid>(now).simple().to_string(),
        user_agent: None,
        idempotency_key: None,
    })
}

fn context_of(spine: &Spine, credential: Credential) -> Result<CallContext, AuthError> {
    let now = spine.now();
    if credential.key.revoked_at.is_some() || spine.credentials().is_revoked(credential.key.id) {
        return Err(AuthError::Revoked);
    }
    if !credential.key.in_force(now) {
        return Err(AuthError::Expired);
    }
    spine.credentials().note_use(&credential.key, now);
    let Credential { key, tenant } = credential;
    Ok(CallContext {
        tenant,
        key: key.id,
        agents: Agents::of(&key),
        role: key.role,
        actor_type: key.actor_type(),
        actor_id: key.owner.clone(),
        came_at: now,
        correlation_id: spine.id::<Uuid>(now).simple().to_string(),
        user_agent: None,
        idempotency_key: None,
    })
}

/// The key as the store has it, which is news; as it was last read, while the store is down.
async fn look_up(spine: &Spine, id: KeyId, at: Instant) -> Result<(Credential, bool), AuthError> {
    match from_store(spine, id).await {
        Ok(found) => {
            spine.credentials().store_is_there();
            found.map(|credential| (credential, true)).ok_or_else(|| {
                spine.credentials().miss(id, at);
                AuthError::Unknown
            })
        }
        Err(err @ Error::Unavailable(_)) => {
            let memory = spine.settings().outage_memory.to_std().unwrap_or_default();
            let remembered = spine.credentials().remembered(id, at, memory);
            remembered.map(|credential| (credential, false)).ok_or(AuthError::Failed(err))
        }
        Err(err) => Err(AuthError::Failed(err)),
    }
}

async fn from_store(spine: &Spine, id: KeyId) -> Result<Option<Credential>, Error> {
    let Some((key, tenant)) = spine.read_first().await?.account().find_key(id).await? else {
        return Ok(None);
    };
    Ok(Some(Credential { key: Arc::new(key), tenant: Arc::new(settings_of(spine, &tenant)?) }))
}
