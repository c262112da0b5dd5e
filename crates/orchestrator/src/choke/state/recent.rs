//! What is remembered of many tenants, within so many bytes: what was not used for longest is forgotten first, of the
//! tenant of which most is remembered. So no tenant is forgotten for what another does, as long as that one has more.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use models::ids::TenantId;

/// The bytes of an entry beside its own: its places in the maps.
const WEIGHT_OF_PLACE: usize = 1 << 8;

/// Things of tenants by their key.
#[derive(Debug)]
pub(in crate::choke) struct Recent<K, V> {
    most: usize,
    weight: usize,
    /// How often one was used.
    uses: u64,
    by_key: HashMap<(TenantId, K), Entry<V>>,
    of_tenants: HashMap<TenantId, OfTenant<K>>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    used: u64,
    weight: usize,
}

/// The keys of a tenant, of which there is one at least.
#[derive(Debug)]
struct OfTenant<K> {
    by_use: BTreeMap<u64, K>,
    weight: usize,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    /// None yet, and never more than so many bytes.
    pub(in crate::choke) fn within(most: usize) -> Self {
        Self { most, weight: 0, uses: 0, by_key: HashMap::new(), of_tenants: HashMap::new() }
    }

    /// One of them, which is used by that.
    pub(in crate::choke) fn get(&mut self, tenant: TenantId, key: K) -> Option<&mut V> {
        let entry = self.by_key.get_mut(&(tenant, key))?;
        if let Some(of) = self.of_tenants.get_mut(&tenant) {
            of.by_use.remove(&entry.used);
            self.uses += 1;
            entry.used = self.uses;
            of.by_use.insert(entry.used, key);
        }
        Some(&mut entry.value)
    }

    /// One of them, without using it.
    pub(in crate::choke) fn look_at(&mut self, tenant: TenantId, key: K) -> Option<&mut V> {
        self.by_key.get_mut(&(tenant, key)).map(|entry| &mut entry.value)
    }

    /// All of them.
    pub(in crate::choke) fn all(&self) -> impl Iterator<Item = (&(TenantId, K), &V)> {
        self.by_key.iter().map(|(key, entry)| (key, &entry.value))
    }

    /// Takes one out.
    pub(in crate::choke) fn take(&mut self, tenant: TenantId, key: K) -> Option<V> {
        let entry = self.by_key.remove(&(tenant, key))?;
        self.weight -= entry.weight;
        if let Some(of) = self.of_tenants.get_mut(&tenant) {
            of.by_use.remove(&entry.used);
            of.weight -= entry.weight;
            if of.by_use.is_empty() {
                self.of_tenants.remove(&tenant);
            }
        }
        Some(entry.value)
    }

    /// Remembers one, of so many bytes. Where those are too many together, others are forgotten; where it has too many
    /// alone, nobody is forgotten for it, for it could not be kept either.
    pub(in crate::choke) fn keep(&mut self, tenant: TenantId, key: K, value: V, weight: usize) {
        self.take(tenant, key);
        let weight = WEIGHT_OF_PLACE + weight;
        if weight > self.most {
            return;
        }
        self.uses += 1;
        let used = self.uses;
        self.by_key.insert((tenant, key), Entry { value, used, weight });
        let of =
            self.of_tenants.entry(tenant).or_insert_with(|| OfTenant { by_use: BTreeMap::new(), weight: 0 });
        of.by_use.insert(used, key);
        of.weight += weight;
        self.weight += weight;
        self.make_room();
    }

    /// One of them has so many bytes now, without being used.
    pub(in crate::choke) fn weigh(&mut self, tenant: TenantId, key: K, weight: usize) {
        let weight = WEIGHT_OF_PLACE + weight;
        let Some(entry) = self.by_key.get_mut(&(tenant, key)) else { return };
        let before = std::mem::replace(&mut entry.weight, weight);
        if let Some(of) = self.of_tenants.get_mut(&tenant) {
            of.weight = of.weight - before + weight;
        }
        self.weight = self.weight - before + weight;
        if weight > self.most {
            self.take(tenant, key);
        }
        self.make_room();
    }

    /// Forgets those of a tenant.
    pub(in crate::choke) fn forget_tenant(&mut self, tenant: TenantId) {
        let keys = self.of_tenants.get(&tenant).into_iter().flat_map(|of| of.by_use.values());
        for key in keys.copied().collect::<Vec<_>>() {
            self.take(tenant, key);
        }
    }

