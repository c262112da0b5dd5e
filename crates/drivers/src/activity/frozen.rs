//! Whether a run is frozen, as a part of any query of runs.

use entities::activity::{freezes, runs};
use models::ids::TenantId;
use sea_orm::{
    QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};

use crate::driver::of_tenant;

of_tenant!(freezes);

/// That a freeze holds for the run of the row that is asked for, under the very name of its agent.
pub(crate) fn freeze_of_run(tenant: TenantId) -> SimpleExpr {
    let agent = Expr::col((runs::Entity, runs::Column::AgentId));
    let target = Expr::col((freezes::Entity, freezes::Column::TargetId));
    let holds = target.is_in([Expr::val(""), agent]);
    Expr::exists(of(tenant).select_only().column(freezes::Column::TargetId).filter(holds).into_query())
}
