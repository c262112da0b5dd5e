//! What is remembered of many tenants, and never of too many runs.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use models::ids::TenantId;

/// Of how many runs a replica remembers at most how far they had come, and of how many that they were halted. Each of
/// them is as large as any other, about a hundred bytes.
pub(super) const MAX_REMEMBERED: usize = 20_000;

/// Where there is too much, the older half of whoever has most of it goes, until a quarter is free: while one tenant
/// has more than others, no other is forgotten for what it does.
pub(super) fn bound<K: Eq + Hash, V>(
    of: &mut HashMap<(TenantId, K), V>,
    most: usize,
    at: impl Fn(&V) -> DateTime<Utc>,
) {
    // A quarter at once: where many have a little each, not every insertion has to look at all of them.
    let enough = if of.len() > most { most - most / 4 } else { most };
    while of.len() > enough && halve(of, |_, _| 1, &at) {}
}

/// The older half goes of what whoever has most of it has. False where there is nothing.
pub(super) fn halve<K: Eq + Hash, V>(
    of: &mut HashMap<(TenantId, K), V>,
    weight: impl Fn(&K, &V) -> usize,
    at: impl Fn(&V) -> DateTime<Utc>,
) -> bool {
    let mut weights: HashMap<TenantId, usize> = HashMap::new();
    for ((tenant, key), value) in &*of {
        *weights.entry(*tenant).or_default() += weight(key, value);
    }
    let Some((greedy, _)) = weights.into_iter().max_by_key(|(_, weight)| *weight) else { return false };
    let its = of.iter().filter(|((tenant, _), _)| *tenant == greedy);
    let mut times: Vec<DateTime<Utc>> = its.map(|(_, value)| at(value)).collect();
    let half = times.len() / 2;
    let middle = *times.select_nth_unstable(half).1;
    of.retain(|(tenant, _), value| *tenant != greedy || at(value) > middle);
    true
}

pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_has_too_much_is_forgotten_first_and_nobody_else() {
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let [greedy, modest] = [1, 2].map(|n| TenantId(Uuid::from_u128(n)));
        let mut of: HashMap<_, _> = [3, 4].map(|n| ((modest, n), at(n))).into();
        // Until there are too many, all of them are remembered; and there are never more.
        for n in 1..=1_000 {
            of.insert((greedy, n), at(100 + n));
            bound(&mut of, 100, |at| *at);
            assert!((50..=100).contains(&of.len()) || n < 98, "{} after {n}", of.len());
            assert!(of.contains_key(&(greedy, n)), "the newest");
            assert!(of.contains_key(&(modest, 3)) && of.contains_key(&(modest, 4)), "after {n}");
        }
        bound(&mut of, 2, |at| *at);
        assert!(of.len() <= 2, "{}", of.len());
    }
}
