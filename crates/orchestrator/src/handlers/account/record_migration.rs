//! The system record that the schema was brought up to date.

use models::logs::SystemEventType;
use serde_json::json;

use crate::{consequences::system_records::installation, errors::Error, spine::Spine};

/// `account.record_migration`: the schema was brought up to date. Nothing is written where nothing was applied.
#[tracing::instrument(name = "account.record_migration", skip_all)]
pub async fn record_migration(spine: &Spine, applied: &[String]) -> Result<(), Error> {
    if applied.is_empty() {
        return Ok(());
    }
    let summary = format!("{} migration(s) applied", applied.len());
    installation(spine, SystemEventType::Migration, summary, json!({ "applied": applied })).await
}
