//! What one watcher and the streams of its tenant share: what is followed, and what was last seen of it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use models::{
    activity::Pulse,
    ids::{JobId, KeyId, RunId},
    jobs::Job,
};
use proof::leaves::RunLeaf;
use tokio::sync::{Notify, watch};

/// How many events of the run log are kept for the streams of a tenant. Who is further behind asks the store.
const KEPT: usize = 1_000;

/// A leaf of the run log, and whose run it is about.
#[derive(Debug)]
pub(crate) struct LogEvent {
    pub(crate) run: RunId,
    pub(crate) key: KeyId,
    pub(crate) leaf: RunLeaf,
}

/// Events by the leaves that they are.
pub(crate) type Numbered = Vec<(u64, Arc<LogEvent>)>;

/// A tenant, as its watcher sees it.
pub(super) struct Watched {
    stirred: Notify,
    alive: watch::Receiver<()>,
    log_size: watch::Sender<u64>,
    log: Mutex<Recent>,
    runs: Mutex<HashMap<RunId, watch::Sender<Option<Pulse>>>>,
    jobs: Mutex<HashMap<JobId, watch::Sender<Option<Arc<Job>>>>>,
    keys: Mutex<HashMap<KeyId, Followers>>,
}

/// The newest events of the log, without a gap.
#[derive(Default)]
struct Recent {
    /// The leaf of the first.
    from: u64,
    events: VecDeque<Option<Arc<LogEvent>>>,
}

/// The streams of one key.
struct Followers {
    streams: usize,
    opens: watch::Sender<bool>,
}

/// What is at hand of the log.
pub(super) enum Caught {
    /// All there is from where it was asked for, and where that ends.
    All(u64, Numbered),
    /// The beginning of it is gone.
    NotAll,
}

impl Watched {
    /// One, and what its watcher holds as long as it watches.
    pub(super) fn new() -> (Arc<Self>, watch::Sender<()>) {
        let (watching, alive) = watch::channel(());
        let watched = Self {
            stirred: Notify::new(),
            alive,
            log_size: watch::Sender::new(0),
            log: Mutex::default(),
            runs: Mutex::default(),
            jobs: Mutex::default(),
            keys: Mutex::default(),
        };
        (Arc::new(watched), watching)
    }

    pub(super) fn is_watched(&self) -> watch::Receiver<()> {
        self.alive.clone()
    }

    pub(super) fn stir(&self) {
        self.stirred.notify_one();
    }

    pub(super) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// A stream of this key begins.
    pub(super) fn key(&self, key: KeyId) -> watch::Receiver<bool> {
        let mut keys = lock(&self.keys);
        let begin = || Followers { streams: 0, opens: watch::Sender::new(true) };
        let followers = keys.entry(key).or_insert_with(begin);
        followers.streams += 1;
        followers.opens.subscribe()
    }

    /// A stream of this key is over.
    pub(super) fn leaves(&self, key: KeyId) {
        let mut keys = lock(&self.keys);
        if let Some(followers) = keys.get_mut(&key) {
            followers.streams -= 1;
            if followers.streams == 0 {
                keys.remove(&key);
            }
        }
    }

    /// The keys that follow.
    pub(super) fn keys(&self) -> Vec<KeyId> {
        lock(&self.keys).keys().copied().collect()
    }

    /// These keys open nothing any more.
    pub(super) fn ends_for(&self, of: impl Fn(KeyId) -> bool) {
        for (key, followers) in lock(&self.keys).iter() {
            if of(*key) {
                followers.opens.send_replace(false);
            }
        }
    }

