//! The system records of an API key: that it was made or revoked, and who logged in with it.

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

/// What a record tells of a key.
pub(super) enum Noted {
    /// It was made, or revoked.
    Changed(&'static str),
    /// A session or a link of it was made, opened or closed.
    Used(String),
}

/// Stores what was done with a key: in the transaction that does it.
pub(super) async fn note(
    spine: &Spine,
    tx: &Tx,
    key: &ApiKey,
    what: Noted,
    by: &Author,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let named = format!("key {} of {} for role {}", key.prefix, key.owner, key.role);
    let mut details = json!({ "key_id": key.id, "role": key.role, "owner": key.owner });
    let summary = match what {
        Noted::Changed(how) => {
            details["owner_type"] = json!(key.owner_type);
            details["expires_at"] = json!(key.expires_at.map(models::time::text));
            details["agents"] = json!(key.agents);
            format!("{named} {how}")
        }
        Noted::Used(what) => {
            let summary = format!("{what} with {named}");
            details["what"] = what.into();
            summary
        }
    };
    let event = Event { component: "account", what: SystemEventType::AuthChange, summary, details };
    Ok(tx.logs().insert_system_records(&[record(spine, key.tenant, event, by, now)]).await?)
}
