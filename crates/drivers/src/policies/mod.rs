//! Policies: rules and limits with every version, snapshots, proposals, permits, use, and what came of them.

mod breaches;
mod enforcements;
mod limits;
mod permits;
mod preventions;
mod proposals;
mod rules;
mod snapshots;
mod usage;

use models::ids::TenantId;
use proof::{
    definitions::{LimitDefinition, RuleDefinition},
    hash::Hash,
};
use sea_orm::{IdenStatic, Iterable};

pub(crate) use self::permits::any_lapsed;
pub use self::{
    enforcements::{PolicyEnforcementReadDriver, PolicyEnforcementWriteDriver},
    preventions::{PreventionRecordsReadDriver, PreventionRecordsWriteDriver},
};
use crate::{StoreError, driver::driver};

driver! {
    /// Reads of rules, limits, snapshots, proposals, permits, use and breaches.
    read PoliciesReads;
    /// Reads and writes of the same, and writes of enforcements and prevention records.
    write Policies;
}

/// The definitions in force, by id, each with the hash of its stored integrity row. A definition that does not match
/// its hash, or has none, must not be enforced in silence.
pub type ActiveDefinitions = (Vec<(RuleDefinition, Option<Hash>)>, Vec<(LimitDefinition, Option<Hash>)>);

impl PoliciesReads<'_> {
    /// ACTIVE rules (DISABLED ones too: that is a mode) and ACTIVE limits.
    pub async fn active_definitions(self, tenant: TenantId) -> Result<ActiveDefinitions, StoreError> {
        Ok((self.active_rules(tenant).await?, self.active_limits(tenant).await?))
    }
}

/// What a new version may change: all that does not say what the rule, or the limit, is for good. A column that comes
/// later is of the definition until it is said otherwise: one that was left out would be stored as it was, under
/// another's hash.
fn of_a_version<C: Iterable + IdenStatic>(for_good: &[C]) -> Vec<C> {
    let is_for_good = |column: &C| for_good.iter().any(|other| other.as_str() == column.as_str());
    C::iter().filter(|column| !is_for_good(column)).collect()
}
