//! A replica: a control plane with a runtime, a pool and a clock of its own, which can be killed.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use kit::FrozenClock;
use orchestrator::{Clock, Spine};
use testkit::{
    Switchboard,
    wire::{Stage, Wire},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// Only what hangs takes so long.
pub(super) const HANG: std::time::Duration = std::time::Duration::from_mins(1);

pub(super) struct Replica {
    pub(super) spine: Spine,
    pub(super) wire: Wire,
    runtime: Option<Runtime>,
}

/// The clock of one replica: as far from the others' as a replica that is ready may be.
struct Skewed {
    clock: Arc<FrozenClock>,
    by: Duration,
}

impl Clock for Skewed {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.by
    }

    fn steady(&self) -> Option<Duration> {
        None
    }
}

impl Replica {
    /// The `process`-th process of all, as the replica `number`. What it sends waits from now on.
    pub(super) async fn start(
        board: &Switchboard,
        clock: &Arc<FrozenClock>,
        (number, process): (usize, u64),
        skew_ms: i64,
    ) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let wire = board.wire(number);
        let clock = Arc::new(Skewed { clock: Arc::clone(clock), by: Duration::milliseconds(skew_ms) });
        let url = wire.url().to_owned();
        let starting = runtime.spawn(async move { kit::replica(&url, clock, process).await });
        let spine = starting.await.expect("it starts");
        let replica = Self { spine, wire, runtime: Some(runtime) };
        // What it did to start is over, and its connections rest: how fast that was must not tell in the schedule.
        replica.taken_up().await;
        let rests = async {
            while board.lines().iter().any(|line| line.replica == number && line.stage != Stage::Idle) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANG, rests).await.expect("its connections come to rest");
        replica.wire.close_gate();
        replica
    }

    /// Like kill -9: nothing more runs in it, and its connections are closed.
    pub(super) fn kill(&mut self) {
        self.wire.cut();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    pub(super) fn handle(&self) -> Handle {
        self.runtime.as_ref().expect("it lives").handle().clone()
    }

    /// Waits until what was just given to it has come as far as it can by itself.
    pub(super) async fn taken_up(&self) {
        let others_first = async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        };
        self.handle().spawn(others_first).await.expect("it lives");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}
