//! Sessions of the console: opened with a key or with a link that serves once, and in force no longer than the key.
//!
//! A session is kept in the store, and read there for each page. So every replica knows it, and knows at once when it
//! is over. What a replica remembers of a session serves only while the store is down, so that people can halt what
//! runs.
//!
//! The secrets of sessions and links are stored as hashes only. Logging in and out leaves system records.

use chrono::Duration;
use drivers::Tx;
use models::{account::Session, ids::SessionId};
use proof::hash::{Hash, sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    authenticate::AuthError,
    key_note::{Noted, note},
    token::{self, Token},
};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// How long a session lasts, at most.
const SESSION: Duration = Duration::hours(12);

/// A session that was just opened: the only time that anyone sees its token.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the browser keeps.
    pub token: Token,
    /// How long it serves, if nobody ends it.
    pub lasts: Duration,
    /// Who logged in.
    pub context: CallContext,
}

/// The session that a token names, if its secret is right.
pub(super) async fn find(spine: &Spine, token: &str) -> Result<Session, AuthError> {
    let (id, given) = token::read::<SessionId>(spine.wrapping_key(), token).ok_or(AuthError::Unknown)?;
    let session = stored(spine, id).await?.ok_or(AuthError::Unknown)?;
    same(session.secret_hash, given)?;
    Ok(session)
}

/// The session as the store has it.
pub(super) async fn stored(spine: &Spine, id: SessionId) -> Result<Option<Session>, Error> {
    let session = spine.read_first().await?.account().find_session(id).await?;
    spine.credentials().store_is_there();
    Ok(session)
}

/// Refuses another secret than the one that is stored.
pub(super) fn same(stored: Hash, given: Hash) -> Result<(), AuthError> {
    if bool::from(stored.as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(AuthError::Unknown) }
}

/// A session of the caller's key, and how long it lasts. Sessions that are over are cleared away.
pub(super) async fn insert(
    spine: &Spine,
    tx: &Tx,
    context: &CallContext,
) -> Result<(Token, Duration), Error> {
    let now = spine.now();
    let tenant = context.tenant.id;
    let key = tx.account().find_key_of(tenant, context.key).await?;
    let key = key.ok_or_else(|| Error::not_found("key", context.key))?;
    let (id, secret) = (spine.id::<SessionId>(now), Zeroizing::new(spine.secret()));
    let latest = now + SESSION;
    let expires_at = key.expires_at.map_or(latest, |at| at.min(latest));
    let session = Session {
        tenant,
        id,
        key_id: key.id,
        secret_hash: sha256(&*secret),
        expires_at,
        ended_at: None,
        created_at: now,
    };
    tx.account().forget_expired_sessions(tenant, now).await?;
    tx.account().insert_session(&session).await?;
    let opened = Noted::Used(format!("session {id} opened"));
    note(spine, tx, &key, opened, &context.into(), now).await?;
    Ok((Token::new(spine.wrapping_key(), id, &secret), expires_at - now))
}
