//! How many bytes may be held at once, in all and for one tenant: bodies that are being answered, calls that wait,
//! answers that no store has yet, answers that nobody has taken yet. Places of calls that wait and of runs that are
//! told are shared out alike.
//!
//! A bound on how many things there are is none on memory where one of them may have megabytes. Nobody waits for any of
//! it: what finds none is 503 at once, and its caller comes again. Whose calls found none is kept until somebody tells
//! of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use models::ids::TenantId;

use crate::errors::Error;

/// A budget of bytes, or of places.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    refusals: Refusals,
    most: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of_tenant: HashMap<TenantId, usize>,
}

/// How often there was too little of something, by whose it would have been where that was known.
#[derive(Debug)]
pub(crate) struct Refusals {
    what: &'static str,
    times: Mutex<HashMap<Option<TenantId>, u64>>,
}

impl Refusals {
    pub(crate) fn of(what: &'static str) -> Self {
        Self { what, times: Mutex::default() }
    }

    /// Of what there was too little, in words.
    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// Counts one; the error that tells the caller so.
    pub(crate) fn refuse(&self, tenant: Option<TenantId>) -> Error {
        *lock(&self.times).entry(tenant).or_default() += 1;
        Error::Busy
    }

    /// Those since they were last taken.
    pub(crate) fn take(&self) -> HashMap<Option<TenantId>, u64> {
        std::mem::take(&mut lock(&self.times))
    }
}

impl Budget {
    /// One of so many bytes of something, half of which one tenant may have.
    #[must_use]
    pub fn new(what: &'static str, most: usize) -> Self {
        Self(Arc::new(Shared { refusals: Refusals::of(what), most, held: Mutex::default() }))
    }

    /// How often there was too little of it.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// How many bytes are held.
    #[must_use]
    pub fn held(&self) -> usize {
        lock(&self.0.held).all
    }

    /// A share of it, of nothing yet; of a tenant's part, where the tenant is known.
    #[must_use]
    pub fn share(&self, tenant: Option<TenantId>) -> Share {
        Share { of: Arc::clone(&self.0), held: Mutex::new((tenant, 0)) }
    }
}

/// What one thing holds of a budget, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    of: Arc<Shared>,
    held: Mutex<(Option<TenantId>, usize)>,
}

impl Share {
    /// Whose it is: what it takes from now on is of this tenant's part as well.
    pub fn is_of(&self, tenant: TenantId) {
        let mut held = lock(&self.held);
        if held.0.is_none() {
            lock(&self.of.held).add(Some(tenant), 0, held.1);
            held.0 = Some(tenant);
        }
    }

    /// Whose it is, where that is known.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        lock(&self.held).0
    }

    /// Takes so many bytes more; [`Error::Busy`] where there are none.
    pub fn take(&self, bytes: usize) -> Result<(), Error> {
        if self.takes(bytes) { Ok(()) } else { Err(self.refuse()) }
    }

    /// Counts that there was too little for whose it is; the error that tells the caller so.
    #[must_use]
    pub fn refuse(&self) -> Error {
        self.of.refusals.refuse(self.tenant())
    }

    /// Whether it took so many bytes more. Nobody is told where there are none: who asks so can do without them, or
    /// [refuses](Self::refuse) by itself.
    #[must_use]
    pub fn takes(&self, bytes: usize) -> bool {
        let mut mine = lock(&self.held);
        let mut held = lock(&self.of.held);
        let of_tenant = mine.0.and_then(|tenant| held.of_tenant.get(&tenant)).copied().unwrap_or_default();
        let fits = |held: usize, most: usize| held.checked_add(bytes).is_some_and(|sum| sum <= most);
        let is_tenants = mine.0.is_none() || fits(of_tenant, self.of.of_one_tenant());
        if !is_tenants || !fits(held.all, self.of.most) {
            return false;
        }
        held.add(mine.0, bytes, bytes);
        mine.1 += bytes;
        true
    }

    /// Whether it holds just so many bytes now, whatever it held: gives back what is too much, or takes what is too
    /// little. Nobody is told where there is too little.
    #[must_use]
    pub fn holds(&self, bytes: usize) -> bool {
        let lacking = {
            let mut mine = lock(&self.held);
            let spare = mine.1.saturating_sub(bytes);
            lock(&self.of.held).give_back(mine.0, spare);
            mine.1 -= spare;
            bytes - mine.1
        };
        lacking == 0 || self.takes(lacking)
    }

    /// Whether so many bytes are more than it could hold if nothing else were held.
    #[must_use]
    pub fn never_holds(&self, bytes: usize) -> bool {
        let most = if self.tenant().is_some() { self.of.of_one_tenant() } else { self.of.most };
        bytes > most
    }
}

