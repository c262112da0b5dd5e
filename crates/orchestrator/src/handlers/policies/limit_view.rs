//! A limit as lists and details show it: with how much of it is used, and how often it was passed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx, policies::PoliciesReads};
use models::{
    ids::LimitId,
    policies::{DefinitionIntegrity, Limit, UsageKey},
};
use proof::words::IntegrityStatus;
use rules::{
    calendar::Calendar,
    limits::{Basis, basis, window},
};
use serde::{Deserialize, Serialize};

use super::rule_view::{COUNTED, status};
use crate::{context::TenantSettings, errors::Error};

/// A limit, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitView {
    /// The limit as it is in force, or was.
    pub limit: Limit,
    /// How often it was passed in 30 days: once for each window and run.
    pub breach_count_30d: u64,
    /// When it was passed last, ever.
    pub last_breached_at: Option<DateTime<Utc>>,
    /// What is used of it in the window that runs now, in its unit inside. None for a limit that every run and step
    /// meets anew.
    pub used: Option<u64>,
    /// What is used of it in the window that runs now, in thousandths. None for a limit that every run and step
    /// meets anew.
    pub utilization_permille: Option<u64>,
    /// FAILED where the stored definition is not the one whose hash was kept.
    pub integrity_status: IntegrityStatus,
}

impl LimitView {
    /// A limit of which nothing can have been used yet.
    pub(super) fn of_new(limit: Limit, integrity: &DefinitionIntegrity) -> Self {
        Self {
            breach_count_30d: 0,
            last_breached_at: None,
            used: counts_over_runs(&limit).then_some(0),
            utilization_permille: counts_over_runs(&limit).then_some(0),
            integrity_status: status(Some(integrity), limit.definition.hash_root()),
            limit,
        }
    }

    /// The views of limits: a few statements, however many.
    pub(super) async fn of(
        policies: PoliciesReads<'_>,
        tenant: &TenantSettings,
        limits: Vec<Limit>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<LimitId> = limits.iter().filter_map(id).collect();
        let versions: Vec<(LimitId, u64)> =
            limits.iter().filter_map(|limit| Some((id(limit)?, limit.definition.version))).collect();
        let windows: Vec<UsageKey> = limits
            .iter()
            .filter(|limit| counts_over_runs(limit))
            .filter_map(|limit| current(limit, now, tenant.calendar))
            .collect();
        let mut breaches = policies.breach_stats(tenant.id, &ids, now - COUNTED).await?;
        let used: HashMap<LimitId, u64> = policies
            .find_usage(tenant.id, &windows)
            .await?
            .into_iter()
            .map(|usage| (usage.limit_id, usage.used))
            .collect();
        let integrities: HashMap<LimitId, DefinitionIntegrity> =
            policies.limit_integrities(tenant.id, &versions).await?.into_iter().collect();
        let view = |limit: Limit| {
            let id = id(&limit);
            let stats = id.and_then(|id| breaches.remove(&id)).unwrap_or_default();
            let used = id.and_then(|id| used.get(&id)).copied().unwrap_or_default();
            let kept = id.and_then(|id| integrities.get(&id));
            Self {
                breach_count_30d: stats.breach_count_30d,
                last_breached_at: stats.last_breached_at,
                used: counts_over_runs(&limit).then_some(used),
                utilization_permille: counts_over_runs(&limit)
                    .then(|| permille(used, limit.definition.max_value)),
                integrity_status: status(kept, limit.definition.hash_root()),
                limit,
            }
        };
        Ok(limits.into_iter().map(view).collect())
    }
}

/// The view of one limit, in the transaction that changes it.
pub(super) async fn changed(
    tx: &Tx,
    tenant: &TenantSettings,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<LimitView, Error> {
    let missing = || Error::Internal("a limit has no view".to_owned());
    LimitView::of(*tx.policies(), tenant, vec![limit], now).await?.pop().ok_or_else(missing)
}

fn id(limit: &Limit) -> Option<LimitId> {
    limit.definition.limit_id.parse().ok()
}

/// Whether use is kept in windows of the limit's own, as against in each run.
fn counts_over_runs(limit: &Limit) -> bool {
    basis(limit.definition.limit_type) == Basis::Usage
}

/// The window that runs now, as the choke point counts in it.
fn current(limit: &Limit, now: DateTime<Utc>, calendar: Calendar) -> Option<UsageKey> {
    let window_start = window(&limit.definition, now, calendar).start_text();
    Some(UsageKey { limit_id: id(limit)?, scope_key: String::new(), window_start })
}

fn permille(used: u64, max: u64) -> u64 {
    u64::try_from(u128::from(used) * 1000 / u128::from(max.max(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::permille;

    #[test]
    fn use_in_thousandths_of_the_cap() {
        assert_eq!((permille(0, 5), permille(4, 5), permille(6, 5)), (0, 800, 1200));
        assert_eq!(permille(u64::MAX, 1), u64::MAX);
        assert_eq!(permille(1, 0), 1000, "a cap of nothing is refused when it is saved");
    }
}