    fn make_room(&mut self) {
        while self.weight > self.most
            && let Some((tenant, key)) = self.gives_way()
        {
            self.take(tenant, key);
        }
    }

    /// Forgets those of which that is true.
    pub(in crate::choke) fn forget(&mut self, is_over: impl Fn(&V) -> bool) {
        let over: Vec<(TenantId, K)> =
            self.all().filter(|(_, value)| is_over(value)).map(|(key, _)| *key).collect();
        for (tenant, key) in over {
            self.take(tenant, key);
        }
        self.by_key.shrink_to(self.by_key.len() * 2);
    }

    fn gives_way(&self) -> Option<(TenantId, K)> {
        let (tenant, of) = self.of_tenants.iter().max_by_key(|(_, of)| of.weight)?;
        of.by_use.first_key_value().map(|(_, key)| (*tenant, *key))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const EACH: usize = WEIGHT_OF_PLACE + 100;

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    fn left(recent: &Recent<i32, i32>) -> Vec<i32> {
        let mut left: Vec<i32> = recent.all().map(|(_, value)| *value).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut recent = Recent::within(3 * EACH);
        for n in 1..=3 {
            recent.keep(tenant(1), n, n, 100);
        }
        assert_eq!(recent.get(tenant(1), 1), Some(&mut 1));
        assert_eq!(recent.look_at(tenant(1), 2), Some(&mut 2), "that is no use of it");
        recent.keep(tenant(1), 4, 4, 100);
        assert_eq!(left(&recent), [1, 3, 4]);
        recent.keep(tenant(1), 5, 5, 200);
        assert_eq!(left(&recent), [4, 5], "it is as heavy as two");
        assert!(recent.weight <= 3 * EACH);
    }

    #[test]
    fn nobody_is_forgotten_for_one_that_is_too_heavy_alone() {
        let mut recent = Recent::within(3 * EACH);
        for n in 1..=2 {
            recent.keep(tenant(1), n, n, 100);
        }
        recent.keep(tenant(1), 3, 3, 3 * EACH);
        assert_eq!((left(&recent), recent.weight), (vec![1, 2], 2 * EACH));
        recent.keep(tenant(1), 2, 2, 3 * EACH);
        assert_eq!((left(&recent), recent.weight), (vec![1], EACH), "nor is it what it was before");
        recent.weigh(tenant(1), 1, 3 * EACH);
        assert_eq!((left(&recent), recent.weight), (vec![], 0), "nor where it becomes so heavy");
        assert!(recent.of_tenants.is_empty());
    }

    #[test]
    fn one_that_becomes_heavier_makes_others_give_way() {
        let mut recent = Recent::within(3 * EACH);
        for n in 1..=3 {
            recent.keep(tenant(1), n, n, 100);
        }
        recent.weigh(tenant(1), 3, 100 + EACH);
        assert_eq!((left(&recent), recent.weight), (vec![2, 3], 3 * EACH));
        recent.weigh(tenant(1), 3, 100);
        recent.weigh(tenant(1), 7, 100);
        assert_eq!(
            (left(&recent), recent.weight),
            (vec![2, 3], 2 * EACH),
            "one that is not there weighs nothing"
        );
    }

    #[test]
    fn nobody_is_forgotten_for_whom_another_has_more() {
        let mut recent = Recent::within(10 * EACH);
        recent.keep(tenant(1), 0, "modest", 100);
        for n in 1..100 {
            recent.keep(tenant(2), n, "greedy", 100);
        }
        assert_eq!(recent.get(tenant(1), 0), Some(&mut "modest"), "though it was not used for longest");
        assert_eq!((recent.all().count(), recent.weight), (10, 10 * EACH));
        recent.forget_tenant(tenant(2));
        assert_eq!((recent.all().count(), recent.of_tenants.len(), recent.weight), (1, 1, EACH));
        recent.forget(|value| *value == "modest");
        assert_eq!((recent.all().count(), recent.of_tenants.len(), recent.weight), (0, 0, 0));
    }

    #[test]
    fn one_that_is_kept_again_weighs_what_it_weighs_now() {
        let mut recent = Recent::within(10 * EACH);
        for weight in [100, 900, 100] {
            recent.keep(tenant(1), 1, "one", weight);
            assert_eq!(recent.weight, WEIGHT_OF_PLACE + weight);
        }
        assert_eq!(recent.take(tenant(1), 1), Some("one"));
        assert_eq!(recent.weight, 0);
    }
}
