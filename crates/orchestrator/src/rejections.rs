//! Which spans could not be recorded, of which tenant, and when people were last told so. The rejected spans of one key
//! become one system record: the first at once, then at most one in ten minutes, however many spans there are.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use models::ids::{KeyId, TenantId};

use crate::ports::RejectedSpans;

/// How long what is rejected after a record waits for the next one.
const TOGETHER: Duration = Duration::minutes(10);
/// How long what could not be written waits for the next try.
const AGAIN: Duration = Duration::minutes(1);
/// So many keys are told apart; more than that send nothing wrong at once.
const MOST: usize = 10_000;

/// What was rejected of whom, and is not in a record yet.
#[derive(Default)]
pub(crate) struct Rejections(Mutex<HashMap<(TenantId, KeyId), Waiting>>);

struct Waiting {
    told_at: DateTime<Utc>,
    untold: Option<Rejected>,
}

/// What one record tells.
#[derive(Clone, Debug)]
pub(crate) struct Rejected {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
    /// Who sent them, as records name who caused something.
    pub(crate) by: String,
    pub(crate) correlation_id: Option<String>,
    pub(crate) spans: RejectedSpans,
    pub(crate) requests: u64,
}

impl Rejected {
    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.spans.add_all(more.spans);
        self.correlation_id = more.correlation_id;
    }
}

impl Rejections {
    /// Notes what was rejected; gives what is to be told now.
    pub(crate) fn note(&self, rejected: Rejected, now: DateTime<Utc>) -> Option<Rejected> {
        let mut all = self.all();
        let of = (rejected.tenant, rejected.key);
        let Some(waiting) = all.get_mut(&of) else {
            if all.len() < MOST {
                all.insert(of, Waiting { told_at: now, untold: None });
            }
            return Some(rejected);
        };
        match &mut waiting.untold {
            Some(untold) => untold.add(rejected),
            none => *none = Some(rejected),
        }
        if now - waiting.told_at < TOGETHER {
            return None;
        }
        waiting.told_at = now;
        waiting.untold.take()
    }

    /// What has waited long enough.
    pub(crate) fn due(&self, now: DateTime<Utc>) -> Vec<Rejected> {
        let mut all = self.all();
        let mut due = Vec::new();
        all.retain(|_, waiting| {
            let is_due = now - waiting.told_at >= TOGETHER;
            if is_due && let Some(untold) = waiting.untold.take() {
                waiting.told_at = now;
                due.push(untold);
                return true;
            }
            !is_due
        });
        due
    }

    /// All that waits, long enough or not.
    pub(crate) fn rest(&self) -> Vec<Rejected> {
        self.all().drain().filter_map(|(_, waiting)| waiting.untold).collect()
    }

    /// Has what could not be written wait for the next try, before what came since.
    pub(crate) fn put_back(&self, untold: Vec<Rejected>, now: DateTime<Utc>) {
        let mut all = self.all();
        for mut rejected in untold {
            let of = (rejected.tenant, rejected.key);
            let told_at = now + AGAIN - TOGETHER;
            if let Some(waiting) = all.get_mut(&of) {
                if let Some(since) = waiting.untold.take() {
                    rejected.add(since);
                }
                *waiting = Waiting { told_at, untold: Some(rejected) };
            } else if all.len() < MOST {
                all.insert(of, Waiting { told_at, untold: Some(rejected) });
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(TenantId, KeyId), Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
