//! Several accept one loss at the same moment, as where an automation does it once a server: it is accepted once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use kit::Kit;
use orchestrator::{
    Parts, Spine,
    background::signer,
    handlers::account::{self, SystemCaller},
    ports::{CheckpointSink, Depth, Kept, OutsideCheckpoint, OutsideLog, SinkError, Stands},
};
use proof::words::LogName;
use testkit::on_both;
use tokio::sync::Barrier;

use crate::{agent::Agent, logs::InMemory};

/// Has both who look at all that is kept look before either goes on.
struct Together {
    kept: InMemory,
    looks: AtomicUsize,
    both: Barrier,
}

#[async_trait]
impl CheckpointSink for Together {
    fn place(&self) -> String {
        self.kept.place()
    }

    async fn keep(&self, checkpoint: &OutsideCheckpoint) -> Result<Stands, SinkError> {
        self.kept.keep(checkpoint).await
    }

    async fn write_down(&self, checkpoint: &OutsideCheckpoint) -> Result<(), SinkError> {
        self.kept.write_down(checkpoint).await
    }

    async fn kept(&self, log: &OutsideLog, depth: Depth) -> Result<Kept, SinkError> {
        // Each of the two looks at both logs.
        if depth == Depth::All && self.looks.fetch_add(1, Ordering::Relaxed) < 4 {
            self.both.wait().await;
        }
        self.kept.kept(log, depth).await
    }
}

on_both! {
    async fn a_loss_that_two_accept_at_once_begins_one_epoch(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let kept = Together { kept: InMemory::default(), looks: AtomicUsize::new(0), both: Barrier::new(2) };
        let sinks: Vec<Arc<dyn CheckpointSink>> = vec![Arc::new(kept)];
        let process = |kit: &Kit, n| Spine::new(Parts { sinks: sinks.clone(), ..kit::parts(kit.db.clone(), n) });
        agent.start().await;
        db.keep().await;
        agent.start().await;
        signer::tick(&process(&kit, 1)).await.unwrap();
        db.put_back().await;

        let (one, two) = (Kit::replica(db, 2).await, Kit::replica(db, 3).await);
        let by = SystemCaller { name: "a test".to_owned() };
        let (one, two) = (process(&one, 4), process(&two, 5));
        let (first, second) =
            tokio::join!(account::accept_restore(&one, &by), account::accept_restore(&two, &by));
        let accepted = [first.unwrap(), second.unwrap()].concat();
        assert_eq!(accepted.iter().map(|lost| lost.log).collect::<Vec<_>>(), [LogName::Runs]);
        let store = kit.db.read().await.unwrap();
        let head = store.ledger().head(agent.admin.tenant.id, LogName::Runs).await.unwrap().unwrap();
        assert_eq!(head.epoch, 1);
        let marks = store.ledger().log_marks(agent.admin.tenant.id, LogName::Runs).await.unwrap();
        assert_eq!(marks.len(), 1, "{marks:?}");
    }
}
