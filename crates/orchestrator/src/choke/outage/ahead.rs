//! Use of limits by answers that no store has yet. It comes on top of what the store says of a window: that is read
//! anew with every group, also while one run's answers still wait.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use models::{
    ids::TenantId,
    policies::{Usage, UsageKey},
};

/// What an answer counted, by window.
pub(in crate::choke) type Counted = Vec<(UsageKey, Amount)>;

/// By how much a window is ahead of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::choke) struct Amount {
    used: i128,
    reserved: i128,
}

/// What is ahead of the store, of all tenants.
#[derive(Default)]
pub(super) struct Ahead(Mutex<HashMap<(TenantId, UsageKey), Amount>>);

impl Ahead {
    /// A row of the store, with what is ahead of it.
    pub(super) fn on(&self, row: Usage) -> Usage {
        let ahead = self.lock().get(&(row.tenant, row.key())).copied().unwrap_or_default();
        let sum = |row: u64, ahead: i128| u64::try_from((i128::from(row) + ahead).max(0)).unwrap_or(u64::MAX);
        Usage { used: sum(row.used, ahead.used), reserved: sum(row.reserved, ahead.reserved), ..row }
    }

    /// An answer is to be written that counted this.
    pub(super) fn add(&self, tenant: TenantId, counted: &[(UsageKey, Amount)]) {
        let mut ahead = self.lock();
        for (key, amount) in counted {
            let sum = ahead.entry((tenant, key.clone())).or_default();
            sum.used += amount.used;
            sum.reserved += amount.reserved;
        }
    }

    /// It is written, or kept apart.
    pub(super) fn take_back(&self, tenant: TenantId, counted: &[(UsageKey, Amount)]) {
        let mut ahead = self.lock();
        for (key, amount) in counted {
            let place = (tenant, key.clone());
            let Some(sum) = ahead.get_mut(&place) else { continue };
            sum.used -= amount.used;
            sum.reserved -= amount.reserved;
            if *sum == Amount::default() {
                ahead.remove(&place);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, UsageKey), Amount>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Amount {
    /// What was counted between two states of a window; none where that is nothing.
    pub(super) fn between(before: &Usage, after: &Usage) -> Option<Self> {
        let difference = |before: u64, after: u64| i128::from(after) - i128::from(before);
        let amount = Self {
            used: difference(before.used, after.used),
            reserved: difference(before.reserved, after.reserved),
        };
        (amount != Self::default()).then_some(amount)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use models::ids::LimitId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_ahead_is_on_top_of_whatever_the_store_says_until_it_is_written() {
        let (tenant, ahead) = (TenantId(Uuid::from_u128(1)), Ahead::default());
        let key = UsageKey {
            limit_id: LimitId(Uuid::from_u128(2)),
            scope_key: String::new(),
            window_start: String::new(),
        };
        let row = |used: u64, reserved: u64| Usage {
            used,
            reserved,
            ..Usage::none(tenant, key.clone(), None, DateTime::UNIX_EPOCH)
        };
        let stands = |used: u64, reserved: u64| {
            let row = ahead.on(row(used, reserved));
            (row.used, row.reserved)
        };
        let counted = |before: Usage, after: Usage| -> Counted {
            Amount::between(&before, &after).map(|amount| (key.clone(), amount)).into_iter().collect()
        };
        assert!(counted(row(1, 2), row(1, 2)).is_empty());
        let (step, of_permit) = (counted(row(2, 5), row(3, 5)), counted(row(3, 5), row(4, 0)));
        ahead.add(tenant, &step);
        ahead.add(tenant, &of_permit);
        assert_eq!((stands(2, 5), stands(7, 6)), ((4, 0), (9, 1)), "another run was counted in the store");
        assert_eq!(stands(0, 0), (2, 0), "no row is below nothing");
        ahead.take_back(tenant, &step);
        assert_eq!(stands(8, 6), (9, 1));
        ahead.take_back(tenant, &of_permit);
        assert_eq!(stands(9, 1), (9, 1));
        assert!(ahead.lock().is_empty());
    }
}
