//! A rule as lists and details show it: with how often it fired, and whether it is what was decided.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use drivers::{
    StoreError, Tx,
    policies::{PoliciesReads, PolicyEnforcementReadDriver},
};
use models::{
    ids::{RuleId, TenantId},
    policies::{DefinitionIntegrity, Rule},
};
use proof::{hash::Hash, words::IntegrityStatus};
use serde::{Deserialize, Serialize};

use crate::errors::Error;

/// Over how many days lists count.
pub(super) const COUNTED: Duration = Duration::days(30);

/// A rule, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleView {
    /// The rule as it is in force, or was.
    pub rule: Rule,
    /// How often it fired in 30 days.
    pub trigger_count_30d: u64,
    /// When it fired last, ever.
    pub last_triggered_at: Option<DateTime<Utc>>,
    /// FAILED where the stored definition is not the one whose hash was kept.
    pub integrity_status: IntegrityStatus,
}

impl RuleView {
    /// A rule that cannot have fired yet.
    pub(super) fn of_new(rule: Rule, integrity: &DefinitionIntegrity) -> Self {
        let integrity_status = status(Some(integrity), rule.definition.hash_root());
        Self { rule, trigger_count_30d: 0, last_triggered_at: None, integrity_status }
    }

    /// The views of rules: three statements, however many.
    pub(super) async fn of(
        policies: PoliciesReads<'_>,
        enforcements: PolicyEnforcementReadDriver<'_>,
        tenant: TenantId,
        rules: Vec<Rule>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<String> = rules.iter().map(|rule| rule.definition.rule_id.clone()).collect();
        let versions: Vec<(RuleId, u64)> =
            rules.iter().filter_map(|rule| Some((id(rule)?, rule.definition.version))).collect();
        let mut stats = enforcements.stats(tenant, &ids, now - COUNTED).await?;
        let integrities: HashMap<RuleId, DefinitionIntegrity> =
            policies.rule_integrities(tenant, &versions).await?.into_iter().collect();
        let view = |rule: Rule| {
            let stats = stats.remove(&rule.definition.rule_id).unwrap_or_default();
            let kept = id(&rule).and_then(|id| integrities.get(&id));
            let integrity_status = status(kept, rule.definition.hash_root());
            let (trigger_count_30d, last_triggered_at) = (stats.trigger_count_30d, stats.last_triggered_at);
            Self { rule, trigger_count_30d, last_triggered_at, integrity_status }
        };
        Ok(rules.into_iter().map(view).collect())
    }
}

/// The view of one rule, in the transaction that changes it.
pub(super) async fn changed(tx: &Tx, rule: Rule, now: DateTime<Utc>) -> Result<RuleView, Error> {
    let missing = || Error::Internal("a rule has no view".to_owned());
    let tenant = rule.tenant;
    RuleView::of(*tx.policies(), *tx.enforcements(), tenant, vec![rule], now).await?.pop().ok_or_else(missing)
}

fn id(rule: &Rule) -> Option<RuleId> {
    rule.definition.rule_id.parse().ok()
}

/// What is to be said of a definition that hashes to `hash_root`, where `kept` is its integrity row.
pub(super) fn status(kept: Option<&DefinitionIntegrity>, hash_root: Hash) -> IntegrityStatus {
    match kept {
        Some(kept) if kept.hash_root == hash_root => kept.status,
        _ => IntegrityStatus::Failed,
    }
}
