//! Who keeps us waiting with more of its calls than its part of the places.
//!
//! A call that has shown a credential is waited for longer than a stranger's. So one key could take all places with
//! calls whose bodies do not come, and behind a proxy, where all clients are of one address, keep out every other
//! tenant. What a key has beyond a quarter of the places, or a tenant beyond half, gives way at once, as for streams.

use std::collections::HashMap;

use api::Whose;
use models::ids::{KeyId, TenantId};

/// Whose part is exceeded; the first goes first, so that one key does not take its tenant's part from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Beyond {
    OfKey,
    OfTenant,
}

/// How many calls keep us waiting, by whose they are.
#[derive(Debug)]
pub(super) struct Parts {
    places: usize,
    of_key: HashMap<KeyId, usize>,
    of_tenant: HashMap<TenantId, usize>,
}

impl Parts {
    /// Of nobody yet, where there are so many places.
    pub(super) fn of(places: usize) -> Self {
        Self { places, of_key: HashMap::new(), of_tenant: HashMap::new() }
    }

    /// One more call of theirs keeps us waiting.
    pub(super) fn add(&mut self, whose: Whose) {
        *self.of_key.entry(whose.key).or_default() += 1;
        *self.of_tenant.entry(whose.tenant).or_default() += 1;
    }

    /// Whether they have more of those than their part.
    pub(super) fn exceeded_by(&self, whose: Whose) -> Option<Beyond> {
        let of_key = self.of_key.get(&whose.key).copied().unwrap_or_default();
        let of_tenant = self.of_tenant.get(&whose.tenant).copied().unwrap_or_default();
        if of_key > self.places.div_ceil(4) {
            return Some(Beyond::OfKey);
        }
        (of_tenant > self.places.div_ceil(2)).then_some(Beyond::OfTenant)
    }
}

#[cfg(test)]
pub(super) fn whose(tenant: u8, key: u8) -> Whose {
    Whose {
        tenant: format!("ten_{tenant:032x}").parse().expect("an id"),
        key: format!("key_{key:032x}").parse().expect("an id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_quarter_and_a_tenant_half() {
        let mut parts = Parts::of(8);
        let [first, second, third, other] = [whose(1, 1), whose(1, 2), whose(1, 3), whose(2, 4)];
        for of in [first, first, second, second] {
            parts.add(of);
        }
        assert_eq!([first, second].map(|of| parts.exceeded_by(of)), [None; 2]);
        parts.add(third);
        let five_of_eight = [first, second, third].map(|of| parts.exceeded_by(of));
        assert_eq!(five_of_eight, [Some(Beyond::OfTenant); 3], "they are one tenant's");
        for _ in 0..2 {
            parts.add(other);
        }
        assert_eq!(parts.exceeded_by(other), None);
        parts.add(other);
        assert_eq!(parts.exceeded_by(other), Some(Beyond::OfKey), "three of eight are one key's");
        let mut few = Parts::of(1);
        few.add(first);
        assert_eq!(few.exceeded_by(first), None, "who has one place has not more than its part");
    }
}
