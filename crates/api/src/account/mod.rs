//! `/api/v1/account`: who calls, the tenant's keys and settings.

mod create_key;
mod key_view;
mod list_keys;
mod public_keys;
mod public_keys_pem;
mod revoke_key;
mod settings;
mod settings_view;
mod update_settings;
mod whoami;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, below [`crate::paths::ACCOUNT`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(whoami::whoami))
        .routes(routes!(list_keys::list_keys, create_key::create_key))
        .routes(routes!(revoke_key::revoke_key))
        .routes(routes!(settings::settings, update_settings::update_settings))
}

/// The route of the published signing keys, which needs no credential.
pub(crate) fn published() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(public_keys::public_keys))
        .routes(routes!(public_keys_pem::public_keys_pem))
}
