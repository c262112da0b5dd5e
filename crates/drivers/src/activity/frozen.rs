//! Whether a run is frozen, as a part of any query of runs.

use entities::activity::{freezes, runs};
use models::{activity::Freeze, ids::TenantId};
use sea_orm::{
    ColumnTrait as _, Condition, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};

use crate::driver::of_tenant;

of_tenant!(freezes);

/// That a freeze holds for the run of the row that is asked for, under the very name of its agent; or may, for the
/// tenant has one whose kept name is another form of a name in ASCII.
pub(super) fn freeze_of_run(tenant: TenantId) -> SimpleExpr {
    let agent = Expr::col((runs::Entity, runs::Column::AgentId));
    let target = Expr::col((freezes::Entity, freezes::Column::TargetId));
    let holds = target.is_in([Expr::val(""), agent]);
    let has_form = |any: Condition, form: &char| any.add(freezes::Column::TargetId.contains(*form));
    let may_hold = Freeze::FORMS_OF_ASCII.iter().fold(Condition::any(), has_form);
    let any = || of(tenant).select_only().column(freezes::Column::TargetId);
    Expr::exists(any().filter(holds).into_query()).or(Expr::exists(any().filter(may_hold).into_query()))
}
