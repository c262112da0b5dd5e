//! `POST /acknowledge`: somebody takes several incidents on.

use axum::extract::State;
use models::ids::IncidentId;
use orchestrator::{
    Spine,
    handlers::incidents::{self, Taken},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::IncidentView;
use crate::{
    Problem,
    carried::About,
    extract::{Caller, Handles, Json, WithKey, roles},
    problem::{Code, ProblemView},
    view::text,
};

/// Incidents to acknowledge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcknowledgeIncidents)]
pub(super) struct ManyBody {
    /// Their ids.
    #[schema(min_items = 1, max_items = 200, value_type = Vec<text::IncidentId>)]
    incident_ids: Vec<String>,
    /// For each timeline and the Audit Ledger.
    #[schema(max_length = 4000)]
    note: Option<String>,
}

/// What came of each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AcknowledgedIncidents)]
pub(super) struct ManyView {
    /// How many of them the caller has now.
    acknowledged: usize,
    /// How many of them not.
    refused: usize,
    /// An answer for each, in the order in which they were given.
    items: Vec<ManyItem>,
}

/// What `incidents.acknowledge` would have answered.
#[derive(Debug, Serialize, ToSchema)]
struct ManyItem {
    incident_id: String,
    /// Its status.
    status: u16,
    /// Its body.
    body: ManyItemBody,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum ManyItemBody {
    Incident(Box<IncidentView>),
    Problem(Box<ProblemView>),
}

impl ManyItem {
    fn of(taken: Taken, about: &About) -> Self {
        let incident_id = taken.id.to_string();
        let (status, body) = match taken.answer() {
            Ok(incident) => (200, ManyItemBody::Incident(Box::new(incident.into()))),
            Err(err) => {
                let problem = Problem::from(err);
                let view = problem.view(&about.instance, &about.request_id);
                (problem.status().as_u16(), ManyItemBody::Problem(Box::new(view)))
            }
        };
        Self { incident_id, status, body }
    }
}

/// Acknowledge several incidents in one move.
///
/// All that may be acknowledged are, in one transaction, each with its own row of the Audit Ledger. An answer for each,
/// as `incidents.acknowledge` would give it.
#[utoipa::path(post, path = "/acknowledge", operation_id = "incidents.acknowledge_many", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    request_body = ManyBody,
    responses((status = 200, description = "What came of each.", body = ManyView)))]
pub(super) async fn acknowledge_many(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    about: About,
    Json(WithKey { body, key }): Json<WithKey<ManyBody>>,
) -> Result<Json<ManyView>, Problem> {
    let caller = caller.with_key(key)?;
    let ids = (0..).zip(&body.incident_ids).map(|(at, id): (usize, &String)| {
        let pointer = format!("/incident_ids/{at}");
        id.parse::<IncidentId>().map_err(|err| Problem::field(Code::InvalidRequest, pointer, err.to_string()))
    });
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let answers = incidents::acknowledge_many(&spine, caller.context(), ids, body.note).await?;
    let items: Vec<ManyItem> = answers.into_iter().map(|taken| ManyItem::of(taken, &about)).collect();
    let acknowledged = items.iter().filter(|item| item.status == 200).count();
    Ok(Json(ManyView { acknowledged, refused: items.len() - acknowledged, items }))
}
