//! `GET /api/v1/openapi.json`: this contract.

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

/// Written once, as `hoc openapi` writes it.
static DOCUMENT: LazyLock<String> = LazyLock::new(crate::openapi_json);

/// Get the OpenAPI document.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "system.openapi", tag = "system",
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json")))]
pub(super) async fn openapi() -> impl IntoResponse {
    const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
    (JSON, DOCUMENT.as_str())
}
