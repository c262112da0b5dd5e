//! What another server does to a run while a call of it is under way is not undone by what that call has remembered.

use std::{io, pin::pin, sync::Arc, time::Duration};

use drivers::{ConnectConfig, Db};
use kit::{FrozenClock, Kit};
use models::ids::RunId;
use orchestrator::{
    Error, Parts, Spine,
    background::remembered,
    handlers::{account, activity},
    ports::Spool,
};
use testkit::{
    Store, Switchboard, TestDatabase, on_both,
    wire::{ANSWER, Line, Stage},
};
use tokio::sync::{Notify, Semaphore};

use crate::{
    agent::{Agent, llm},
    gaps::going_on,
};

/// Only what hangs takes so long.
const HANG: Duration = Duration::from_mins(1);

/// A spool on a disk that makes nothing durable before the test says so.
struct SlowDisk {
    reached: Notify,
    durable: Semaphore,
}

#[async_trait::async_trait]
impl Spool for SlowDisk {
    async fn left(&self) -> io::Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }

    async fn append(&self, _: Vec<u8>) -> io::Result<()> {
        self.reached.notify_one();
        self.durable.acquire().await.map(drop).map_err(io::Error::other)
    }

    async fn written(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    async fn set_aside(&self, _: Vec<u8>) -> io::Result<()> {
        Ok(())
    }

    async fn take_back(&self) -> io::Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }
}

/// A control plane on a store of its own pool, whose spool is that one.
async fn spooling(db: &TestDatabase, spool: Arc<dyn Spool>) -> Kit {
    let store = connected(db).await;
    let clock = Arc::new(FrozenClock::default());
    let spine = Spine::new(Parts {
        clock: Arc::clone(&clock) as Arc<_>,
        spool: Some(spool),
        ..kit::parts(store.clone(), 1)
    });
    account::ensure_installation(&spine).await.unwrap();
    Kit { spine, clock, db: store }
}

async fn connected(db: &TestDatabase) -> Db {
    let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url()) };
    Db::connect(&config).await.unwrap()
}

async fn kill(kit: &Kit, agent: &Agent<'_>, run: RunId) {
    activity::kill(&kit.spine, &agent.admin, run, Some("stop it".to_owned())).await.unwrap();
}

fn killed<T: std::fmt::Debug>(answer: &Result<T, Error>) {
    assert!(matches!(answer, Err(Error::RunKilled { .. })), "{answer:?}");
}

/// Lets everything through until something is held that is meant, and gives that line.
pub(crate) async fn held(board: &Switchboard, is_meant: impl Fn(&Line) -> bool) -> u64 {
    let mut changes = board.changes();
    let meant = async {
        loop {
            for line in board.lines().into_iter().filter(|line| line.stage == Stage::Held) {
                if is_meant(&line) {
                    return line.id;
                }
                board.let_through(line.id);
            }
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(HANG, meant).await.unwrap()
}

/// Lets everything through but an answer that is held, until this is done.
async fn beside_an_answer<T>(board: &Switchboard, what: impl Future<Output = T>) -> T {
    let (mut changes, mut what) = (board.changes(), pin!(what));
    loop {
        for line in board.lines() {
            if line.stage == Stage::Held && line.says != ANSWER {
                board.let_through(line.id);
            }
        }
        tokio::select! {
            done = &mut what => return done,
            seen = changes.changed() => seen.unwrap(),
        }
    }
}

on_both! {
    async fn who_is_let_through_when_another_has_killed_the_run_is_the_last(db: TestDatabase) {
        let disk = Arc::new(SlowDisk { reached: Notify::new(), durable: Semaphore::new(0) });
        let two = Kit::replica(db, 2).await;
        let one = spooling(db, Arc::clone(&disk) as Arc<_>).await;
        let agent = going_on(&one).await;
        let run = agent.start().await;
        let locks = match db.store() {
            Store::Sqlite => "UPDATE tenants SET slug = slug".to_owned(),
            Store::Postgres => format!("SELECT * FROM runs WHERE id = '{}' FOR UPDATE", run.0),
        };
        let stranger = db.stranger(&locks).await;
        let (passed, ()) = tokio::join!(agent.record(run, llm(1)), async {
            disk.reached.notified().await;
            stranger.let_go().await;
            kill(&two, &agent, run).await;
            remembered::tick(&one.spine).await.unwrap();
            disk.durable.add_permits(1);
        });
        assert!(!passed.unwrap().recorded, "it was decided before");
        one.db.close().await;
        killed(&agent.record(run, llm(1)).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hears_late_of_its_commit_does_not_bring_a_killed_run_back() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let (board, two) = (Switchboard::before(&db), Kit::on(&db).await);
    let (wire, clock) = (board.wire(1), Arc::new(FrozenClock::default()));
    let spine = kit::replica(wire.url(), Arc::clone(&clock) as Arc<_>, 1).await;
    let one = Kit { spine, clock, db: connected(&db).await };
    let agent = going_on(&one).await;
    let run = agent.start().await;
    wire.close_gate();
    let (recorded, ()) = tokio::join!(agent.record(run, llm(1)), async {
        let commit = held(&board, |line| line.says.starts_with("COMMIT")).await;
        board.let_through_unanswered(commit);
        held(&board, |line| line.says == ANSWER).await;
        kill(&two, &agent, run).await;
        beside_an_answer(&board, Box::pin(remembered::tick(&one.spine))).await.unwrap();
        wire.open_gate();
    });
    assert!(recorded.unwrap().recorded, "it was in before");
    db.take_away().await;
    killed(&agent.record(run, llm(1)).await);
}
