//! Who changed something that is governed, and what of it: out of the Audit Ledger's own entries.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use models::{
    logs::{AuditEntry, AuditFilter},
    page::PageRequest,
};
use orchestrator::{CallContext, Spine, handlers::logs};
use serde_json::{Map, Value};

use super::{
    activity::amount,
    show::{self, Moment},
};
use crate::Problem;

/// One entry of the ledger about a thing.
pub(super) struct Change {
    pub(super) event: &'static str,
    /// The entry's page.
    pub(super) path: String,
    pub(super) by: String,
    pub(super) at: Moment,
    pub(super) reason: Option<String>,
    /// The version that came of it.
    pub(super) version: Option<String>,
    pub(super) differences: Vec<Difference>,
}

/// A member that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) member: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// What the ledger has of a rule, newest first: the latest 50.
pub(super) async fn changes_of_rule(
    spine: &Spine,
    ctx: &CallContext,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Change>, Problem> {
    let filter = AuditFilter { entity_id: Some(id.to_owned()), ..AuditFilter::default() };
    let entries = logs::list_audit(spine, ctx, filter, PageRequest::default()).await?.items;
    Ok(entries.into_iter().map(|entry| change(entry, now)).collect())
}

/// What it has of the changes of a limit: its breaches stand beside them, and there may be many.
pub(super) async fn changes_of_limit(
    spine: &Spine,
    ctx: &CallContext,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Change>, Problem> {
    let mut entries = of_event(spine, ctx, id, "LimitUpdated").await?;
    entries.extend(of_event(spine, ctx, id, "LimitCreated").await?);
    Ok(entries.into_iter().map(|entry| change(entry, now)).collect())
}

async fn of_event(
    spine: &Spine,
    ctx: &CallContext,
    id: &str,
    event: &'static str,
) -> Result<Vec<AuditEntry>, Problem> {
    let known = event.parse().map_err(|_| Problem::of_framework(StatusCode::INTERNAL_SERVER_ERROR))?;
    let filter =
        AuditFilter { entity_id: Some(id.to_owned()), event_type: Some(known), ..AuditFilter::default() };
    Ok(logs::list_audit(spine, ctx, filter, PageRequest::default()).await?.items)
}

fn change(entry: AuditEntry, now: DateTime<Utc>) -> Change {
    let record = entry.record;
    let after = record.after_state.as_deref().and_then(object);
    Change {
        event: record.event_type.as_str(),
        path: format!("/console/logs/audit/{}", record.id),
        differences: differences(record.before_state.as_deref(), record.after_state.as_deref()),
        by: record.actor_id.unwrap_or_else(|| record.actor_type.as_str().to_owned()),
        at: Moment::read(&record.created_at, now),
        reason: record.action_reason,
        version: after.as_ref().and_then(|state| state.get("version")).map(Value::to_string),
    }
}

/// What two states of a thing do not have alike, in the order of the later one. Nothing where there was none before.
pub(super) fn differences(before: Option<&str>, after: Option<&str>) -> Vec<Difference> {
    let (Some(before), Some(after)) = (before.and_then(object), after.and_then(object)) else {
        return Vec::new();
    };
    let gone = before.keys().filter(|member| !after.contains_key(*member));
    let members = after.keys().chain(gone).filter(|member| *member != "version");
    let differs = |member: &&String| before.get(*member) != after.get(*member);
    let value = |state: &Map<String, Value>, member: &str| {
        state.get(member).map_or_else(|| NOTHING.to_owned(), |value| said(state, member, value))
    };
    let difference = |member: &String| Difference {
        member: member.replace('_', " "),
        before: value(&before, member),
        after: value(&after, member),
    };
    members.filter(differs).map(difference).collect()
}

/// What stands for what is not there.
const NOTHING: &str = "none";

fn object(state: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(state).ok()
}

/// A member's value as people read it: what a limit lets pass has its unit.
fn said(state: &Map<String, Value>, member: &str, value: &Value) -> String {
    let limit_type = state.get("limit_type").and_then(Value::as_str).filter(|_| member == "max_value");
    match (value, limit_type.zip(value.as_u64())) {
        (_, Some((limit_type, value))) => amount(limit_type, value),
        (Value::Null, _) => NOTHING.to_owned(),
        (Value::String(text), _) if text.is_empty() => NOTHING.to_owned(),
        (Value::String(text), _) => text.clone(),
        (other, _) => show::json(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told_and_money_as_money() {
        let before = r#"{"name":"daily","limit_type":"COST_USD","max_value":2000000000,"scope_id":null,"version":1,"old":1}"#;
        let after = r#"{"name":"daily","limit_type":"COST_USD","max_value":40000000000,"scope_id":"bot","version":2}"#;
        let told = differences(Some(before), Some(after));
        let told: Vec<[&str; 3]> =
            told.iter().map(|one| [one.member.as_str(), &one.before, &one.after]).collect();
        assert_eq!(
            told,
            [["max value", "$2.00", "$40.00"], ["scope id", "none", "bot"], ["old", "1", "none"]]
        );
        assert_eq!(differences(None, Some(after)), []);
        assert_eq!(differences(Some("no JSON"), Some(after)), []);
    }
}
