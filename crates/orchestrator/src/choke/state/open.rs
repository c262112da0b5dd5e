//! What the open permits of a run hold of the limits on the run itself, which have no window that it could be counted
//! in.
//!
//! A permit of a run is granted, and used, only by who holds the run locked, so what is read with the run stays true.
//! One that has expired serves nobody, and so it holds nothing, whoever releases it and when.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use models::{
    ids::PermitId,
    policies::{Estimate, OpenPermit},
};
use rules::{
    Count,
    limits::{Basis, Held, basis},
};

use super::snapshots::BoundSnapshot;

/// Whether a limit asks for the open permits of the runs that are bound to this: it does, or does not, as long as a run
/// lives.
pub(in crate::choke) fn are_asked_for(snapshot: &BoundSnapshot) -> bool {
    snapshot.compiled.limits().iter().any(|limit| basis(limit.limit_type) == Basis::Run)
}

/// The permits of one run that are granted, and neither used nor expired.
#[derive(Clone, Default)]
pub(in crate::choke) struct OpenPermits {
    each: HashMap<PermitId, Open>,
    /// What all of them hold. It is kept up, as a run may have thousands, and every call of a group asks.
    all: Sum,
}

/// What one of them holds, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    holds: Held,
    expires_at: DateTime<Utc>,
}

/// A sum that does not saturate: what was added to it can be taken away again.
#[derive(Clone, Copy, Default)]
struct Sum {
    steps: u128,
    tokens: u128,
    cost_nanousd: u128,
}

impl OpenPermits {
    pub(in crate::choke) fn grant(&mut self, id: PermitId, estimate: &Estimate, expires_at: DateTime<Utc>) {
        self.close(id);
        let holds = held_by(estimate);
        self.all = self.all.with(holds);
        self.each.insert(id, Open { holds, expires_at });
    }

    /// It was used, or has lapsed.
    pub(in crate::choke) fn close(&mut self, id: PermitId) {
        if let Some(closed) = self.each.remove(&id) {
            self.all = self.all.without(closed.holds);
        }
    }

    /// Closes those that have expired at `now`.
    pub(in crate::choke) fn lapse(&mut self, now: DateTime<Utc>) {
        let all = &mut self.all;
        self.each.retain(|_, open| {
            let serves = open.expires_at > now;
            if !serves {
                *all = all.without(open.holds);
            }
            serves
        });
    }

    /// Of the permits that serve behind `until`: which hold something else than these that are `stored`, or are not
    /// among them, or are among them alone. Of each what is known here, and what is stored.
    pub(in crate::choke) fn unlike(
        &self,
        stored: &[OpenPermit],
        until: DateTime<Utc>,
    ) -> Vec<(PermitId, [String; 2])> {
        let mut there = Self::default();
        for permit in stored {
            there.grant(permit.id, &permit.estimate, permit.expires_at);
        }
        let serving =
            |all: &Self, id: &PermitId| all.each.get(id).filter(|open| open.expires_at > until).copied();
        let all: BTreeSet<&PermitId> = self.each.keys().chain(there.each.keys()).collect();
        let unlike = |id: &PermitId| {
            let both = [serving(self, id), serving(&there, id)];
            (both[0] != both[1]).then(|| (*id, both.map(|one| format!("{one:?}"))))
        };
        all.into_iter().filter_map(unlike).collect()
    }

    /// About how many bytes they are.
    pub(in crate::choke) fn weight(&self) -> usize {
        self.each.capacity() * size_of::<(PermitId, Open)>() * 5 / 4
    }

    /// What all of them hold, without the one whose step is recorded.
    pub(in crate::choke) fn held(&self, but: Option<PermitId>) -> Held {
        let own = but.and_then(|id| self.each.get(&id));
        own.map_or(self.all, |own| self.all.without(own.holds)).held()
    }
}

