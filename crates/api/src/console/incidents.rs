//! Incidents: what went wrong, and how it is handled.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono::{DateTime, Utc};
use models::{
    ids::IncidentId,
    incidents::{Incident, IncidentEvent, IncidentEventType, IncidentFilter, LifecycleState, ResolutionType},
};
use orchestrator::{
    Spine,
    handlers::incidents::{self, AffectedRun, Resolve},
};
use serde::Deserialize;

use super::{
    activity::Fact,
    fields::{Listed, Posted, When},
    folds::Folds as _,
    links,
    page::Page,
    select::Select,
    show::{self, Badge, Moment},
    visitor::{Frame, Visitor},
};
use crate::{
    Problem,
    extract::{Handles, Id, NoParams, Views},
    problem::Code,
    view::words::{self, Word, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filters {
    topic: Option<words::IncidentTopic>,
    severity: Option<words::Severity>,
    category: Option<words::IncidentCategory>,
    created_after: Option<When>,
    created_before: Option<When>,
}

/// A note to acknowledge with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    note: Option<String>,
}

/// How somebody says that it is over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resolution {
    note: Option<String>,
    resolution_type: Option<words::ResolutionType>,
}

/// Incidents to acknowledge: each is a box of its id's name.
#[derive(Debug, Deserialize)]
pub(super) struct Taking {
    note: Option<String>,
    /// The page that the form was on.
    back: Option<String>,
    #[serde(flatten)]
    chosen: BTreeMap<String, String>,
}

/// What came of it, where some could not be taken.
#[derive(Template)]
#[template(path = "taken.html")]
struct TakenPage {
    title: &'static str,
    frame: Frame,
    taken: usize,
    refused: Vec<Refused>,
    back: String,
}

struct Refused {
    path: String,
    id: String,
    why: String,
}

