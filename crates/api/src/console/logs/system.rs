//! System records: what happened to keys and settings, and to the installation for who runs or examines it.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::{
    ids::SystemRecordId,
    logs::{SystemFilter, SystemRecord},
};
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        activity::Fact,
        fields::{Listed, When},
        folds::Folds as _,
        links,
        page::Page,
        select::Select,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Id, Views},
    view::words::{self, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    event_type: Option<words::SystemEventType>,
    severity: Option<words::SystemSeverity>,
    component: Option<String>,
    created_after: Option<When>,
    created_before: Option<When>,
}

#[derive(Template)]
#[template(path = "system.html")]
pub(crate) struct SystemPage {
    title: &'static str,
    frame: Frame,
    selects: Vec<Select>,
    component: String,
    created_after: String,
    created_before: String,
    records: Vec<Row>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
}

struct Row {
    path: String,
    event: &'static str,
    component: String,
    severity: Badge,
    of_installation: bool,
    summary: String,
    by: String,
    at: Moment,
}

#[derive(Template)]
#[template(path = "system_record.html")]
pub(crate) struct RecordPage {
    title: &'static str,
    frame: Frame,
    id: String,
    badges: Vec<Badge>,
    summary: String,
    facts: Vec<Fact>,
    details: Option<String>,
}

/// `GET /console/logs/system`.
pub(crate) async fn system(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<SystemPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let wanted = SystemFilter {
        component: filter.component.clone(),
        event_type: known(filter.event_type),
        severity: known(filter.severity),
        created_after: filter.created_after.map(|when| when.0),
        created_before: filter.created_before.map(|when| when.0),
        ..SystemFilter::default()
    };
    let found = logs::list_system(&spine, visitor.context(), wanted, page).await?;
    let selects = vec![
        Select::of("event_type", "Event", filter.event_type),
        Select::of("severity", "Severity", filter.severity),
    ];
    let [created_after, created_before] = [filter.created_after, filter.created_before].map(When::typed);
    let component = filter.component.unwrap_or_default();
    let typed = [
        ("component", component.as_str()),
        ("created_after", created_after.as_str()),
        ("created_before", created_before.as_str()),
    ];
    Ok(Page(SystemPage {
        title: "System records",
        frame: visitor.frame.clone(),
        filtered: !links::list(&selects, &typed, None).is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &typed, Some(cursor))),
        is_first,
        selects,
        component,
        created_after,
        created_before,
        records: found.items.into_iter().map(|logged| row(logged.record, now)).collect(),
    }))
}

fn row(record: SystemRecord, now: DateTime<Utc>) -> Row {
    Row {
        path: format!("/console/logs/system/{}", record.id),
        event: record.event_type.as_str(),
        severity: severity(&record),
        of_installation: record.scope().as_str() == "INSTALLATION",
        component: record.component,
        summary: show::plain(&record.summary),
        by: record.caused_by.unwrap_or_default(),
        at: Moment::of(record.created_at, now),
    }
}

fn severity(record: &SystemRecord) -> Badge {
    let word = record.severity.as_str();
    Badge::toned(
        word,
        match word {
            "info" => "mute",
            "warning" => "warn",
            _ => "bad",
        },
    )
}

/// `GET /console/logs/system/{id}`.
pub(crate) async fn record(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Id(id): Id<SystemRecordId>,
) -> Result<Page<RecordPage>, Problem> {
    let now = spine.now();
    let record = logs::get_system(&spine, visitor.context(), id).await?.record;
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    let at = Moment::of(record.created_at, now);
    fact("When", format!("{} ({})", at.exact, at.ago));
    if let Some(by) = &record.caused_by {
        fact("By", by.clone());
    }
    fact("Component", record.component.clone());
    fact("Concerns", record.scope().as_str().to_lowercase());
    if let Some(correlation) = &record.correlation_id {
        fact("Correlation", correlation.clone());
    }
    Ok(Page(RecordPage {
        title: record.event_type.as_str(),
        frame: visitor.frame.clone(),
        id: record.id.to_string(),
        badges: vec![severity(&record)],
        facts,
        details: record.details.as_deref().map(show::json),
        summary: show::plain(&record.summary),
    }))
}
