//! `GET /.well-known/hoc/keys.pem`: the public halves of all keys that ever signed here, as a file for
//! `hoc verify --key`.

use axum::{extract::State, http::header, response::IntoResponse};
use orchestrator::{Spine, handlers::account};

use crate::Problem;

/// Get the public signing keys as one PEM file, active and retired.
///
/// What `hoc verify --key` takes, and `hoc keys public` prints. Keep a copy elsewhere: a key from the server that it is
/// to check proves little.
#[utoipa::path(get, path = "/.well-known/hoc/keys.pem", operation_id = "account.public_keys_pem", tag = "account",
    responses((status = 200, description = "The keys, PEM blocks of SubjectPublicKeyInfo, oldest first.",
        body = String, content_type = "application/x-pem-file")))]
pub(super) async fn public_keys_pem(State(spine): State<Spine>) -> Result<impl IntoResponse, Problem> {
    let pem = account::public_keys_pem(&spine).await?;
    let named = "attachment; filename=\"hoc.pub\"";
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file"), (header::CONTENT_DISPOSITION, named)], pem))
}
