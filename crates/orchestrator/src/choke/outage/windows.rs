//! Use in the windows of limits, as the store had it when last a group touched them: within so many bytes, for what a
//! window counts for is a name, as long as its caller likes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use models::{
    ids::TenantId,
    policies::{Usage, UsageKey},
};

use super::bounded::halve;

/// A window, and when it was touched.
type Known = HashMap<(TenantId, UsageKey), (DateTime<Utc>, Usage)>;

/// What one has beside its names: its values, and its place in the map.
const REST: usize = size_of::<((TenantId, UsageKey), (DateTime<Utc>, Usage))>() + (1 << 6);

/// The windows that are remembered.
pub(super) struct Windows {
    most: usize,
    weight: usize,
    known: Known,
}

impl Windows {
    /// None yet, and never more than so many bytes.
    pub(super) fn within(most: usize) -> Self {
        Self { most, weight: 0, known: HashMap::new() }
    }

    /// One of them.
    pub(super) fn get(&self, place: &(TenantId, UsageKey)) -> Option<&Usage> {
        self.known.get(place).map(|(_, usage)| usage)
    }

    /// Remembers what was used of some of a tenant's, at that time. Where that is too much, what is too old goes first,
    /// and then the older half of whoever has most, until a quarter is free.
    pub(super) fn keep(
        &mut self,
        tenant: TenantId,
        used: impl Iterator<Item = (UsageKey, Usage)>,
        at: DateTime<Utc>,
        oldest: DateTime<Utc>,
    ) {
        for (key, usage) in used {
            let weight = weight_of(&key);
            // Another value of the same window is as long.
            if self.known.insert((tenant, key), (at, usage)).is_none() {
                self.weight += weight;
            }
        }
        if self.weight <= self.most {
            return;
        }
        self.forget(|_, at| at <= oldest);
        // A quarter at once: not every group has to look at all of them.
        let enough = if self.weight > self.most { self.most - self.most / 4 } else { self.most };
        while self.weight > enough && halve(&mut self.known, |key, _| weight_of(key), |(at, _)| *at) {
            self.weigh();
        }
    }

    /// Forgets those of which that is true, by whose they are and when they were touched.
    pub(super) fn forget(&mut self, is_over: impl Fn(TenantId, DateTime<Utc>) -> bool) {
        self.known.retain(|(tenant, _), (at, _)| !is_over(*tenant, *at));
        self.weigh();
    }

    fn weigh(&mut self) {
        self.weight = self.known.keys().map(|(_, key)| weight_of(key)).sum();
    }
}

/// About how many bytes a window holds: its names are there twice, in its key and in its row.
fn weight_of(key: &UsageKey) -> usize {
    REST + 2 * (key.scope_key.len() + key.window_start.len())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use models::ids::LimitId;
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    fn window(scope_key: String) -> UsageKey {
        UsageKey { limit_id: LimitId(Uuid::from_u128(1)), scope_key, window_start: String::new() }
    }

    /// It is touched.
    fn touch(windows: &mut Windows, tenant: TenantId, name: &str, second: i64) {
        let key = window(name.to_owned());
        let usage = Usage::none(tenant, key.clone(), None, at(second));
        windows.keep(tenant, std::iter::once((key, usage)), at(second), at(0));
    }

    fn has(windows: &Windows, tenant: TenantId, name: &str) -> bool {
        windows.get(&(tenant, window(name.to_owned()))).is_some()
    }

    #[test]
    fn however_long_their_names_are_they_are_no_more_bytes() {
        const MOST: usize = 64 << 10;
        let (greedy, modest) = (tenant(1), tenant(2));
        let mut windows = Windows::within(MOST);
        touch(&mut windows, modest, "modest", 1);
        for n in 2..2_000 {
            let name = format!("{n}{}", "long".repeat(256));
            touch(&mut windows, greedy, &name, n);
            assert!(windows.weight <= MOST, "{} after {n}", windows.weight);
            assert!(has(&windows, greedy, &name), "the newest");
            assert!(has(&windows, modest, "modest"), "after {n}");
        }
        let held: usize = windows.known.keys().map(|(_, key)| 2 * key.scope_key.len()).sum();
        assert!((MOST / 4..MOST).contains(&held), "{held} bytes of names");
    }

    #[test]
    fn one_that_is_touched_again_weighs_what_it_weighed() {
        let mut windows = Windows::within(64 << 10);
        touch(&mut windows, tenant(1), "one", 1);
        let once = windows.weight;
        touch(&mut windows, tenant(1), "one", 2);
        assert_eq!(windows.weight, once);
        touch(&mut windows, tenant(2), "one", 3);
        assert_eq!(windows.weight, 2 * once);
        windows.forget(|of, _| of == tenant(1));
        assert!(!has(&windows, tenant(1), "one") && has(&windows, tenant(2), "one"));
        assert_eq!(windows.weight, once);
        windows.forget(|_, at| at < self::at(4));
        assert_eq!((windows.weight, windows.known.len()), (0, 0));
    }

    #[test]
    fn what_is_too_old_goes_first() {
        let one = weight_of(&window("1".to_owned()));
        let mut windows = Windows::within(2 * one);
        for (n, name) in (1..).zip(["1", "2", "3"]) {
            let key = window(name.to_owned());
            let usage = Usage::none(tenant(n), key.clone(), None, at(0));
            let second = if name == "1" { 5 } else { 10 };
            windows.keep(tenant(n), std::iter::once((key, usage)), at(second), at(5));
        }
        assert!(
            !has(&windows, tenant(1), "1") && has(&windows, tenant(2), "2") && has(&windows, tenant(3), "3")
        );
    }
}
