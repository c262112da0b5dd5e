//! A link that opens one session of a key.

use chrono::Duration;
use models::{
    account::LoginLink,
    ids::{KeyId, LoginLinkId},
};
use proof::hash::sha256;
use zeroize::Zeroizing;

use super::{
    key_note::{Noted, note},
    token::Token,
};
use crate::{consequences::author::SystemCaller, errors::Error, spine::Spine};

/// How long a link waits to be used.
const LINK: Duration = Duration::hours(1);

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
    let made = Noted::Used(format!("login link {id} made"));
    note(spine, &tx, &key, made, &caller.into(), now).await?;
    tx.commit().await?;
    Ok(Token::new(spine.wrapping_key(), id, &secret))
}
