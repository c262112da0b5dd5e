//! The list of incidents.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::incidents::{Incident, IncidentFilter, LifecycleState};
use orchestrator::{Spine, handlers::incidents};
use serde::Deserialize;

use super::state::state;
use crate::{
    Problem,
    console::{
        fields::{Listed, When},
        folds::Folds as _,
        links,
        page::Page,
        select::Select,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Handles, Views},
    view::words::{self, Word, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    topic: Option<words::IncidentTopic>,
    severity: Option<words::Severity>,
    category: Option<words::IncidentCategory>,
    created_after: Option<When>,
    created_before: Option<When>,
}

#[derive(Template)]
#[template(path = "incidents.html")]
pub(crate) struct IncidentsPage {
    title: &'static str,
    frame: Frame,
    topics: Vec<(&'static str, &'static str, bool)>,
    topic: &'static str,
    selects: Vec<Select>,
    created_after: String,
    created_before: String,
    incidents: Vec<Row>,
    may_acknowledge: bool,
    /// Where a move leads back to.
    back: String,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
}

struct Row {
    id: String,
    path: String,
    title: String,
    category: &'static str,
    /// Whom it concerns.
    concerns: Option<String>,
    severity: Badge,
    state: Badge,
    /// It waits for somebody to take it.
    waits: bool,
    struck: String,
    last: Moment,
    at: Moment,
}

/// `GET /console/incidents`.
pub(crate) async fn list(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<IncidentsPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let found = incidents::list(&spine, visitor.context(), wanted(&filter), page).await?;
    let topic = filter.topic.map_or("", Word::text);
    let selects = vec![
        Select::of("severity", "Severity", filter.severity),
        Select::of("category", "Category", filter.category),
    ];
    let [created_after, created_before] = [filter.created_after, filter.created_before].map(When::typed);
    let typed = [
        ("topic", topic),
        ("created_after", created_after.as_str()),
        ("created_before", created_before.as_str()),
    ];
    let current = links::list(&selects, &typed, None);
    Ok(Page(IncidentsPage {
        title: "Incidents",
        frame: visitor.frame.clone(),
        topics: [("All", ""), ("Active", "topic=ACTIVE"), ("Resolved", "topic=RESOLVED")]
            .into_iter()
            .map(|(name, query)| (name, query, current == query))
            .collect(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &typed, Some(cursor))),
        topic,
        selects,
        created_after,
        created_before,
        may_acknowledge: visitor.may::<Handles>()
            && found.items.iter().any(|incident| incident.lifecycle_state == LifecycleState::Active),
        back: format!("/console/incidents?{current}"),
        filtered: !current.is_empty(),
        is_first,
        incidents: found.items.iter().map(|incident| row(incident, now)).collect(),
    }))
}

fn wanted(filters: &Filters) -> IncidentFilter {
    let topic = known(filters.topic);
    IncidentFilter {
        lifecycle_states: topic.map_or_else(Vec::new, |topic| topic.states().to_vec()),
        severity: known(filters.severity),
        category: known(filters.category),
        created_after: filters.created_after.map(|when| when.0),
        created_before: filters.created_before.map(|when| when.0),
        ..IncidentFilter::default()
    }
}

fn row(incident: &Incident, now: DateTime<Utc>) -> Row {
    Row {
        id: incident.id.to_string(),
        path: format!("/console/incidents/{}", incident.id),
        category: incident.category.as_str(),
        concerns: (incident.affected_count > 0)
            .then(|| show::concerns(incident.affected_count, &incident.agents, incident.more_agents)),
        severity: Badge::of(incident.severity.as_str()),
        state: state(incident),
        waits: incident.lifecycle_state == LifecycleState::Active,
        struck: show::count(incident.occurrences),
        last: Moment::of(incident.last_seen_at, now),
        at: Moment::of(incident.created_at, now),
        title: show::plain(&incident.title),
    }
}
