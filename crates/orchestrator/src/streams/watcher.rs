//! Looks what is new in one tenant, for all streams that follow it: in a handful of statements, however many they are.

use std::{sync::Arc, time::Duration};

use models::{
    ids::{KeyId, RunId, TenantId},
    ledger::RunLogEntry,
};
use proof::words::LogName;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

use super::news::{LogEvent, Watched};
use crate::{errors::Error, spine::Spine};

/// How often it looks by itself: news of another replica is not older.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often it looks whether keys are still in force: no less than for a new call.
const LOOK_AT_KEYS_EVERY: Duration = Duration::from_millis(750);
/// How often it looks at the jobs that are followed: nobody is halted by what they tell.
const LOOK_AT_JOBS_EVERY: Duration = Duration::from_secs(1);
/// The most leaves that are read at once.
pub(crate) const AT_ONCE: u64 = 200;
/// How far behind the log is followed leaf by leaf. What is further is for each stream to read.
const FOLLOWED: u64 = 1_000;

/// Watches a tenant until nobody follows it. `watching` is dropped with this, which its streams see.
pub(super) async fn watch(
    spine: Spine,
    tenant: TenantId,
    watched: Arc<Watched>,
    watching: watch::Sender<()>,
) {
    let _forgotten = Forgotten { spine: spine.clone(), tenant, watched: Arc::clone(&watched), watching };
    let mut beat = tokio::time::interval(LOOK_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut log, mut keys_looked_at, mut failing_since) = (None, None::<Instant>, None::<Instant>);
    let mut jobs_looked_at = None::<Instant>;
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = watched.stirred() => {}
        }
        if spine.streams().is_left(tenant, &watched) {
            return;
        }
        let keys_too = keys_looked_at.is_none_or(|at: Instant| at.elapsed() >= LOOK_AT_KEYS_EVERY);
        match look(&spine, tenant, &watched, &mut log, keys_too).await {
            // The store fell back, and readers name events that are not there: they begin anew, with what is.
            Ok(false) => return,
            Ok(true) => {
                failing_since = None;
                if keys_too {
                    keys_looked_at = Some(Instant::now());
                }
                if jobs_looked_at.is_none_or(|at: Instant| at.elapsed() >= LOOK_AT_JOBS_EVERY) {
                    jobs_looked_at = Some(Instant::now());
                    look_at_jobs(&spine, tenant, &watched).await;
                }
            }
            Err(err) => {
                let error = &err as &dyn std::error::Error;
                // While the store is down nothing happens in it; readers keep their place.
                if failing_since.is_none() {
                    tracing::warn!(error, %tenant, "streams of events cannot be fed; trying again");
                } else {
                    tracing::debug!(error, %tenant, "streams of events still cannot be fed");
                }
                let since = *failing_since.get_or_insert_with(Instant::now);
                // A key serves no longer on what is remembered of it.
                if since.elapsed() >= spine.settings().outage_memory.to_std().unwrap_or_default() {
                    return;
                }
            }
        }
    }
}

/// Whatever ends a watcher, its streams end with it, and the next one begins with a new watcher.
struct Forgotten {
    spine: Spine,
    tenant: TenantId,
    watched: Arc<Watched>,
    #[expect(dead_code, reason = "it is held, and nothing is ever sent")]
    watching: watch::Sender<()>,
}

impl Drop for Forgotten {
    fn drop(&mut self) {
        self.spine.streams().forget(self.tenant, &self.watched);
    }
}

/// Where the next leaves begin that may tell of a run, behind these; the log has `size` leaves. It also has leaves in
/// which it tells of itself, which are not among those read.
pub(crate) fn end_of(leaves: &[RunLogEntry], size: u64) -> u64 {
    let read = leaves.last().filter(|_| leaves.len() as u64 == AT_ONCE);
    read.map_or(size, |last| last.leaf_index + 1)
}

/// Looks at the jobs that are followed. What stands in the way keeps nothing from the streams of runs, by which agents
/// hear of a kill: it is tried again.
async fn look_at_jobs(spine: &Spine, tenant: TenantId, watched: &Watched) {
    let followed = watched.jobs();
    if followed.is_empty() {
        return;
    }
    let found = async { spine.read_first().await?.jobs().find_jobs(tenant, &followed).await };
    let each = found.await.unwrap_or_else(|err| vec![Err(err)]);
    for job in each {
        match job {
            Ok(job) => watched.stands(job),
            Err(err) => {
                let error = &err as &dyn std::error::Error;
                tracing::debug!(error, %tenant, "a job that is followed cannot be looked at");
            }
        }
    }
}

/// Looks once; `log` is how many leaves of the run log were seen before. Gives whether they are all there.
async fn look(
    spine: &Spine,
    tenant: TenantId,
    watched: &Watched,
    log: &mut Option<u64>,
    keys_too: bool,
) -> Result<bool, Error> {
    let (runs, keys) = (watched.runs(), watched.keys());
    // The kill of an agent must not stand behind somebody's lists.
    let store = spine.read_first().await?;
    if keys_too {
        let now = spine.now();
        let known = store.account().find_keys_of(tenant, &keys).await?;
        let opens = |id: KeyId| known.iter().any(|key| key.id == id && key.in_force(now));
        watched.ends_for(|key| keys.contains(&key) && !opens(key));
    }
    for pulse in store.activity().pulses(tenant, &runs).await? {
        watched.beats(pulse);
    }
    let head = store.ledger().head(tenant, LogName::Runs).await?;
    let size = head.map_or(0, |head| head.frontier.size());
    let mut next = match *log {
        Some(seen) if seen > size => return Ok(false),
        Some(seen) if size - seen <= FOLLOWED => seen,
        _ => {
            watched.log_begins_at(size);
            size
        }
    };
    while next < size {
        let leaves = store.ledger().run_log_from(tenant, next, AT_ONCE).await?;
        let ids: Vec<RunId> = leaves.iter().map(|leaf| leaf.run_id).collect();
        let runs = store.activity().pulses(tenant, &ids).await?;
        let key_of = |id: RunId| runs.iter().find(|run| run.run == id).map(|run| run.key);
        let end = end_of(&leaves, size);
        let events = leaves.into_iter().filter_map(|entry| {
            Some((
                entry.leaf_index,
                LogEvent { run: entry.run_id, key: key_of(entry.run_id)?, leaf: entry.leaf },
            ))
        });
        watched.log_grew(next, end, events.collect());
        next = end;
    }
    *log = Some(next);
    Ok(true)
}
