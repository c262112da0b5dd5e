//! `GET /api/v1/openapi.json`: this contract.

use std::sync::LazyLock;

use axum::{
    Extension,
    http::{HeaderName, header},
    response::IntoResponse,
};

use crate::carried::PackedForms;

/// The document, as `hoc openapi` writes it: the router says of what it has, this operation among it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document(pub(crate) &'static LazyLock<String>);

/// Get the OpenAPI document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "system.openapi", tag = "system",
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json")))]
pub(super) async fn openapi(Extension(Document(text)): Extension<Document>) -> impl IntoResponse {
    const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
    static FORMS: PackedForms = PackedForms::new();
    (Extension(&FORMS), JSON, text.as_str())
}
