//! Sessions of the console: opened with a key or with a link that serves once, and in force no longer than the key.
//!
//! A session is in the store and nowhere else, so that every replica knows it, and that it is over the moment it ends.
//! Its secret and a link's are stored as hashes only. Who logged in and out is a system record.

use chrono::{DateTime, Duration, Utc};
use drivers::Tx;
use models::{
    account::{ApiKey, LoginLink, Session},
    ids::{KeyId, LoginLinkId, SessionId},
    logs::SystemEventType,
};
use proof::hash::{Hash, sha256};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{AuthError, Token, authenticate::as_key, token};
use crate::{
    consequences::{
        author::{Author, SystemCaller},
        system_records::{Event, record},
    },
    context::CallContext,
    errors::Error,
    spine::Spine,
};

/// How long a session lasts, at most.
const SESSION: Duration = Duration::hours(12);
/// How long a link waits to be used.
const LINK: Duration = Duration::hours(1);

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

/// `account.create_login_link`: the token of a link that opens one session of `key`, once, within an hour.
#[tracing::instrument(name = "account.create_login_link", skip_all, fields(key = %key))]
pub async fn create_login_link_as(spine: &Spine, caller: &SystemCaller, key: KeyId) -> Result<Token, Error> {
    let now = spine.now();
    let tx = spine.begin().await?;
    let (key, _) = tx.account().find_key(key).await?.ok_or_else(|| Error::not_found("key", key))?;
    let (id, secret) = (spine.id::<LoginLinkId>(now), Zeroizing::new(spine.secret()));
    let link = LoginLink {
        tenant: key.tenant,
        id,
        key_id: key.id,
        secret_hash: sha256(&*secret),
        expires_at: now + LINK,
        used_at: None,
        created_at: now,
    };
    tx.account().insert_login_link(&link).await?;
    note(spine, &tx, &key, &format!("login link {id} made"), &caller.into(), now).await?;
    tx.commit().await?;
    Ok(Token::new(spine.wrapping_key(), id, &secret))
}

/// `account.open_session`: a session of the key in `token`.
#[tracing::instrument(name = "account.open_session", skip_all)]
pub async fn open_session(spine: &Spine, token: &str) -> Result<Opened, AuthError> {
    let context = super::authenticate(spine, token).await?;
    let tx = spine.begin().await.map_err(Error::from)?;
    let (token, lasts) = insert(spine, &tx, &context).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(Opened { token, lasts, context })
}

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

/// `account.close_session`: a session opens nothing any more, on no replica. One that is over stays over.
#[tracing::instrument(name = "account.close_session", skip_all)]
pub async fn close_session(spine: &Spine, token: &str) -> Result<(), AuthError> {
    let session = find(spine, token).await?;
    let now = spine.now();
    let tx = spine.begin().await.map_err(Error::from)?;
    let key = tx.account().find_key_of(session.tenant, session.key_id).await.map_err(Error::from)?;
    let ended = tx.account().end_session(session.tenant, session.id, now).await.map_err(Error::from)?;
    if let Some(key) = key.filter(|_| ended) {
        let by = Author { name: key.owner.clone(), correlation_id: None };
        note(spine, &tx, &key, &format!("session {} closed", session.id), &by, now).await?;
        tx.commit().await.map_err(Error::from)?;
    }
    Ok(())
}

async fn find(spine: &Spine, token: &str) -> Result<Session, AuthError> {
    let (id, given) = token::read::<SessionId>(spine.wrapping_key(), token).ok_or(AuthError::Unknown)?;
    let session = spine.read_first().await.map_err(Error::from)?.account().find_session(id).await;
    let session = session.map_err(Error::from)?.ok_or(AuthError::Unknown)?;
    same(session.secret_hash, given)?;
    Ok(session)
}

fn same(stored: Hash, given: Hash) -> Result<(), AuthError> {
    if bool::from(stored.as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(AuthError::Unknown) }
}

async fn insert(spine: &Spine, tx: &Tx, context: &CallContext) -> Result<(Token, Duration), Error> {
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
    note(spine, tx, &key, &format!("session {id} opened"), &context.into(), now).await?;
    Ok((Token::new(spine.wrapping_key(), id, &secret), expires_at - now))
}

async fn note(
    spine: &Spine,
    tx: &Tx,
    key: &ApiKey,
    what: &str,
    by: &Author,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let event = Event {
        component: "account",
        what: SystemEventType::AuthChange,
        summary: format!("{what} with key {} of {} for role {}", key.prefix, key.owner, key.role),
        details: json!({ "key_id": key.id, "role": key.role, "owner": key.owner, "what": what }),
    };
    Ok(tx.logs().insert_system_records(&[record(spine, key.tenant, event, by, now)]).await?)
}
