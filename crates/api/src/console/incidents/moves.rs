//! What people do about incidents: they take them, and say that they are over.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use models::ids::IncidentId;
use orchestrator::{
    Spine,
    handlers::incidents::{self, Resolve},
};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        fields::Posted,
        folds::Folds as _,
        links,
        page::Page,
        visitor::{Frame, Visitor},
    },
    extract::{Handles, Id},
    problem::Code,
    view::words::{self, known},
};

/// A note to acknowledge with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    note: Option<String>,
}

/// How somebody says that it is over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolution {
    note: Option<String>,
    resolution_type: Option<words::ResolutionType>,
}

/// Incidents to acknowledge: each is a box of its id's name.
#[derive(Debug, Deserialize)]
pub(crate) struct Taking {
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

/// `POST /console/incidents/{id}/acknowledge`.
pub(crate) async fn acknowledge(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<IncidentId>,
    Posted(given): Posted<Note>,
) -> Result<Redirect, Problem> {
    incidents::acknowledge(&spine, visitor.context(), id, given.note).await?;
    Ok(Redirect::to(&format!("/console/incidents/{id}")))
}

/// `POST /console/incidents/acknowledge`: all that are chosen, with one note. Those that cannot be taken are told.
pub(crate) async fn acknowledge_many(
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
pub(crate) async fn resolve(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<IncidentId>,
    Posted(given): Posted<Resolution>,
) -> Result<Redirect, Problem> {
    let how = Resolve { note: given.note, resolution_type: known(given.resolution_type) };
    incidents::resolve(&spine, visitor.context(), id, how).await?;
    Ok(Redirect::to(&format!("/console/incidents/{id}")))
}
