//! `GET /.well-known/hoc/keys`: the public halves of all keys that ever signed here.

use axum::extract::State;
use models::account::SigningKey;
use orchestrator::{Spine, handlers::account};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Problem, extract::Json, view::Time};

/// The published signing keys.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublishedKeys {
    /// Oldest first.
    keys: Vec<PublishedKey>,
}

/// A signing key's public half.
#[derive(Debug, Serialize, ToSchema)]
struct PublishedKey {
    key_id: String,
    /// PEM, SubjectPublicKeyInfo.
    public_key: String,
    created_at: Time,
    /// Null for the key that signs now.
    retired_at: Option<Time>,
}

impl From<SigningKey> for PublishedKey {
    fn from(key: SigningKey) -> Self {
        Self {
            key_id: key.id,
            public_key: key.public_key,
            created_at: key.created_at.into(),
            retired_at: key.retired_at.map(Time),
        }
    }
}

/// Get the public signing keys, active and retired.
///
/// What verifies bundles and checkpoints. Keep a copy elsewhere: a key from the server that it is to check proves
/// little.
#[utoipa::path(get, path = "/.well-known/hoc/keys", operation_id = "account.public_keys", tag = "account",
    responses((status = 200, description = "The keys.", body = PublishedKeys)))]
pub(super) async fn public_keys(State(spine): State<Spine>) -> Result<Json<PublishedKeys>, Problem> {
    let keys = account::public_keys(&spine).await?;
    Ok(Json(PublishedKeys { keys: keys.into_iter().map(PublishedKey::from).collect() }))
}
