//! `GET /interventions`: what people stopped, and who let it go on.

use axum::extract::State;
use models::activity::InterventionFilter;
use orchestrator::{Spine, handlers::activity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::intervention_view::AskedView;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView,
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
    fn filter(self) -> InterventionFilter {
        InterventionFilter {
            state: known(self.state),
            target_type: known(self.target_type),
            target_id: self.target_id,
        }
    }
}

/// A kill or a freeze, and whether it still holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Stopped)]
pub(super) struct StoppedView {
    #[serde(flatten)]
    asked: AskedView,
    /// Runs that it ended, or to which it refused something.
    runs_met: u64,
    #[schema(value_type = words::InterventionState)]
    state: &'static str,
    /// The end of the freeze, and who asked for that; null while it is in force, and of a kill.
    lifted: Option<AskedView>,
}

impl From<activity::Stopped> for StoppedView {
    fn from(stopped: activity::Stopped) -> Self {
        let activity::Stopped { intervention, state, lifted, runs_met } = stopped;
        Self {
            asked: intervention.into(),
            runs_met,
            state: state.as_str(),
            lifted: lifted.map(AskedView::from),
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
    let page = activity::list_interventions(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
