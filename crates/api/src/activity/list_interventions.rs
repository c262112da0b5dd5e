//! `GET /interventions`: what people stopped, and who let it go on.

use axum::extract::State;
use models::activity::InterventionFilter;
use orchestrator::{Spine, handlers::activity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of interventions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct InterventionParams {
    state: Option<words::InterventionState>,
    /// RUN for kills, AGENT and TENANT for freezes.
    target_type: Option<words::InterventionTarget>,
    /// The run or the agent.
    target_id: Option<String>,
}

impl Params for InterventionParams {}

impl InterventionParams {
    fn filter(self) -> Result<InterventionFilter, Problem> {
        Ok(InterventionFilter {
            state: known(self.state)?,
            target_type: known(self.target_type)?,
            target_id: self.target_id,
        })
    }
}

/// A kill or a freeze, and whether it still holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Stopped)]
pub(super) struct StoppedView {
    intervention_id: String,
    #[schema(value_type = words::InterventionKind)]
    kind: &'static str,
    #[schema(value_type = words::InterventionTarget)]
    target_type: &'static str,
    /// The run or the agent; null for the whole tenant.
    target_id: Option<String>,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    reason: Option<String>,
    requested_at: Time,
    /// When it took effect on what runs through HOC; null where there was nothing to stop.
    effective_at: Option<Time>,
    /// Runs that it ended, or to which it refused something.
    runs_met: u64,
    #[schema(value_type = words::InterventionState)]
    state: &'static str,
    /// Who ended the freeze; null while it is in force, and of a kill.
    lifted: Option<LiftedView>,
}

/// The end of a freeze.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Lifted)]
pub(super) struct LiftedView {
    intervention_id: String,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    reason: Option<String>,
    lifted_at: Time,
}

impl From<activity::Stopped> for StoppedView {
    fn from(stopped: activity::Stopped) -> Self {
        let activity::Stopped { intervention, state, lifted, runs_met } = stopped;
        Self {
            intervention_id: intervention.id.to_string(),
            kind: intervention.kind.as_str(),
            target_type: intervention.target_type.as_str(),
            target_id: intervention.target_id,
            actor_type: intervention.actor_type.as_str(),
            actor_id: intervention.actor_id,
            reason: intervention.reason,
            requested_at: intervention.requested_at.into(),
            effective_at: intervention.effective_at.map(Into::into),
            runs_met,
            state: state.as_str(),
            lifted: lifted.map(|end| LiftedView {
                intervention_id: end.id.to_string(),
                actor_type: end.actor_type.as_str(),
                actor_id: end.actor_id,
                reason: end.reason,
                lifted_at: end.requested_at.into(),
            }),
        }
    }
}

/// List kills and freezes, newest first, each with whether it still holds and who ended it.
#[utoipa::path(get, path = "/interventions", operation_id = "activity.list_interventions", tag = "activity",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(InterventionParams, PageParams),
    responses((status = 200, description = "A page of kills and freezes.", body = PageView<StoppedView>)))]
pub(super) async fn list_interventions(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<InterventionParams>,
) -> Result<Json<PageView<StoppedView>>, Problem> {
    let page = activity::list_interventions(&spine, &caller, filter.filter()?, page).await?;
    Ok(Json(page.into()))
}
