//! What else a run touched (O4).

use askama::Template;
use axum::{Extension, extract::State};
use models::ids::RunId;
use orchestrator::{
    Spine,
    coordinators::run_evidence::{self, Part},
    handlers::activity,
    spine::WholeRun,
    verdict::Fired,
};

use super::run::Head;
use crate::{
    Problem,
    console::{
        folds::Folds as _,
        page::Page,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Id, Inspects},
};

#[derive(Template)]
#[template(path = "evidence.html")]
pub(crate) struct EvidencePage {
    title: String,
    frame: Frame,
    head: Head,
    parts: Vec<Kind>,
    unread: Vec<&'static str>,
    at: Moment,
}

/// One kind of thing that the run touched.
struct Kind {
    name: &'static str,
    what: &'static str,
    rows: Vec<Row>,
}

/// One of them.
struct Row {
    badge: Badge,
    text: String,
    path: Option<String>,
    step: Option<u64>,
    detail: String,
}

/// `GET /console/activity/runs/{run_id}/evidence`.
pub(crate) async fn evidence(
    State(spine): State<Spine>,
    visitor: Visitor<Inspects>,
    Id(id): Id<RunId>,
) -> Result<(Extension<WholeRun>, Page<EvidencePage>), Problem> {
    let now = spine.now();
    let run = activity::get(&spine, visitor.context(), id).await?;
    let (found, place) = run_evidence::evidence(&spine, visitor.context(), id).await?;
    let ago = |at: &str| Moment::read(at, now).exact;
    let decisions = found.decisions_made.into_iter().map(|one| Row {
        badge: Badge::of_verdict(one.action.as_str(), one.would_have.map(|action| action.as_str())),
        text: show::plain(&why(&one.fired, one.deciding_policy_id.as_deref())),
        path: one.deciding_policy_id.as_deref().map(policy_path),
        step: one.step_index,
        detail: ago(&one.decided_at),
    });
    let policies = found.policies_evaluated.into_iter().map(|one| (one.note(), one)).map(|(said, one)| Row {
        badge: Badge::of_verdict(one.outcome.as_str(), one.would_have.map(|action| action.as_str())),
        text: match (one.policy_name, said) {
            (None, _) => "No rule or limit fired".to_owned(),
            (Some(name), None) => name,
            (Some(name), Some(said)) => format!("{name}: {said}"),
        },
        path: one.policy_id.as_deref().map(policy_path),
        step: one.step_index,
        detail: ago(&one.evaluated_at),
    });
    let limits = found.limits_hit.into_iter().map(|one| Row {
        badge: Badge::of(one.breach_type.as_str()),
        text: one.limit_name,
        path: Some(policy_path(&one.limit_id)),
        step: one.step_index,
        detail: format!(
            "{} of {}",
            amount(one.limit_type.as_str(), one.breached_value),
            amount(one.limit_type.as_str(), one.threshold_value)
        ),
    });
    let incidents = found.incidents_caused.into_iter().map(|one| Row {
        badge: Badge::of(one.incident.severity.as_str()),
        path: Some(format!("/console/incidents/{}", one.incident.id)),
        text: show::plain(&one.title()),
        step: one.of.first_step_index,
        detail: format!("{}, {}", did(one.of.relation.as_str()), one.incident.lifecycle_state.as_str()),
    });
    let governance = found.governance_events.into_iter().map(|one| Row {
        badge: Badge::toned(one.record.event_type.as_str(), "info"),
        path: Some(format!("/console/logs/audit/{}", one.record.id)),
        text: format!("{} {}", one.record.actor_type.as_str(), one.record.actor_id.unwrap_or_default()),
        step: None,
        detail: ago(&one.record.created_at),
    });
    let traces = found.traces_linked.into_iter().map(|one| Row {
        badge: Badge::of(one.status.as_str()),
        text: one.id.to_string(),
        path: None,
        step: None,
        detail: show::counted(one.step_count, "step"),
    });
    let kind = |name, what, rows| Kind { name, what, rows };
    let page = Page(EvidencePage {
        title: format!("Evidence of a run of {}", run.agent_id),
        frame: visitor.frame.clone(),
        head: Head::of(&run, "evidence", true),
        parts: vec![
            kind(
                "Decisions made",
                "verdicts above ALLOW, and what reported steps would have got",
                decisions.collect(),
            ),
            kind("Policies evaluated", "rules and limits that fired", policies.collect()),
            kind("Limits hit", "limits that were passed", limits.collect()),
            kind("Incidents caused", "what people had to know of", incidents.collect()),
            kind("Governance events", "entries of the Audit Ledger that name the run", governance.collect()),
            kind("Traces linked", "the chain of its steps", traces.collect()),
        ],
        unread: found
            .completeness
            .into_iter()
            .filter(|(_, part)| *part != Part::Complete)
            .map(|(name, _)| name)
            .collect(),
        at: Moment::of(found.computed_at, now),
    });
    Ok((Extension(place), page))
}

/// What the deciding policy said, or the first that fired.
fn why(fired: &str, deciding: Option<&str>) -> String {
    let Ok(fired) = serde_json::from_str::<Vec<Fired>>(fired) else {
        return "what fired is not readable: verify this run".to_owned();
    };
    let by = fired.iter().find(|one| Some(one.policy_id.as_str()) == deciding).or_else(|| fired.first());
    by.map_or_else(
        || "nothing fired".to_owned(),
        |one| match one.why() {
            why if why.contains(&one.name) => why,
            why => format!("{}: {why}", one.name),
        },
    )
}

/// Where a rule's or a limit's page is.
fn policy_path(id: &str) -> String {
    let list = if id.starts_with("lim_") { "limits" } else { "rules" };
    format!("/console/policies/{list}/{id}")
}

/// A limit's value in its own unit.
pub(crate) fn amount(limit_type: &str, value: u64) -> String {
    let units = [
        ("TOKENS", "tokens"),
        ("STEPS", "steps"),
        ("CALLS", "calls"),
        ("REQUESTS", "steps"),
        ("_MS", "ms"),
        ("RETRY", "retries"),
        ("PCT", "%"),
    ];
    let unit = units.into_iter().find_map(|(part, unit)| limit_type.contains(part).then_some(unit));
    match unit {
        _ if limit_type.contains("COST") => show::usd(value),
        Some("retries") if value == 1 => "1 retry".to_owned(),
        Some(unit) if value == 1 && unit.len() > 2 => format!("1 {}", unit.trim_end_matches('s')),
        Some(unit) => format!("{} {unit}", show::count(value)),
        None => show::count(value),
    }
}

/// What the run did of an incident.
fn did(relation: &str) -> &'static str {
    if relation == "SOURCE" { "opened it" } else { "joined it" }
}
