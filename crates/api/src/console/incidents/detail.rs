//! One incident: what happened, the runs that met it, and its timeline.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::{
    ids::IncidentId,
    incidents::{Incident, IncidentEvent, IncidentEventType, LifecycleState, ResolutionType},
};
use orchestrator::{
    Spine,
    handlers::incidents::{self, AffectedRun},
};

use super::state::state;
use crate::{
    Problem,
    console::{
        activity::Fact,
        fields::Listed,
        folds::Folds as _,
        links,
        page::Page,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Handles, Id, NoParams, Views},
    view::words,
};

#[derive(Template)]
#[template(path = "incident.html")]
pub(crate) struct IncidentPage {
    frame: Frame,
    id: String,
    title: String,
    description: String,
    /// How many others met its cause too, and may have met it otherwise.
    others: Option<String>,
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

/// `GET /console/incidents/{id}`.
pub(crate) async fn get(
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
        others: (incident.affected_count > 1)
            .then(|| show::counted(incident.affected_count - 1, "other run")),
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

fn run_link(id: models::ids::RunId) -> (String, String) {
    let id = id.to_string();
    (format!("/console/activity/runs/{id}"), show::short_id(&id))
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