impl Sum {
    fn with(self, held: Held) -> Self {
        Self {
            steps: self.steps + u128::from(held.steps.get()),
            tokens: self.tokens + u128::from(held.tokens.get()),
            cost_nanousd: self.cost_nanousd + u128::from(held.cost_nanousd.get()),
        }
    }

    fn without(self, held: Held) -> Self {
        Self {
            steps: self.steps - u128::from(held.steps.get()),
            tokens: self.tokens - u128::from(held.tokens.get()),
            cost_nanousd: self.cost_nanousd - u128::from(held.cost_nanousd.get()),
        }
    }

    fn held(self) -> Held {
        let count = |sum: u128| Count::from(u64::try_from(sum).unwrap_or(u64::MAX));
        Held { steps: count(self.steps), tokens: count(self.tokens), cost_nanousd: count(self.cost_nanousd) }
    }
}

/// What one permit holds.
pub(in crate::choke) fn held_by(estimate: &Estimate) -> Held {
    Held {
        steps: Count::from(1),
        tokens: Count::from(estimate.input_tokens) + Count::from(estimate.output_tokens),
        cost_nanousd: estimate.cost_nanousd.unwrap_or(0).into(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use models::ids::RunId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_all_hold_goes_with_those_that_hold_it() {
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let id = |n: u128| PermitId(Uuid::from_u128(n));
        let of = |tokens: u64| Estimate { input_tokens: tokens, output_tokens: 1, cost_nanousd: None };
        let mut open = OpenPermits::default();
        open.grant(id(1), &of(Count::MAX.get()), at(10));
        open.grant(id(2), &of(4), at(20));
        open.grant(id(3), &of(6), at(30));
        let stands = |open: &OpenPermits, but| {
            let held = open.held(but);
            [held.steps, held.tokens, held.cost_nanousd].map(Count::get)
        };
        assert_eq!(stands(&open, None), [3, Count::MAX.get(), 0]);
        assert_eq!(
            stands(&open, Some(id(1))),
            [2, 12, 0],
            "more than a count may be was not lost on the way"
        );
        open.lapse(at(9));
        assert_eq!(stands(&open, None)[0], 3, "all of them serve");
        open.lapse(at(10));
        assert_eq!(stands(&open, None), [2, 12, 0]);
        assert_eq!(stands(&open, Some(id(1))), [2, 12, 0], "it is none of them any more");
        open.close(id(1));
        open.close(id(3));
        assert_eq!(stands(&open, None), [1, 5, 0]);
    }

    #[test]
    fn those_that_are_stored_in_another_way_are_told() {
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let permit = |n: u128, tokens: u64, until: i64| OpenPermit {
            id: PermitId(Uuid::from_u128(n)),
            run_id: RunId(Uuid::nil()),
            estimate: Estimate { input_tokens: tokens, output_tokens: 0, cost_nanousd: None },
            expires_at: at(until),
        };
        let of = |all: &[OpenPermit]| {
            let mut open = OpenPermits::default();
            for one in all {
                open.grant(one.id, &one.estimate, one.expires_at);
            }
            open
        };
        let known = [permit(1, 5, 20), permit(2, 5, 20)];
        let cases: [(&[OpenPermit], &[u128]); 6] = [
            (&[permit(2, 5, 20), permit(1, 5, 20)], &[]),
            (&[permit(1, 5, 20)], &[2]),
            (&[permit(1, 5, 20), permit(2, 6, 20)], &[2]),
            (&[permit(1, 5, 21), permit(2, 5, 20)], &[1]),
            (&[permit(1, 5, 20), permit(2, 5, 20), permit(3, 5, 20)], &[3]),
            (&[permit(1, 5, 20), permit(2, 5, 20), permit(3, 5, 10)], &[]),
        ];
        for (stored, due) in cases {
            let told = of(&known).unlike(stored, at(10));
            let ids: Vec<u128> = told.iter().map(|(id, _)| id.0.as_u128()).collect();
            assert_eq!(ids, due, "{stored:?}: {told:?}");
        }
        assert_eq!(of(&known).unlike(&[], at(20)), [], "they may have been released");
    }
}
