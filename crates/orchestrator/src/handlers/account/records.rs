//! System records of a server's life: what the command line tells of it.

use models::logs::SystemEventType;
use serde_json::json;

use crate::{
    consequences::{rejected, system_records::installation},
    errors::Error,
    spine::Spine,
};

/// `account.record_start`: a server of this version began to serve.
#[tracing::instrument(name = "account.record_start", skip_all)]
pub async fn record_start(spine: &Spine, version: &str) -> Result<(), Error> {
    let signing_key_id = spine.signing_key().public().id();
    let details = json!({ "version": version, "signing_key_id": signing_key_id });
    installation(spine, SystemEventType::Startup, format!("hoc {version} started"), details).await
}

/// `account.record_stop`: a server of this version stopped, its work done. What only it knows is told before.
#[tracing::instrument(name = "account.record_stop", skip_all)]
pub async fn record_stop(spine: &Spine, version: &str) -> Result<(), Error> {
    rejected::tell_rest(spine).await;
    let details = json!({ "version": version });
    installation(spine, SystemEventType::Shutdown, format!("hoc {version} stopped"), details).await
}

/// `account.record_migration`: the schema was brought up to date. Nothing is written where nothing was applied.
#[tracing::instrument(name = "account.record_migration", skip_all)]
pub async fn record_migration(spine: &Spine, applied: &[String]) -> Result<(), Error> {
    if applied.is_empty() {
        return Ok(());
    }
    let summary = format!("{} migration(s) applied", applied.len());
    installation(spine, SystemEventType::Migration, summary, json!({ "applied": applied })).await
}
