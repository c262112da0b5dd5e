//! Tasks that go on without being called:
//!
//! - checkpoints are signed, and recorded rows are read again and compared;
//! - jobs that people order are taken, which one server does for all of them;
//! - runs that nobody ends are ended, and runs that stall are marked;
//! - what an outage held up is written, what the store refused of it is tried again, and the outage is recorded;
//! - what other servers changed of what is remembered for an outage is read;
//! - the use of keys is noted, and spans that could not be recorded and calls that found no room are reported;
//! - windows of limits and kept answers that are over are forgotten;
//! - memory that only makes the next call faster is let go of where none comes.
//!
//! Each task is a loop around a `tick`, which does the work once, at the time of the spine's clock; only the waiting
//! between ticks is real time. A tick that fails is logged here and tried again at the next: nothing is lost by that,
//! for what was due is still due. A tick that panics is tried again after a pause, which grows, and until it succeeds
//! the server is not ready. Permits need no task: the call that wants their room releases those that lapsed.

pub mod answers;
pub mod checker;
pub mod crowded;
pub mod key_use;
pub mod log_check;
pub mod outages;
pub mod overdue;
pub mod remembered;
pub mod rest;
pub mod restored;
pub mod set_aside;
pub mod signer;
pub mod stalls;
pub mod sweeper;
pub mod windows;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use models::jobs::JobKind;
use tokio::{sync::watch, task::JoinSet, time::MissedTickBehavior};

use crate::{
    errors::Error,
    fallen::{self, Fallen},
    jobs::{Pace, Skill, Worker},
    spine::Spine,
};

/// A log with news is signed for at most this often.
const SIGN_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const WRITE_OVERDUE_EVERY: Duration = Duration::from_secs(1);
/// Whether it is time, it knows itself: a stop must not be the time.
const TRY_SET_ASIDE_EVERY: Duration = Duration::from_mins(1);
const ASK_STORE_EVERY: Duration = Duration::from_secs(1);
/// What another server halted is halted here within a second, should the store go then.
const LOOK_EVERY: Duration = Duration::from_millis(750);
const CHECK_PIECE_EVERY: Duration = Duration::from_secs(2);
const TAKE_JOBS_EVERY: Duration = Duration::from_secs(1);
const NOTE_USE_EVERY: Duration = Duration::from_secs(30);
/// A run that stalls is shown as that within 5 s.
const MARK_STALLS_EVERY: Duration = Duration::from_secs(2);
const FORGET_WINDOWS_EVERY: Duration = Duration::from_mins(1);
const FORGET_ANSWERS_EVERY: Duration = Duration::from_hours(1);
const TELL_OF_NO_ROOM_EVERY: Duration = Duration::from_secs(5);
/// A minute after a load the server is as small as before it.
const REST_EVERY: Duration = Duration::from_secs(15);

/// The tasks of one server. Dropped, they are cut off.
#[derive(Debug)]
pub struct Tasks {
    running: JoinSet<()>,
}

impl Tasks {
    /// Waits until every task has seen the shutdown and ended.
    pub async fn join(mut self) {
        while let Some(ended) = self.running.join_next().await {
            if let Err(err) = ended {
                tracing::error!(error = &err as &dyn std::error::Error, "a background task was cut off");
            }
        }
    }
}