    /// Follows a run.
    pub(super) fn run(&self, run: RunId) -> watch::Receiver<Option<Pulse>> {
        lock(&self.runs).entry(run).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    /// The runs that are followed; those that nobody follows any more are forgotten.
    pub(super) fn runs(&self) -> Vec<RunId> {
        let mut runs = lock(&self.runs);
        runs.retain(|_, pulse| pulse.receiver_count() > 0);
        runs.keys().copied().collect()
    }

    /// How far a run is. Whoever follows it wakes, if that is news.
    pub(super) fn beats(&self, pulse: Pulse) {
        if let Some(known) = lock(&self.runs).get(&pulse.run) {
            known.send_if_modified(|known| {
                let is_news = known.as_ref() != Some(&pulse);
                *known = Some(pulse);
                is_news
            });
        }
    }

    /// Follows a job.
    pub(super) fn job(&self, job: JobId) -> watch::Receiver<Option<Arc<Job>>> {
        lock(&self.jobs).entry(job).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    /// The jobs that are followed; those that nobody follows any more are forgotten.
    pub(super) fn jobs(&self) -> Vec<JobId> {
        let mut jobs = lock(&self.jobs);
        jobs.retain(|_, job| job.receiver_count() > 0);
        jobs.keys().copied().collect()
    }

    /// How a job stands. Whoever follows it wakes, if that is news: that its lease was renewed is none.
    pub(super) fn stands(&self, job: Job) {
        if let Some(known) = lock(&self.jobs).get(&job.id) {
            known.send_if_modified(|known| {
                let said = |job: &Job| (job.events, job.stage, job.percentage);
                let is_news = known.as_deref().map(said) != Some(said(&job));
                *known = Some(Arc::new(job));
                is_news
            });
        }
    }

    /// How many leaves the run log has, as the watcher last saw.
    pub(super) fn log_size(&self) -> watch::Receiver<u64> {
        self.log_size.subscribe()
    }

    /// The log has leaves `from` to `end`: these, by their indices, are events, and the others are none. A leaf in
    /// which the log tells of itself is none, nor is one whose run is not known.
    pub(super) fn log_grew(&self, from: u64, end: u64, events: Vec<(u64, LogEvent)>) {
        let mut log = lock(&self.log);
        if log.from + log.events.len() as u64 != from {
            *log = Recent { from, events: VecDeque::new() };
        }
        let mut events = events.into_iter().peekable();
        log.events.extend((from..end).map(|index| {
            let event = events.next_if(|(place, _)| *place == index);
            event.map(|(_, event)| Arc::new(event))
        }));
        let size = log.from + log.events.len() as u64;
        while log.events.len() > KEPT {
            log.events.pop_front();
            log.from += 1;
        }
        drop(log);
        self.log_size.send_replace(size);
    }

    /// The log has so many leaves, of which none is at hand.
    pub(super) fn log_begins_at(&self, size: u64) {
        *lock(&self.log) = Recent { from: size, events: VecDeque::new() };
        self.log_size.send_replace(size);
    }

    /// What is at hand from leaf `next` on.
    pub(super) fn log_from(&self, next: u64) -> Caught {
        let log = lock(&self.log);
        let Some(skip) = next.checked_sub(log.from) else { return Caught::NotAll };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let numbered = (next..).zip(log.events.iter().skip(skip));
        let end = log.from + log.events.len() as u64;
        Caught::All(
            end,
            numbered.filter_map(|(index, event)| Some((index, Arc::clone(event.as_ref()?)))).collect(),
        )
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use models::activity::RunState;
    use proof::leaves::OpenedLeaf;
    use uuid::Uuid;

    use super::*;

    fn event(n: u128) -> LogEvent {
        let run = RunId(Uuid::from_u128(n));
        let leaf = RunLeaf::Opened(OpenedLeaf {
            tenant_id: String::new(),
            run_id: run.to_string(),
            started_at: String::new(),
            snapshot_digest: String::new(),
            environment_hash: String::new(),
        });
        LogEvent { run, key: KeyId(Uuid::nil()), leaf }
    }

    fn at_hand(watched: &Watched, next: u64) -> Option<Vec<u64>> {
        match watched.log_from(next) {
            Caught::All(_, events) => Some(events.into_iter().map(|(index, _)| index).collect()),
            Caught::NotAll => None,
        }
    }

    #[test]
    fn who_is_too_far_behind_is_told_to_ask_the_store() {
        let (watched, _watching) = Watched::new();
        watched.log_begins_at(10);
        assert_eq!(at_hand(&watched, 9), None);
        assert_eq!(at_hand(&watched, 10), Some(vec![]));
        watched.log_grew(10, 13, vec![(10, event(1)), (12, event(2))]);
        assert_eq!(*watched.log_size().borrow(), 13);
        assert_eq!(at_hand(&watched, 10), Some(vec![10, 12]));
        assert_eq!(at_hand(&watched, 12), Some(vec![12]));
        assert_eq!(at_hand(&watched, 99), Some(vec![]));
        for from in 13..13 + KEPT as u64 {
            watched.log_grew(from, from + 1, vec![(from, event(3))]);
        }
        assert_eq!(at_hand(&watched, 12), None);
        assert_eq!(at_hand(&watched, 13).map(|events| events.len()), Some(KEPT));
        watched.log_grew(5_000, 5_001, vec![(5_000, event(4))]);
        assert_eq!(at_hand(&watched, 4_999), None, "what is between is not at hand");
        assert_eq!(at_hand(&watched, 5_000), Some(vec![5_000]));
        watched.log_grew(5_001, 5_003, vec![]);
        assert_eq!(*watched.log_size().borrow(), 5_003, "what is no event is passed");
        assert_eq!(at_hand(&watched, 5_001), Some(vec![]));
    }

    #[test]
    fn only_who_follows_a_run_wakes_and_only_by_news() {
        let (watched, _watching) = Watched::new();
        let [one, other] = [1, 2].map(|n| RunId(Uuid::from_u128(n)));
        let (mut follows, mut another) = (watched.run(one), watched.run(other));
        let pulse = |run, steps| {
            let (key, state) = (KeyId(Uuid::nil()), RunState::Live);
            Pulse { run, key, state, steps, refused: 0 }
        };
        watched.beats(pulse(one, 1));
        assert!(follows.has_changed().expect("it is watched"));
        follows.mark_unchanged();
        watched.beats(pulse(one, 1));
        assert!(!follows.has_changed().expect("it is watched"), "nothing has happened");
        watched.beats(pulse(one, 2));
        assert!(follows.has_changed().expect("it is watched"));
        assert!(!another.has_changed().expect("it is watched"));
        another.mark_unchanged();
        drop(follows);
        assert_eq!(watched.runs(), [other]);
    }
}
