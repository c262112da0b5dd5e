//! What waits for a person: all of it, the most urgent first.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use orchestrator::{
    Spine,
    handlers::overview::{self, PendingDecision},
};

use crate::{
    Problem,
    console::{
        fields::Urgent,
        folds::Folds as _,
        links,
        page::Page,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Handles, Views},
};

#[derive(Template)]
#[template(path = "decisions.html")]
pub(crate) struct DecisionsPage {
    title: &'static str,
    frame: Frame,
    decisions: Vec<Decision>,
    waiting: u64,
    may_acknowledge: bool,
    older: Option<String>,
    is_first: bool,
}

/// One thing that waits.
pub(crate) struct Decision {
    pub(super) what: Badge,
    pub(super) priority: Badge,
    pub(super) summary: String,
    pub(super) path: String,
    /// The incident that may be acknowledged, and the name under which its box is.
    pub(super) incident: Option<String>,
    /// Whom it concerns: agents and runs.
    pub(super) concerns: Option<String>,
    pub(super) at: Moment,
}

/// `GET /console/overview/decisions`.
pub(crate) async fn decisions(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Urgent(page): Urgent,
) -> Result<Page<DecisionsPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let found = overview::decisions(&spine, visitor.context(), page).await?;
    Ok(Page(DecisionsPage {
        title: "Pending decisions",
        frame: visitor.frame.clone(),
        waiting: found.total.unwrap_or_default(),
        may_acknowledge: visitor.may::<Handles>(),
        older: found.next_cursor.map(|cursor| links::query([("cursor", cursor.to_string())])),
        is_first,
        decisions: found.items.iter().map(|decision| shown(decision, now)).collect(),
    }))
}

pub(super) fn shown(decision: &PendingDecision, now: DateTime<Utc>) -> Decision {
    let is_incident = decision.entity_type.as_str() == "INCIDENT";
    Decision {
        what: Badge::toned(decision.decision_type.as_str(), "info"),
        priority: Badge::of(decision.priority.as_str()),
        summary: show::plain(&decision.summary),
        path: if is_incident {
            format!("/console/incidents/{}", decision.entity_id)
        } else {
            "/console/policies/rules".to_owned()
        },
        incident: is_incident.then(|| decision.entity_id.clone()),
        concerns: (decision.affected_count > 0)
            .then(|| show::concerns(decision.affected_count, &decision.agents, decision.more_agents)),
        at: Moment::of(decision.created_at, now),
    }
}