#[derive(Template)]
#[template(path = "incidents.html")]
pub(super) struct IncidentsPage {
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

#[derive(Template)]
#[template(path = "incident.html")]
pub(super) struct IncidentPage {
    frame: Frame,
    id: String,
    title: String,
    description: String,
    severity: Badge,
    state: Badge,
    facts: Vec<Fact>,
    run: Option<(String, String)>,
    /// The step that it began with.
    step: Option<(String, u64)>,
    runs: Vec<Affected>,
    /// How many runs there are in all.
    runs_in_all: String,
    older_runs: Option<String>,
    is_first: bool,
    policy: Option<(String, String, &'static str)>,
    timeline: Vec<Event>,
    /// How many runs that joined it are not in the timeline.
    untold: Option<String>,
    may_acknowledge: bool,
    may_resolve: bool,
    resolutions: Vec<&'static str>,
}

struct Event {
    what: &'static str,
    tone: &'static str,
    actor: Option<String>,
    note: Option<String>,
    /// The run that it tells of, and the step.
    run: Option<(String, String)>,
    at: Moment,
}

/// A run that met the cause.
struct Affected {
    path: String,
    id: String,
    agent: String,
    did: &'static str,
    note: Option<String>,
    struck: String,
    step: Option<u64>,
    first: Moment,
    last: Moment,
}

/// `GET /console/incidents`.
pub(super) async fn list(
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

fn state(incident: &Incident) -> Badge {
    let word = incident.lifecycle_state.as_str();
    Badge::toned(word, show::state_tone(word))
}

fn run_link(id: models::ids::RunId) -> (String, String) {
    let id = id.to_string();
    (format!("/console/activity/runs/{id}"), show::short_id(&id))
}

/// `GET /console/incidents/{id}`.
pub(super) async fn get(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Id(id): Id<IncidentId>,
    Listed { page, .. }: Listed<NoParams>,
) -> Result<Page<IncidentPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let detail = incidents::get(&spine, visitor.context(), id).await?;
    // Not those of the detail: the link to older ones is of this list.
    let runs = incidents::runs(&spine, visitor.context(), id, page).await?;
    let incident = detail.incident;
    let by_rule = detail.rule.map(|rule| {
        let definition = rule.definition;
        (format!("/console/policies/rules/{}", definition.rule_id), definition.name, "rule")
    });
    let by_limit = detail.limit.map(|limit| {
        let definition = limit.definition;
        (format!("/console/policies/limits/{}", definition.limit_id), definition.name, "limit")
    });
    let open = incident.lifecycle_state != LifecycleState::Resolved;
    Ok(Page(IncidentPage {
        frame: visitor.frame.clone(),
        id: incident.id.to_string(),
        severity: Badge::of(incident.severity.as_str()),
        state: state(&incident),
        facts: facts(&incident, now),
        run: incident.source_run_id.map(run_link),
        step: incident
            .source_run_id
            .zip(incident.source_step_index)
            .map(|(run, step)| (links::step(&run.to_string(), step), step)),
        untold: untold(&incident, &detail.timeline),
        runs_in_all: show::count(incident.affected_count),
        older_runs: runs.next_cursor.map(|cursor| links::query([("cursor", cursor.to_string())])),
        is_first,
        runs: runs.items.into_iter().map(|run| affected(run, now)).collect(),
        policy: by_rule.or(by_limit),
        timeline: detail.timeline.into_iter().map(|event| shown(event, now)).collect(),
        may_acknowledge: visitor.may::<Handles>() && incident.lifecycle_state == LifecycleState::Active,
        may_resolve: visitor.may::<Handles>() && open,
        resolutions: words::ResolutionType::all(),
        title: show::plain(&incident.title),
        description: show::plain(&incident.description),
    }))
}

fn facts(incident: &Incident, now: DateTime<Utc>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    let opened = Moment::of(incident.created_at, now);
    fact("Opened", format!("{} ({})", opened.exact, opened.ago));
    fact("Category", incident.category.as_str().to_owned());
    fact("Cause", incident.cause_type.as_str().to_owned());
    let times = match incident.occurrences {
        1 => "once".to_owned(),
        many => format!("{} times", show::count(many)),
    };
    let runs = match incident.affected_count {
        0 => String::new(),
        1 => ", in 1 run".to_owned(),
        many => format!(", in {} runs", show::count(many)),
    };
    fact("Happened", format!("{times}{runs}"));
    let last = Moment::of(incident.last_seen_at, now);
    fact("Happened last", format!("{} ({})", last.exact, last.ago));
    if !incident.agents.is_empty() {
        fact("Agents", show::named(&incident.agents, incident.more_agents));
    }
    if incident.cost_impact_nanousd > 0 {
        fact("Cost impact", show::usd(incident.cost_impact_nanousd));
    }
    if incident.recurrence_count > 0 {
        fact("Before", format!("{} incidents of this cause", show::count(incident.recurrence_count)));
    }
    if let Some(code) = &incident.error_code {
        fact("Error code", code.clone());
    }
    if let (Some(by), Some(at)) = (&incident.acknowledged_by, incident.acknowledged_at) {
        fact("Acknowledged", format!("by {by}, {}", Moment::of(at, now).exact));
    }
    if let (Some(by), Some(at)) = (&incident.resolved_by, incident.resolved_at) {
        let how = incident.resolution_type.map_or("", ResolutionType::as_str);
        fact("Resolved", format!("by {by} as {how}, {}", Moment::of(at, now).exact));
    }
    if let Some(notes) = &incident.resolution_notes {
        fact("Resolution notes", notes.clone());
    }
    fact("Recurrence signature", show::short_hash(&incident.recurrence_signature));
    fact("Correlation", incident.correlation_id.clone());
    facts
}

fn affected(AffectedRun { of, run }: AffectedRun, now: DateTime<Utc>) -> Affected {
    let (path, id) = run_link(of.run_id);
    Affected {
        path: of.first_step_index.map_or(path, |step| links::step(&of.run_id.to_string(), step)),
        id,
        agent: run.agent_id,
        did: if of.relation.as_str() == "SOURCE" { "opened it" } else { "joined it" },
        note: of.note,
        struck: show::count(of.occurrences),
        step: of.first_step_index,
        first: Moment::of(of.first_at, now),
        last: Moment::of(of.last_at, now),
    }
}

/// The timeline names the last runs that joined.
fn untold(incident: &Incident, timeline: &[IncidentEvent]) -> Option<String> {
    let told = timeline.iter().filter(|event| event.event_type == IncidentEventType::Recurred).count() as u64;
    let joined = incident.affected_count.saturating_sub(1);
    (joined > told).then(|| show::count(joined - told))
}

fn shown(event: IncidentEvent, now: DateTime<Utc>) -> Event {
    let details: serde_json::Value =
        event.details.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let said = details["note"].as_str().or_else(|| details["found"].as_str());
    let note = said.map(str::to_owned);
    let run = details["run_id"].as_str().and_then(|id| id.parse().ok()).map(run_link);
    let what = event.event_type.as_str();
    Event {
        run,
        what,
        tone: match what {
            "created" | "severity_escalated" | "recurred" => "bad",
            "acknowledged" => "warn",
            "resolved" | "manually_closed" => "good",
            _ => "mute",
        },
        actor: event.actor,
        note,
        at: Moment::of(event.at, now),
    }
}

/// `POST /console/incidents/{id}/acknowledge`.
pub(super) async fn acknowledge(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<IncidentId>,
    Posted(given): Posted<Note>,
) -> Result<Redirect, Problem> {
    incidents::acknowledge(&spine, visitor.context(), id, given.note).await?;
    Ok(Redirect::to(&format!("/console/incidents/{id}")))
}

/// `POST /console/incidents/acknowledge`: all that are chosen, with one note. Those that cannot be taken are told.
pub(super) async fn acknowledge_many(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Posted(Taking { note, back, chosen }): Posted<Taking>,
) -> Result<Response, Problem> {
    let ids = chosen.keys().map(|id| {
        id.parse::<IncidentId>()
            .map_err(|err| Problem::field(Code::InvalidRequest, "/incident_ids", err.to_string()))
    });
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        return Err(Problem::new(Code::InvalidRequest, "no incident was chosen: tick those to acknowledge"));
    }
    let answers = incidents::acknowledge_many(&spine, visitor.context(), ids, note).await?;
    let back = links::next(back.as_deref().unwrap_or("/console/incidents")).to_owned();
    let asked = answers.len();
    let refused: Vec<Refused> = answers
        .into_iter()
        .filter_map(|taken| {
            let id = taken.id.to_string();
            let why = Problem::from(taken.answer().err()?).view("", "").detail;
            Some(Refused { path: format!("/console/incidents/{id}"), id, why })
        })
        .collect();
    if refused.is_empty() {
        return Ok(Redirect::to(&back).into_response());
    }
    let (title, taken) = ("Acknowledged", asked - refused.len());
    Ok(Page(TakenPage { title, frame: visitor.frame.clone(), taken, refused, back }).into_response())
}

/// `POST /console/incidents/{id}/resolve`.
pub(super) async fn resolve(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<IncidentId>,
    Posted(given): Posted<Resolution>,
) -> Result<Redirect, Problem> {
    let how = Resolve { note: given.note, resolution_type: known(given.resolution_type) };
    incidents::resolve(&spine, visitor.context(), id, how).await?;
    Ok(Redirect::to(&format!("/console/incidents/{id}")))
}