impl Shared {
    /// How much of it one tenant may have.
    fn of_one_tenant(&self) -> usize {
        self.most.div_ceil(2)
    }
}

impl Held {
    fn add(&mut self, tenant: Option<TenantId>, to_all: usize, to_tenant: usize) {
        self.all += to_all;
        if let Some(tenant) = tenant.filter(|_| to_tenant > 0) {
            *self.of_tenant.entry(tenant).or_default() += to_tenant;
        }
    }

    fn give_back(&mut self, tenant: Option<TenantId>, bytes: usize) {
        self.all -= bytes;
        if let Some(tenant) = tenant
            && let Some(of_tenant) = self.of_tenant.get_mut(&tenant)
        {
            *of_tenant -= bytes;
            if *of_tenant == 0 {
                self.of_tenant.remove(&tenant);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (tenant, bytes) = *lock(&self.held);
        lock(&self.of.held).give_back(tenant, bytes);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    #[test]
    fn a_tenant_has_half_and_all_have_all() {
        let budget = Budget::new("bytes", 100);
        let (one, other, third) =
            (budget.share(Some(tenant(1))), budget.share(Some(tenant(2))), budget.share(Some(tenant(3))));
        one.take(30).expect("it fits");
        assert!(one.take(21).is_err(), "a tenant has half");
        one.take(20).expect("it fits");
        assert!(budget.share(Some(tenant(1))).take(1).is_err(), "whichever of its calls");
        other.take(45).expect("another tenant has a half of its own");
        assert!(third.take(6).is_err(), "but there are no more than all");
        third.take(5).expect("the last of it");
        drop(one);
        third.take(45).expect("what was given back");
        drop((other, third));
        assert_eq!(lock(&budget.0.held).all, 0);
        assert!(lock(&budget.0.held).of_tenant.is_empty());
        assert!(budget.share(None).take(usize::MAX).is_err());
        let refused = HashMap::from([(Some(tenant(1)), 2), (Some(tenant(3)), 1), (None, 1)]);
        assert_eq!(budget.refusals().take(), refused, "that is known until somebody takes it");
        assert!(budget.refusals().take().is_empty());
    }

    #[test]
    fn what_was_taken_before_the_tenant_was_known_counts_for_it() {
        let budget = Budget::new("bytes", 100);
        let share = budget.share(None);
        share.take(40).expect("it fits");
        share.is_of(tenant(1));
        share.is_of(tenant(1));
        assert!(share.take(11).is_err());
        share.take(10).expect("it fits");
        assert_eq!(lock(&budget.0.held).all, 50);
        drop(share);
        assert!(lock(&budget.0.held).of_tenant.is_empty());
    }

    #[test]
    fn a_share_holds_what_it_is_told_to_and_knows_what_it_never_could() {
        let budget = Budget::new("bytes", 100);
        let share = budget.share(Some(tenant(1)));
        assert!(share.takes(40) && !share.takes(11));
        assert!(budget.refusals().take().is_empty(), "who only asks is not told of");
        for bytes in [10, 10, 50, 0, 30] {
            assert!(share.holds(bytes));
            assert_eq!(budget.held(), bytes);
        }
        assert!(!share.holds(51));
        assert_eq!((budget.held(), budget.refusals().take().len()), (30, 0), "it holds what it held");
        assert!(matches!(share.refuse(), Error::Busy));
        assert_eq!(budget.refusals().take(), HashMap::from([(Some(tenant(1)), 1)]));
        assert!(!share.never_holds(50) && share.never_holds(51));
        let nobodys = budget.share(None);
        assert!(!nobodys.never_holds(100) && nobodys.never_holds(101));
        drop(share);
        assert_eq!(budget.held(), 0);
        assert!(lock(&budget.0.held).of_tenant.is_empty());
    }
}
