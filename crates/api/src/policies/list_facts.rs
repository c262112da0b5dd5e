//! `GET /facts`: what a condition can read.

use orchestrator::handlers::policies::{self, Fact, FactList};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Json, Views, roles},
    view::words,
};

/// Every fact that a condition can read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FactList)]
pub(super) struct FactListView {
    /// As decisions name it.
    schema_version: &'static str,
    /// In the order in which people should see them.
    items: Vec<FactView>,
}

/// One fact.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fact)]
struct FactView {
    /// In short, as the JSON form of conditions has it, and as `fired[].facts` tells it.
    #[schema(example = "step.cost_microusd")]
    name: &'static str,
    /// As Cedar has it.
    #[schema(example = "context.step.cost_microusd")]
    path: &'static str,
    #[schema(value_type = words::FactType)]
    r#type: &'static str,
    /// What a number counts. Null where it is none, or bare.
    #[schema(value_type = Option<words::FactUnit>, required = true)]
    unit: Option<&'static str>,
    /// The moments at which a rule can read it.
    #[schema(value_type = Vec<words::BindAt>)]
    moments: Vec<&'static str>,
    /// What it is.
    meaning: &'static str,
    /// A condition that reads it.
    #[schema(example = "context.step.cost_microusd > 500000")]
    example: &'static str,
}

impl From<FactList> for FactListView {
    fn from(list: FactList) -> Self {
        Self { schema_version: list.schema_version, items: list.facts.iter().map(FactView::of).collect() }
    }
}

impl FactView {
    fn of(fact: &Fact) -> Self {
        Self {
            name: fact.name(),
            path: fact.path,
            r#type: fact.fact_type.as_str(),
            unit: fact.unit.map(|unit| unit.as_str()),
            moments: fact.moments().map(|moment| moment.as_str()).collect(),
            meaning: fact.meaning,
            example: fact.example,
        }
    }
}

/// List the facts that a condition can read.
#[utoipa::path(get, path = "/facts", operation_id = "policies.list_facts", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    responses((status = 200, description = "Every fact.", body = FactListView)))]
pub(super) async fn list_facts(caller: Caller<Views>) -> Result<Json<FactListView>, Problem> {
    Ok(Json(policies::list_facts(caller.context()).into()))
}
