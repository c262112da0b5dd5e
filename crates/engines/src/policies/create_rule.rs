//! Making a rule.

use models::{
    ids::{RuleId, TenantId},
    policies::{Rule, RuleDraft, RuleStatus},
};
use proof::{
    definitions::RuleDefinition,
    words::{BindAt, RuleSource, RuleType, Scope},
};
use rules::fields::FieldErrors;

use super::{Authored, Version, cedar_of, check, rule_state};
use crate::{check::Check, ledger::Governed};

/// The precedence of a rule that is given none.
pub const PRECEDENCE: i64 = 100;

/// A new rule, in force from its first version on.
pub fn create_rule(
    tenant: TenantId,
    id: RuleId,
    draft: RuleDraft,
    author: Authored<'_>,
) -> Result<Governed<Version<Rule>>, FieldErrors> {
    let mut faults = Check::default();
    let bind_at = draft.bind_at.unwrap_or(BindAt::StepPost);
    let condition = faults.take(cedar_of(bind_at, draft.condition, draft.conditions.as_ref()));
    let missing = matches!(condition, Some(None));
    faults.refuse_if(
        missing,
        "/condition",
        "is needed: a Cedar expression, or `conditions` in the JSON form",
    );
    let definition = RuleDefinition {
        rule_id: id.to_string(),
        version: 1,
        name: draft.name,
        description: draft.description.unwrap_or_default(),
        rule_type: draft.rule_type.unwrap_or(RuleType::Safety),
        enforcement_mode: draft.enforcement_mode,
        scope: draft.scope.unwrap_or(Scope::Tenant),
        scope_id: draft.scope_id,
        bind_at,
        precedence: draft.precedence.unwrap_or(PRECEDENCE),
        condition: condition.flatten().unwrap_or_default(),
        source: RuleSource::Manual,
        source_incident_id: None,
    };
    check::rule(&definition, &mut faults);
    faults.done()?;
    let Authored { ledger, by, now } = author;
    let rule = Rule {
        tenant,
        definition,
        status: RuleStatus::Active,
        source_proposal_id: None,
        parent_rule_id: None,
        superseded_by: None,
        created_by: by.to_owned(),
        created_at: now,
        updated_at: now,
        retired_at: None,
        retired_by: None,
        retirement_reason: None,
    };
    let owed = ledger.policy_rule_created(&rule.definition.rule_id, rule_state(&rule));
    Ok(Governed::new(Version::of_rule(rule, now), owed))
}
