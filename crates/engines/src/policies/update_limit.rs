//! Changing a limit: a new version of it. Its category and its type never change.

use models::policies::{Limit, LimitChange};
use proof::{
    definitions::LimitDefinition,
    words::{LimitEnforcement, LimitStatus},
};
use rules::fields::FieldErrors;

use super::{Authored, Version, check, limit_state};
use crate::{check::Check, ledger::Governed};

/// Why a limit was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// It is not in force.
    #[error("the limit is disabled; make a new one")]
    Disabled,
    /// The caller changes another version than the one in force.
    #[error("the version in force is {current}")]
    Stale {
        /// The version in force.
        current: u64,
    },
    /// Fields that are refused.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
}

/// The next version. `None` where the change changes nothing: there is no version then, and nothing is owed.
pub fn update_limit(
    limit: &Limit,
    version: u64,
    change: LimitChange,
    author: Authored<'_>,
) -> Result<Option<Governed<Version<Limit>>>, UpdateError> {
    let before = &limit.definition;
    if limit.status == LimitStatus::Disabled {
        return Err(UpdateError::Disabled);
    }
    if version != before.version {
        return Err(UpdateError::Stale { current: before.version });
    }
    let mut faults = Check::default();
    let other_category = change.limit_category.is_some_and(|category| category != before.limit_category);
    faults.refuse_if(
        other_category,
        "/limit_category",
        format!("stays {}: make a new limit", before.limit_category),
    );
    let other_type = change.limit_type.is_some_and(|limit_type| limit_type != before.limit_type);
    faults.refuse_if(other_type, "/limit_type", format!("stays {}: make a new limit", before.limit_type));
    let max_value = change.max_value.map(|amount| check::inner(amount, before.limit_type, &mut faults));
    let enforcement = change.enforcement.unwrap_or(before.enforcement);
    let degrades = enforcement == LimitEnforcement::Degrade;
    let definition = LimitDefinition {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        scope: change.scope.unwrap_or(before.scope),
        scope_id: change.scope_id.unwrap_or_else(|| before.scope_id.clone()),
        max_value: max_value.unwrap_or(before.max_value),
        reset_period: change.reset_period.or(before.reset_period),
        window_seconds: change.window_seconds.or(before.window_seconds),
        measurement_window_seconds: change.measurement_window_seconds.or(before.measurement_window_seconds),
        // What was there for DEGRADE goes with it; what is said now is looked at as it is.
        degrade_to: change.degrade_to.or_else(|| before.degrade_to.clone().filter(|_| degrades)),
        enforcement,
        consequence: change.consequence.unwrap_or(before.consequence),
        ..before.clone()
    };
    check::limit(&definition, &mut faults);
    faults.done()?;
    if definition == *before {
        return Ok(None);
    }
    let definition = LimitDefinition { version: before.version + 1, ..definition };
    let after = Limit { definition, updated_at: author.now, ..limit.clone() };
    let owed = author.ledger.limit_updated(&before.limit_id, limit_state(limit), limit_state(&after));
    Ok(Some(Governed::new(Version::of_limit(after, author.now), owed)))
}
