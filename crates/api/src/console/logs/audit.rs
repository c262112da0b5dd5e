//! The Audit Ledger: who decided what.

use askama::Template;
use axum::extract::State;
use models::{
    ids::AuditId,
    logs::{AuditEntry, AuditFilter},
};
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        activity::Fact,
        changes::{Difference, differences},
        fields::{Listed, When},
        folds::Folds as _,
        links,
        page::Page,
        select::Select,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Id, Views, run_of_filter},
    view::words::{self, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    event_type: Option<words::AuditEventType>,
    entity_type: Option<words::AuditEntityType>,
    actor_type: Option<words::ActorType>,
    entity_id: Option<String>,
    run_id: Option<String>,
    created_after: Option<When>,
    created_before: Option<When>,
}

#[derive(Template)]
#[template(path = "audit.html")]
pub(crate) struct AuditPage {
    title: &'static str,
    frame: Frame,
    selects: Vec<Select>,
    entity_id: String,
    run_id: String,
    created_after: String,
    created_before: String,
    entries: Vec<Row>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
}

struct Row {
    path: String,
    event: &'static str,
    entity: &'static str,
    entity_id: String,
    entity_short: String,
    actor: String,
    reason: Option<String>,
    at: Moment,
}

#[derive(Template)]
#[template(path = "audit_entry.html")]
pub(crate) struct EntryPage {
    title: &'static str,
    frame: Frame,
    id: String,
    actor: Badge,
    reason: Option<String>,
    entity: (String, String),
    run: Option<String>,
    facts: Vec<Fact>,
    differences: Vec<Difference>,
    before: Option<String>,
    after: Option<String>,
}

/// `GET /console/logs/audit`.
pub(crate) async fn audit(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<AuditPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let found = logs::list_audit(&spine, visitor.context(), wanted(&filter)?, page).await?;
    let selects = vec![
        Select::of("event_type", "Event", filter.event_type),
        Select::of("entity_type", "Entity", filter.entity_type),
        Select::of("actor_type", "Actor", filter.actor_type),
    ];
    let [created_after, created_before] = [filter.created_after, filter.created_before].map(When::typed);
    let [entity_id, run_id] = [filter.entity_id, filter.run_id].map(Option::unwrap_or_default);
    let typed = [
        ("entity_id", entity_id.as_str()),
        ("run_id", run_id.as_str()),
        ("created_after", created_after.as_str()),
        ("created_before", created_before.as_str()),
    ];
    Ok(Page(AuditPage {
        title: "Audit Ledger",
        frame: visitor.frame.clone(),
        filtered: !links::list(&selects, &typed, None).is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &typed, Some(cursor))),
        is_first,
        selects,
        entity_id,
        run_id,
        created_after,
        created_before,
        entries: found.items.into_iter().map(|entry| row(entry, now)).collect(),
    }))
}

fn wanted(filters: &Filters) -> Result<AuditFilter, Problem> {
    Ok(AuditFilter {
        event_type: known(filters.event_type),
        entity_type: known(filters.entity_type),
        actor_type: known(filters.actor_type),
        entity_id: filters.entity_id.clone(),
        run_id: filters.run_id.as_deref().map(run_of_filter).transpose()?,
        created_after: filters.created_after.map(|when| when.0),
        created_before: filters.created_before.map(|when| when.0),
    })
}

fn row(entry: AuditEntry, now: chrono::DateTime<chrono::Utc>) -> Row {
    let record = entry.record;
    Row {
        path: format!("/console/logs/audit/{}", record.id),
        event: record.event_type.as_str(),
        entity: record.entity_type.as_str(),
        entity_short: show::short_id(&record.entity_id),
        entity_id: record.entity_id,
        actor: actor(record.actor_type.as_str(), record.actor_id),
        reason: record.action_reason,
        at: Moment::read(&record.created_at, now),
    }
}

fn actor(kind: &str, id: Option<String>) -> String {
    id.unwrap_or_else(|| kind.to_owned())
}

/// `GET /console/logs/audit/{id}`.
pub(crate) async fn entry(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Id(id): Id<AuditId>,
) -> Result<Page<EntryPage>, Problem> {
    let now = spine.now();
    let AuditEntry { record, leaf_index, leaf_hash } = logs::get_audit(&spine, visitor.context(), id).await?;
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    let at = Moment::read(&record.created_at, now);
    fact("When", format!("{} ({})", at.exact, at.ago));
    fact("Actor", format!("{} {}", record.actor_type.as_str(), record.actor_id.unwrap_or_default()));
    fact("Leaf", leaf_index.to_string());
    fact("Leaf hash", leaf_hash.to_string());
    if let Some(seq) = record.run_seq {
        fact("Place in the run", seq.to_string());
    }
    fact("Correlation", record.correlation_id);
    let domain = match record.entity_type.as_str() {
        "INCIDENT" => "incidents",
        "LIMIT" => "policies/limits",
        _ => "policies/rules",
    };
    Ok(Page(EntryPage {
        title: record.event_type.as_str(),
        frame: visitor.frame.clone(),
        id: record.id,
        actor: Badge::toned(record.actor_type.as_str(), "info"),
        reason: record.action_reason,
        entity: (format!("/console/{domain}/{}", record.entity_id), record.entity_id),
        run: record.run_id,
        facts,
        differences: differences(record.before_state.as_deref(), record.after_state.as_deref()),
        before: record.before_state.as_deref().map(show::json),
        after: record.after_state.as_deref().map(show::json),
    }))
}
