//! The system record that a server began to serve.

use models::logs::SystemEventType;
use serde_json::json;

use crate::{consequences::system_records::installation, errors::Error, spine::Spine};

/// `account.record_start`: a server of this version began to serve.
#[tracing::instrument(name = "account.record_start", skip_all)]
pub async fn record_start(spine: &Spine, version: &str) -> Result<(), Error> {
    let signing_key_id = spine.signing_key().public().id();
    let details = json!({ "version": version, "signing_key_id": signing_key_id });
    installation(spine, SystemEventType::Startup, format!("hoc {version} started"), details).await
}
