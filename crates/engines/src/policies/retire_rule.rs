//! Taking a rule out of force, for good.

use models::{
    ids::RuleId,
    policies::{Rule, RuleStatus},
};
use rules::fields::FieldErrors;

use super::{Authored, check, rule_state};
use crate::ledger::Governed;

/// Why a rule was not retired.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetireError {
    /// RETIRED is final.
    #[error("the rule is retired already")]
    Retired,
    /// Without a reason.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
}

/// Why a rule is retired, and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// In the words of who retires it. Not empty.
    pub reason: String,
    /// The rule that takes its place, if one does.
    pub superseded_by: Option<RuleId>,
}

/// ACTIVE becomes RETIRED. The definition, and so its version, stays.
pub fn retire_rule(
    rule: &Rule,
    how: &Retirement,
    author: Authored<'_>,
) -> Result<Governed<Rule>, RetireError> {
    if rule.status == RuleStatus::Retired {
        return Err(RetireError::Retired);
    }
    check::reason(&how.reason)?;
    let Authored { ledger, by, now } = author;
    let after = Rule {
        status: RuleStatus::Retired,
        superseded_by: how.superseded_by,
        updated_at: now,
        retired_at: Some(now),
        retired_by: Some(by.to_owned()),
        retirement_reason: Some(how.reason.clone()),
        ..rule.clone()
    };
    let id = &rule.definition.rule_id;
    let owed = ledger.policy_rule_retired(id, &how.reason, rule_state(rule), rule_state(&after));
    Ok(Governed::new(after, owed))
}