/// Starts the tasks; each ends when `shutdown` becomes true, or its sender is gone.
#[must_use = "dropped, the tasks are cut off"]
pub fn start(spine: &Spine, shutdown: &watch::Receiver<bool>) -> Tasks {
    let life = || Life { fallen: Arc::clone(spine.fallen()), shutdown: shutdown.clone() };
    let mut running = JoinSet::new();
    let signing = spine.clone();
    running.spawn(every(SIGN_EVERY, "signer", life(), move || {
        let spine = signing.clone();
        async move { Box::pin(signer::tick(&spine)).await.map(drop) }
    }));
    let sweeping = spine.clone();
    running.spawn(every(SWEEP_EVERY, "sweeper", life(), move || {
        let spine = sweeping.clone();
        async move { sweeper::tick(&spine).await.map(drop) }
    }));
    let writing = spine.clone();
    running.spawn(every(WRITE_OVERDUE_EVERY, "overdue", life(), move || {
        let spine = writing.clone();
        async move { overdue::tick(&spine).await }
    }));
    let (trying, aside) = (spine.clone(), Arc::new(set_aside::SetAside::default()));
    running.spawn(every(TRY_SET_ASIDE_EVERY, "set_aside", life(), move || {
        let (spine, aside) = (trying.clone(), Arc::clone(&aside));
        async move { aside.tick(&spine).await }
    }));
    let (asking, outages) = (spine.clone(), Arc::new(outages::Outages::default()));
    running.spawn(every(ASK_STORE_EVERY, "outages", life(), move || {
        let (spine, outages) = (asking.clone(), Arc::clone(&outages));
        async move { outages.tick(&spine).await }
    }));
    let remembering = spine.clone();
    running.spawn(every(LOOK_EVERY, "remembered", life(), move || {
        let spine = remembering.clone();
        async move { remembered::tick(&spine).await }
    }));
    let looking = spine.clone();
    running.spawn(every(ASK_STORE_EVERY, "restored", life(), move || {
        let spine = looking.clone();
        async move { restored::tick(&spine).await }
    }));
    running.spawn(jobs(spine.clone(), life()));
    let (checking, checker) = (spine.clone(), Arc::new(checker::Checker::default()));
    running.spawn(every(CHECK_PIECE_EVERY, "checker", life(), move || {
        let (spine, checker) = (checking.clone(), Arc::clone(&checker));
        async move { checker.tick(&spine).await.map(drop) }
    }));
    let noting = spine.clone();
    running.spawn(every(NOTE_USE_EVERY, "key_use", life(), move || {
        let spine = noting.clone();
        async move { key_use::tick(&spine).await }
    }));
    let marking = spine.clone();
    running.spawn(every(MARK_STALLS_EVERY, "stalls", life(), move || {
        let spine = marking.clone();
        async move { stalls::tick(&spine).await.map(drop) }
    }));
    let forgetting = spine.clone();
    running.spawn(every(FORGET_WINDOWS_EVERY, "windows", life(), move || {
        let spine = forgetting.clone();
        async move { windows::tick(&spine).await.map(drop) }
    }));
    let forgetting = spine.clone();
    running.spawn(every(FORGET_ANSWERS_EVERY, "answers", life(), move || {
        let spine = forgetting.clone();
        async move { answers::tick(&spine).await }
    }));
    let (telling, crowded) = (spine.clone(), Arc::new(crowded::Crowded::default()));
    running.spawn(every(TELL_OF_NO_ROOM_EVERY, "crowded", life(), move || {
        let (spine, crowded) = (telling.clone(), Arc::clone(&crowded));
        async move { crowded.tick(&spine).await }
    }));
    let (resting, rest) = (spine.clone(), Arc::new(rest::Rest::default()));
    running.spawn(every(REST_EVERY, "rest", life(), move || {
        let (spine, rest) = (resting.clone(), Arc::clone(&rest));
        async move { rest.tick(&spine).await }
    }));
    Tasks { running }
}

/// Takes jobs until the shutdown, and gives back then what is not done.
async fn jobs(spine: Spine, life: Life) {
    let check = log_check::LogCheck { rest: CHECK_PIECE_EVERY };
    let skills = vec![Skill { kind: JobKind::LogCheck, handler: Arc::new(check), stands: false }];
    let worker = Arc::new(Worker::new(&spine, skills, Pace::default()));
    let (shutdown, working) = (life.shutdown.clone(), Arc::clone(&worker));
    every(TAKE_JOBS_EVERY, "jobs", life, move || {
        let (spine, worker) = (spine.clone(), Arc::clone(&working));
        // What is due when the server stops is for the others.
        let stops = *shutdown.borrow() || shutdown.has_changed().is_err();
        async move { if stops { Ok(()) } else { worker.tick(&spine).await.map(drop) } }
    })
    .await;
    worker.stop().await;
}

/// What a task must hear of, and where it is heard of.
struct Life {
    fallen: Arc<Fallen>,
    shutdown: watch::Receiver<bool>,
}

