//! Tells people for whose calls there was no room: those were answered 503 `overloaded`, and the server is well. Of
//! each tenant at once, then at most once in ten minutes, however many calls there are.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use models::ids::TenantId;

use crate::{
    budget::Refusals, consequences::system_records::record_no_room, errors::Error, handlers::system,
    spine::Spine,
};

/// How long what happens after a record waits for the next one.
const TOGETHER: Duration = Duration::minutes(10);
/// How long what could not be written waits for the next try.
const AGAIN: Duration = Duration::minutes(1);

/// What one server saw of calls that it had no room for, by whose they were where that was known.
#[derive(Debug, Default)]
pub struct Crowded {
    waiting: Mutex<HashMap<Option<TenantId>, Waiting>>,
}

/// Of what there was too little, and how often.
type NoRoom = BTreeMap<&'static str, u64>;

#[derive(Debug, Default)]
struct Waiting {
    told_at: Option<DateTime<Utc>>,
    untold: NoRoom,
}

impl Crowded {
    /// Looks which budgets were too small since the last tick, and tells of it where that is due.
    pub async fn tick(&self, spine: &Spine) -> Result<(), Error> {
        self.note(system::refusals(spine));
        let now = spine.now();
        let due = self.due(now);
        if due.is_empty() {
            return Ok(());
        }
        for (tenant, no_room) in &due {
            let (calls, of) = (no_room.values().sum::<u64>(), no_room.keys().copied().collect::<Vec<_>>());
            tracing::warn!(
                tenant = tenant.map(tracing::field::display),
                calls,
                of = of.join(", "),
                "calls were answered 503 overloaded: there was no room for them; HOC_MAX_HELD_MIB and HOC_MAX_WAITING say \
                 how much there is, and whole runs are few at a time"
            );
        }
        if let Err(err) = record_no_room(spine, &due).await {
            self.put_back(due, now);
            return Err(err);
        }
        Ok(())
    }

    fn note<'r>(&self, refusals: impl IntoIterator<Item = &'r Refusals>) {
        let mut waiting = self.waiting();
        for refused in refusals {
            for (tenant, times) in refused.take() {
                *waiting.entry(tenant).or_default().untold.entry(refused.what()).or_default() += times;
            }
        }
    }

    /// What is to be told now; what has been told long ago is forgotten.
    fn due(&self, now: DateTime<Utc>) -> Vec<(Option<TenantId>, NoRoom)> {
        let mut due = Vec::new();
        self.waiting().retain(|tenant, waiting| {
            let is_due = waiting.told_at.is_none_or(|at| now - at >= TOGETHER);
            if is_due && !waiting.untold.is_empty() {
                waiting.told_at = Some(now);
                due.push((*tenant, std::mem::take(&mut waiting.untold)));
                return true;
            }
            !is_due
        });
        due
    }

    fn put_back(&self, untold: Vec<(Option<TenantId>, NoRoom)>, now: DateTime<Utc>) {
        let mut all = self.waiting();
        for (tenant, no_room) in untold {
            let waiting = all.entry(tenant).or_default();
            waiting.told_at = Some(now + AGAIN - TOGETHER);
            for (what, times) in no_room {
                *waiting.untold.entry(what).or_default() += times;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Option<TenantId>, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::budget::Budget;

    #[test]
    fn each_tenant_is_told_of_at_once_and_then_once_in_a_while() {
        let (crowded, budget) = (Crowded::default(), Budget::new("bytes", 10));
        let [one, other] = [1, 2].map(|n| Some(TenantId(Uuid::from_u128(n))));
        let at = |minute: i64| DateTime::UNIX_EPOCH + Duration::minutes(minute);
        let refuse = |tenant| budget.share(tenant).take(11).expect_err("there is too little");
        let due = |minute| {
            crowded.note([budget.refusals()]);
            crowded.due(at(minute))
        };
        assert!(due(0).is_empty());
        refuse(one);
        refuse(one);
        assert_eq!(due(0), [(one, NoRoom::from([("bytes", 2)]))]);
        refuse(one);
        refuse(other);
        assert_eq!(due(1), [(other, NoRoom::from([("bytes", 1)]))], "the first waits");
        let first = due(10);
        assert_eq!(first, [(one, NoRoom::from([("bytes", 1)]))]);
        crowded.put_back(first, at(10));
        refuse(one);
        assert!(due(10).is_empty());
        assert_eq!(due(11), [(one, NoRoom::from([("bytes", 2)]))], "what was not written is told again");
        assert!(due(30).is_empty() && crowded.waiting().is_empty(), "and nobody is remembered for ever");
    }
}
