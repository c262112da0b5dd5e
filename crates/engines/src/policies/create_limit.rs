//! Making a limit.

use models::{
    ids::{LimitId, TenantId},
    policies::{Limit, LimitDraft},
};
use proof::{
    definitions::LimitDefinition,
    words::{Consequence, LimitEnforcement, LimitStatus, Scope},
};
use rules::fields::FieldErrors;

use super::{Authored, Version, check, limit_state};
use crate::{check::Check, ledger::Governed};

/// A new limit, in force from its first version on.
pub fn create_limit(
    tenant: TenantId,
    id: LimitId,
    draft: LimitDraft,
    author: Authored<'_>,
) -> Result<Governed<Version<Limit>>, FieldErrors> {
    let mut faults = Check::default();
    let definition = LimitDefinition {
        limit_id: id.to_string(),
        version: 1,
        name: draft.name,
        limit_category: draft.limit_category,
        limit_type: draft.limit_type,
        scope: draft.scope.unwrap_or(Scope::Tenant),
        scope_id: draft.scope_id,
        max_value: check::inner(draft.max_value, draft.limit_type, &mut faults),
        reset_period: draft.reset_period,
        window_seconds: draft.window_seconds,
        measurement_window_seconds: draft.measurement_window_seconds,
        degrade_to: draft.degrade_to,
        enforcement: draft.enforcement.unwrap_or(LimitEnforcement::Block),
        consequence: draft.consequence.unwrap_or(Consequence::Alert),
    };
    check::limit(&definition, &mut faults);
    // A change of a limit keeps whose it is, also of one that was made when there was no such check.
    check::of_agent(definition.scope, definition.scope_id.as_deref(), &mut faults);
    faults.done()?;
    let Authored { ledger, by, now } = author;
    let (created_by, status) = (by.to_owned(), LimitStatus::Active);
    let limit = Limit { tenant, definition, status, created_by, created_at: now, updated_at: now };
    let owed = ledger.limit_created(&limit.definition.limit_id, limit_state(&limit));
    Ok(Governed::new(Version::of_limit(limit, now), owed))
}
