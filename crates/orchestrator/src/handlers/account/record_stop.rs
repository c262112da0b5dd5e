//! The system record that a server stopped.

use models::logs::SystemEventType;
use serde_json::json;

use crate::{
    consequences::{rejected, system_records::installation},
    errors::Error,
    spine::Spine,
};

/// `account.record_stop`: a server of this version stopped, its work done. What only it knows is told before.
#[tracing::instrument(name = "account.record_stop", skip_all)]
pub async fn record_stop(spine: &Spine, version: &str) -> Result<(), Error> {
    rejected::tell_rest(spine).await;
    let details = json!({ "version": version });
    installation(spine, SystemEventType::Shutdown, format!("hoc {version} stopped"), details).await
}
