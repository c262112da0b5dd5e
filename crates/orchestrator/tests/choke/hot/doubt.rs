//! Where nobody knows what became of a commit, or how late it is, a server does not go by what it remembers.

use std::sync::Arc;

use chrono::TimeDelta;
use drivers::{ConnectConfig, Db};
use kit::{FrozenClock, Kit};
use orchestrator::{
    Error, Parts, Spine,
    coordinators::check_memory,
    handlers::{account, system},
};
use proof::words::LimitType;
use testkit::{Store, Switchboard, TestDatabase, wire::Wire};

use super::{at, is_whole};
use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    meanwhile::held,
    remembered::is_stored,
    spans::{call, ingest_from, only_run},
};

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// A COMMIT, on its way to the store.
    Commit,
    /// That it is done.
    Answer,
}

impl Lost {
    /// Which process loses it, and of which tenant.
    fn at(self) -> (u64, &'static str) {
        match self {
            Self::Commit => (1, "acme"),
            Self::Answer => (2, "umbrella"),
        }
    }

    /// How many of two steps are stored where that is lost of the second.
    fn leaves(self) -> u64 {
        match self {
            Self::Commit => 1,
            Self::Answer => 2,
        }
    }
}

/// Servers that reach Postgres by wires of one switchboard, and one that looks at what is stored.
struct Stage {
    looks: Kit,
    board: Switchboard,
    /// Last, so that everybody has left it before it is dropped.
    _db: TestDatabase,
}

impl Stage {
    /// None where there is no Postgres.
    async fn new() -> Option<Self> {
        let db = TestDatabase::migrated(Store::Postgres).await?;
        let board = Switchboard::before(&db);
        Some(Self { looks: Kit::on(&db).await, board, _db: db })
    }

    async fn server(&self, lost: Lost) -> Server {
        let wire = self.board.wire(1);
        let config = ConnectConfig { test: true, max_connections: 4, ..ConnectConfig::new(wire.url()) };
        let db = Db::connect(&config).await.unwrap();
        let clock = Arc::new(FrozenClock::default());
        let spine =
            Spine::new(Parts { clock: Arc::clone(&clock) as Arc<_>, ..kit::parts(db.clone(), lost.at().0) });
        account::ensure_installation(&spine).await.unwrap();
        Server { kit: Kit { spine, clock, db }, wire, lost }
    }

    /// Asks while the server's next COMMIT is lost. Whoever asked is told that nobody knows, and nothing is remembered.
    async fn in_doubt<T: std::fmt::Debug>(
        &self,
        Server { kit, wire, lost }: &Server,
        agent: &Agent<'_>,
        asks: impl Future<Output = Result<T, Error>>,
    ) {
        wire.close_gate();
        let (told, ()) = tokio::join!(asks, async {
            let commit = held(&self.board, |line| line.says.starts_with("COMMIT")).await;
            match lost {
                Lost::Commit => self.board.lose(commit),
                Lost::Answer => self.board.let_through_unheard(commit),
            }
            wire.open_gate();
        });
        assert!(matches!(told, Err(Error::CommitUnknown(_))), "{lost:?}: {told:?}");
        let compared = check_memory::compare_next(&kit.spine, agent.admin.tenant.id, None).await.unwrap();
        assert_eq!(compared.runs, 0, "{lost:?}: it is read again");
    }
}

/// A server, and what of it is lost.
struct Server {
    kit: Kit,
    wire: Wire,
    lost: Lost,
}

impl Server {
    /// An agent of a tenant that no other server has.
    async fn agent(&self) -> Agent<'_> {
        Agent::of(&self.kit, self.lost.at().1).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_from_what_the_store_has_whatever_became_of_its_last_commit() {
    let Some(stage) = Stage::new().await else { return };
    for lost in [Lost::Commit, Lost::Answer] {
        let server = stage.server(lost).await;
        let agent = server.agent().await;
        let run = agent.start().await;
        agent.record(run, keyed("a", tool("read"))).await.unwrap();
        is_stored(&agent, "before").await;
        stage.in_doubt(&server, &agent, Box::pin(agent.record(run, keyed("b", llm(1))))).await;
        assert_eq!(at(&stage.looks, &agent).run(run).await.step_count, lost.leaves(), "{lost:?}");
        for (key, report, index) in
            [("b", llm(1), 1), ("c", llm(1), 2), ("b", llm(1), 1), ("a", tool("read"), 0)]
        {
            assert_eq!(
                agent.record(run, keyed(key, report)).await.unwrap().step_index,
                index,
                "{lost:?}, {key}"
            );
        }
        let other = agent.record(run, keyed("b", llm(2))).await;
        assert!(matches!(other, Err(Error::IdempotencyConflict { .. })), "{lost:?}: {other:?}");
        is_stored(&agent, "it is remembered again").await;
        is_whole(&agent, run, 3).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_does_a_trace() {
    let Some(stage) = Stage::new().await else { return };
    for lost in [Lost::Commit, Lost::Answer] {
        let server = stage.server(lost).await;
        let agent = &server.agent().await;
        let spanned = async |id| ingest_from(agent, "researcher", &[call(1, id)]).await;
        spanned(1).await.unwrap();
        is_stored(agent, "before").await;
        stage.in_doubt(&server, agent, Box::pin(spanned(2))).await;
        assert_eq!(only_run(&at(&stage.looks, agent)).await.step_count, lost.leaves(), "{lost:?}");
        for (id, steps) in [(2, 2), (3, 3), (2, 3), (1, 3)] {
            assert_eq!(spanned(id).await.unwrap().rejected.count, 0);
            let run = only_run(agent).await;
            assert_eq!((run.step_count, run.input_tokens), (steps, steps * 21), "{lost:?}, {id}");
        }
        is_stored(agent, "it is remembered again").await;
    }
}

/// What is remembered of the permits of a run has let go of what lapsed by that clock.
#[tokio::test]
async fn leave_that_may_not_have_lapsed_holds_what_it_held() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&db).await;
    kit.clock.set(kit::time::beginning());
    system::look_at_clock(&kit.spine).await.unwrap();
    let agent = Agent::of(&kit, "acme").await;
    agent.limit(LimitType::RunSteps, 4).await;
    let run = agent.start().await;
    agent.permit(run, ask("read")).await.unwrap();
    agent.record(run, tool("read")).await.unwrap();
    is_stored(&agent, "a permit and a step").await;

    kit.clock.set(kit::time::beginning() + TimeDelta::minutes(10));
    system::look_at_clock(&kit.spine).await.unwrap();
    for _ in 0..2 {
        agent.permit(run, ask("read")).await.unwrap();
    }
    refused(agent.permit(run, ask("read")).await);
    kit.clock.advance(TimeDelta::seconds(61));
    for _ in 0..3 {
        agent.permit(run, ask("read")).await.unwrap();
    }
    refused(agent.permit(run, ask("read")).await);
    is_stored(&agent, "all have lapsed that were granted before").await;
}
