//! Changing a rule: a new version of it.

use models::policies::{Rule, RuleChange, RuleStatus};
use proof::definitions::RuleDefinition;
use rules::fields::FieldErrors;

use super::{Authored, Version, cedar_of, check, rule_state};
use crate::{check::Check, ledger::Governed};

/// Why a rule was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModifyError {
    /// RETIRED is final.
    #[error("the rule is retired; make a new one")]
    Retired,
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
pub fn modify_rule(
    rule: &Rule,
    version: u64,
    change: RuleChange,
    author: Authored<'_>,
) -> Result<Option<Governed<Version<Rule>>>, ModifyError> {
    let before = &rule.definition;
    if rule.status == RuleStatus::Retired {
        return Err(ModifyError::Retired);
    }
    if version != before.version {
        return Err(ModifyError::Stale { current: before.version });
    }
    let mut faults = Check::default();
    let bind_at = change.bind_at.unwrap_or(before.bind_at);
    let mut given = faults.take(cedar_of(bind_at, change.condition, change.conditions.as_ref())).flatten();
    if given.is_none() && bind_at != before.bind_at {
        // Bound elsewhere, the condition that stays may read what is not known there.
        given = faults.take(cedar_of(bind_at, Some(before.condition.clone()), None)).flatten();
    }
    let definition = RuleDefinition {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        description: change.description.unwrap_or_else(|| before.description.clone()),
        rule_type: change.rule_type.unwrap_or(before.rule_type),
        enforcement_mode: change.enforcement_mode.unwrap_or(before.enforcement_mode),
        scope: change.scope.unwrap_or(before.scope),
        scope_id: change.scope_id.unwrap_or_else(|| before.scope_id.clone()),
        bind_at,
        precedence: change.precedence.unwrap_or(before.precedence),
        condition: given.unwrap_or_else(|| before.condition.clone()),
        ..before.clone()
    };
    check::rule(&definition, &mut faults);
    faults.done()?;
    if definition == *before {
        return Ok(None);
    }
    let definition = RuleDefinition { version: before.version + 1, ..definition };
    let after = Rule { definition, updated_at: author.now, ..rule.clone() };
    let owed = author.ledger.policy_rule_modified(&before.rule_id, rule_state(rule), rule_state(&after));
    Ok(Some(Governed::new(Version::of_rule(after, author.now), owed)))
}
