//! `GET /`: the tenant's incidents.

use axum::extract::State;
use models::incidents::IncidentFilter;
use orchestrator::{Spine, handlers::incidents};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::IncidentView;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of incidents.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentParams {
    /// `ACTIVE` gives ACTIVE and ACKED; `RESOLVED` and `HISTORICAL` give RESOLVED.
    topic: Option<words::IncidentTopic>,
    severity: Option<words::Severity>,
    category: Option<words::IncidentCategory>,
    cause_type: Option<words::CauseType>,
    is_synthetic: Option<bool>,
    created_after: Option<Time>,
    created_before: Option<Time>,
}

impl Params for IncidentParams {}

impl IncidentParams {
    fn filter(self) -> IncidentFilter {
        let topic = known(self.topic);
        IncidentFilter {
            lifecycle_states: topic.map_or_else(Vec::new, |topic| topic.states().to_vec()),
            severity: known(self.severity),
            category: known(self.category),
            cause_type: known(self.cause_type),
            is_synthetic: self.is_synthetic,
            created_after: self.created_after.map(Into::into),
            created_before: self.created_before.map(Into::into),
        }
    }
}

/// List incidents, newest first.
#[utoipa::path(get, path = "", operation_id = "incidents.list", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(IncidentParams, PageParams),
    responses((status = 200, description = "A page of incidents.", body = PageView<IncidentView>)))]
pub(super) async fn list(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<IncidentParams>,
) -> Result<Json<PageView<IncidentView>>, Problem> {
    let page = incidents::list(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
