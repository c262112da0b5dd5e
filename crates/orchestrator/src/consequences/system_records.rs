//! System records: what happened to the installation and to who may use it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use models::{
    ids::TenantId,
    logs::{SystemEventType, SystemRecord, SystemSeverity},
};
use proof::records::DecisionRecord;
use serde_json::{Value, json};

use super::author::Author;
use crate::{errors::Error, rejections::Rejected, spine::Spine};

/// The component of records of what exporters of spans sent.
pub(crate) const INGEST: &str = "ingest";

/// What a system record says of one event.
pub(crate) struct Event {
    pub(crate) component: &'static str,
    pub(crate) what: SystemEventType,
    pub(crate) summary: String,
    pub(crate) details: Value,
}

/// A record of an event that somebody caused, or that befell us.
pub(crate) fn record(
    spine: &Spine,
    tenant: TenantId,
    event: Event,
    by: &Author,
    now: DateTime<Utc>,
) -> SystemRecord {
    let Event { component, what: event_type, summary, details } = event;
    SystemRecord {
        tenant,
        id: spine.id(now),
        component: component.to_owned(),
        event_type,
        severity: if event_type == SystemEventType::Error {
            SystemSeverity::Error
        } else {
            SystemSeverity::Info
        },
        summary,
        details: Some(proof::canonical::to_text(&details)),
        caused_by: Some(by.name.clone()),
        correlation_id: by.correlation_id.clone(),
        created_at: now,
    }
}

/// The store was away since `began`, and is back: as this server saw it.
#[tracing::instrument(name = "account.record_outage", skip_all)]
pub(crate) async fn record_outage(spine: &Spine, began: DateTime<Utc>) -> Result<(), Error> {
    let (from, to) = (models::time::text(began), models::time::text(spine.now()));
    let summary = format!("the store was not reachable from {from} to {to}");
    installation(spine, SystemEventType::Error, summary, json!({ "from": from, "to": to })).await
}

/// The record of an answer that was given while the store was down, and that its run could not take when it was back.
pub(crate) fn unrecorded_answer(
    spine: &Spine,
    tenant: TenantId,
    decision: &DecisionRecord,
    why: &Error,
) -> SystemRecord {
    let details = json!({
        "run_id": decision.run_id, "decision_id": decision.decision_id,
        "action": decision.action, "deciding_policy_id": decision.deciding_policy_id,
        "decided_at": decision.decided_at, "why": why.to_string(),
    });
    let summary = format!(
        "run {} was told {} while the store was down, and has no place for it any more",
        decision.run_id, decision.action
    );
    tracing::warn!(run = decision.run_id, decision = decision.decision_id, %why, "{summary}");
    let by = Author { name: "hoc".to_owned(), correlation_id: None };
    let event = Event { component: "choke_point", what: SystemEventType::Error, summary, details };
    record(spine, tenant, event, &by, spine.now())
}

/// Spans that could not be recorded: a record for those of each sender.
pub(crate) async fn record_rejected(spine: &Spine, all: &[Rejected]) -> Result<(), Error> {
    let records: Vec<SystemRecord> = all.iter().map(|one| of_rejected(spine, one)).collect();
    let tx = spine.begin().await?;
    tx.logs().insert_system_records(&records).await?;
    Ok(tx.commit().await?)
}

fn of_rejected(spine: &Spine, rejected: &Rejected) -> SystemRecord {
    let Rejected { tenant, by, correlation_id, spans, requests, .. } = rejected;
    let details = json!({ "spans": spans.count, "requests": requests, "reasons": spans.reasons });
    let why = spans.reasons.first().map(|why| format!(": {why}")).unwrap_or_default();
    let summary = format!("{} span(s) could not be recorded{why}", spans.count);
    let by = Author { name: by.clone(), correlation_id: correlation_id.clone() };
    let event = Event { component: INGEST, what: SystemEventType::Error, summary, details };
    record(spine, *tenant, event, &by, spine.now())
}

/// Calls that were answered 503 for want of room: a record for those of each tenant, and one for those of which nobody
/// knows whose they were. By what there was too little of, how often.
pub(crate) async fn record_no_room(
    spine: &Spine,
    all: &[(Option<TenantId>, BTreeMap<&'static str, u64>)],
) -> Result<(), Error> {
    let by = Author { name: "hoc".to_owned(), correlation_id: None };
    let of = |(tenant, no_room): &(Option<TenantId>, BTreeMap<&'static str, u64>)| {
        let calls: u64 = no_room.values().sum();
        let what = no_room.keys().copied().collect::<Vec<_>>().join(", ");
        let summary =
            format!("{calls} call(s) were answered 503 overloaded, for there was no room for more {what}");
        let details = json!({ "calls": calls, "no_room_for": no_room });
        let event = Event { component: "server", what: SystemEventType::Error, summary, details };
        record(spine, tenant.unwrap_or(TenantId::INSTALLATION), event, &by, spine.now())
    };
    let records: Vec<SystemRecord> = all.iter().map(of).collect();
    let tx = spine.begin().await?;
    tx.logs().insert_system_records(&records).await?;
    Ok(tx.commit().await?)
}

/// Writes what happened to the installation.
pub(crate) async fn installation(
    spine: &Spine,
    event_type: SystemEventType,
    summary: String,
    details: Value,
) -> Result<(), Error> {
    let by = Author { name: "hoc".to_owned(), correlation_id: None };
    let event = Event { component: "server", what: event_type, summary, details };
    let record = record(spine, TenantId::INSTALLATION, event, &by, spine.now());
    let tx = spine.begin().await?;
    tx.logs().insert_system_records(&[record]).await?;
    Ok(tx.commit().await?)
}