/// Runs `tick` at once and then every `period`, until the shutdown; and once more then, so that what is due when a
/// server stops is done.
async fn every<Tick, Fut>(period: Duration, task: &'static str, life: Life, tick: Tick)
where
    Tick: Fn() -> Fut + Send,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    let Life { fallen, mut shutdown } = life;
    let mut beat = tokio::time::interval(period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut failing, mut panics) = (false, 0);
    loop {
        let last = tokio::select! {
            _ = beat.tick() => false,
            _ = shutdown.wait_for(|stop| *stop) => true,
        };
        match AssertUnwindSafe(async { tick().await }).catch_unwind().await {
            Ok(ticked) => {
                if panics > 0 {
                    tracing::info!(task, "a background task runs again");
                    fallen.runs(task);
                    panics = 0;
                }
                match ticked {
                    Ok(()) => failing = false,
                    Err(err) => tell(&err, task, std::mem::replace(&mut failing, true)),
                }
            }
            Err(panic) => {
                panics += 1;
                fallen.falls(task);
                let rest = fallen::rest(period, panics);
                tracing::error!(
                    panic = fallen::said(panic.as_ref()),
                    task,
                    rest_ms = rest.as_millis(),
                    "a background task panicked; it will try again"
                );
                beat.reset_after(rest);
            }
        }
        if last {
            return;
        }
    }
}

/// While the store is down this would be a line a second: the first tells it. That another key signs is told where it
/// is found.
fn tell(err: &Error, task: &str, failed_before: bool) {
    let error = err as &dyn std::error::Error;
    if failed_before || matches!(err, Error::OtherSigningKey(_)) {
        tracing::debug!(error, task, "still failing");
    } else {
        tracing::warn!(error, task, "a background task failed; it will try again");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::mpsc;

    use super::*;
    use crate::handlers::system::runs_on;

    fn life(shutdown: watch::Receiver<bool>) -> Life {
        Life { fallen: Arc::default(), shutdown }
    }

    #[tokio::test]
    async fn a_failed_tick_does_not_stop_a_task_and_a_stop_ticks_once_more() {
        let (ticked, mut ticks) = mpsc::unbounded_channel();
        let (stop, shutdown) = watch::channel(false);
        let task = tokio::spawn(every(Duration::from_millis(1), "test", life(shutdown), move || {
            let ticked = ticked.clone();
            async move {
                ticked.send(()).expect("the test listens");
                Err(Error::Busy)
            }
        }));
        for _ in 0..3 {
            ticks.recv().await.expect("it ticks");
        }
        stop.send(true).expect("the task listens");
        task.await.expect("the task ends");
        assert!(ticks.recv().await.is_some(), "what was due at the stop is done");
    }

    #[tokio::test]
    async fn a_task_ends_with_who_started_it() {
        let (stop, shutdown) = watch::channel(false);
        drop(stop);
        every(Duration::from_hours(1), "test", life(shutdown), || async { Ok(()) }).await;
    }

    #[tokio::test]
    async fn a_task_that_panics_goes_on_and_the_server_is_not_ready_until_it_has() {
        let (ticked, mut ticks) = mpsc::unbounded_channel();
        let (stop, shutdown) = watch::channel(false);
        let life = life(shutdown);
        let (count, fallen) = (Arc::new(AtomicU32::new(0)), Arc::clone(&life.fallen));
        let task = tokio::spawn(every(Duration::from_millis(1), "test", life, move || {
            let (ticked, count, fallen) = (ticked.clone(), Arc::clone(&count), Arc::clone(&fallen));
            async move {
                let tick = count.fetch_add(1, Ordering::Relaxed);
                let ready = runs_on(&fallen).map_err(|why| why.to_string());
                ticked.send(ready).expect("the test listens");
                assert!(tick > 1, "the first two panic");
                Ok(())
            }
        }));
        let mut ready = Vec::new();
        for _ in 0..5 {
            ready.push(ticks.recv().await.expect("it ticks"));
        }
        let not = || Err("background work has stopped, and is tried again: test".to_owned());
        assert_eq!(ready, [Ok(()), not(), not(), Ok(()), Ok(())]);
        stop.send(true).expect("the task listens");
        task.await.expect("the task ends");
    }
}
