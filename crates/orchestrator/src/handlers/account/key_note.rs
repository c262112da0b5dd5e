//! The system record that a change of an API key leaves.

use chrono::{DateTime, Utc};
use drivers::Tx;
use models::{account::ApiKey, logs::SystemEventType};
use serde_json::json;

use crate::{
    consequences::{
        author::Author,
        system_records::{Event, record},
    },
    errors::Error,
    spine::Spine,
};

/// Stores that the key was made, or revoked: in the transaction that does it.
pub(super) async fn note(
    spine: &Spine,
    tx: &Tx,
    key: &ApiKey,
    what: &str,
    by: &Author,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let event = Event {
        component: "account",
        what: SystemEventType::AuthChange,
        summary: format!("key {} of {} for role {} {what}", key.prefix, key.owner, key.role),
        details: json!({
            "key_id": key.id,
            "role": key.role,
            "owner": key.owner,
            "owner_type": key.owner_type,
            "expires_at": key.expires_at.map(models::time::text),
            "agents": key.agents,
        }),
    };
    Ok(tx.logs().insert_system_records(&[record(spine, key.tenant, event, by, now)]).await?)
}
