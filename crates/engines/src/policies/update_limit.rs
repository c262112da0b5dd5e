//! Changing a limit: a new version of it. What it counts, of whom and over what, never changes: what was used of it is
//! of that (ADR 35).

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
    fixed(before, &change, &mut faults);
    let max_value = change.max_value.map(|amount| check::inner(amount, before.limit_type, &mut faults));
    let enforcement = change.enforcement.unwrap_or(before.enforcement);
    let degrades = enforcement == LimitEnforcement::Degrade;
    let definition = LimitDefinition {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        max_value: max_value.unwrap_or(before.max_value),
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

/// What may be said in a change, and must be as it is.
fn fixed(before: &LimitDefinition, change: &LimitChange, faults: &mut Check) {
    let mut stays = |pointer: &str, other: bool, is: Option<String>| {
        let is = is.unwrap_or_else(|| "unset".to_owned());
        faults.refuse_if(
            other,
            pointer,
            format!("stays {is}, for what was used is of that: make a new limit"),
        );
    };
    let said = |word: &dyn std::fmt::Display| Some(word.to_string());
    let seconds = |seconds: Option<u64>| seconds.map(|seconds| seconds.to_string());
    stays(
        "/limit_category",
        change.limit_category.is_some_and(|category| category != before.limit_category),
        said(&before.limit_category),
    );
    stays(
        "/limit_type",
        change.limit_type.is_some_and(|limit_type| limit_type != before.limit_type),
        said(&before.limit_type),
    );
    stays("/scope", change.scope.is_some_and(|scope| scope != before.scope), said(&before.scope));
    stays(
        "/scope_id",
        change.scope_id.as_ref().is_some_and(|id| *id != before.scope_id),
        before.scope_id.as_ref().map(|id| format!("`{id}`")),
    );
    stays(
        "/reset_period",
        change.reset_period.is_some_and(|period| Some(period) != before.reset_period),
        before.reset_period.map(|period| period.to_string()),
    );
    stays(
        "/window_seconds",
        change.window_seconds.is_some_and(|window| Some(window) != before.window_seconds),
        seconds(before.window_seconds),
    );
    stays(
        "/measurement_window_seconds",
        change
            .measurement_window_seconds
            .is_some_and(|window| Some(window) != before.measurement_window_seconds),
        seconds(before.measurement_window_seconds),
    );
}
