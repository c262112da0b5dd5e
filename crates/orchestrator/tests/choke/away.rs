//! Answers that were given while the store was away: what tests of them begin with, and that they are written in the
//! end.

use std::{path::Path, time::Duration};

use kit::{Kit, spooled};
use models::{account::FailureMode, ids::RunId};
use orchestrator::{
    CallContext,
    background::overdue,
    handlers::account::{self, SettingsChange},
};
use tempfile::TempDir;
use testkit::{Store, TestDatabase};

use crate::agent::{Agent, llm, tool};

/// An agent whose tenant wants that while the store is away.
pub(crate) async fn set(kit: &Kit, mode: FailureMode) -> Agent<'_> {
    let agent = Agent::of(kit, "acme").await;
    let change = SettingsChange { failure_mode: Some(mode), ..SettingsChange::default() };
    let before = account::settings(&kit.spine, &agent.admin).await.unwrap();
    account::update_settings(&kit.spine, &agent.admin, before.policy_generation, change).await.unwrap();
    Agent::of(kit, "acme").await
}

/// Tries as a server does, until nothing waits in the spool.
pub(crate) async fn drained(kit: &Kit, folder: &Path) {
    for _ in 0..1_000 {
        overdue::tick(&kit.spine).await.unwrap();
        if spooled(folder).0 == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it was never written: {:?}", spooled(folder));
}

/// Two steps of each of two runs were answered while the store was away, and are in the spool. Now it is back.
pub(crate) struct Back {
    pub(crate) kit: Kit,
    pub(crate) folder: TempDir,
    pub(crate) db: TestDatabase,
    pub(crate) runs: [RunId; 2],
    ctx: CallContext,
    admin: CallContext,
}

impl Back {
    /// On Postgres; none where there is none.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let db = TestDatabase::migrated(Store::Postgres).await?;
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(&db, folder.path(), 1).await;
        let agent = set(&kit, FailureMode::Degrade).await;
        let runs = [agent.start().await, agent.start().await];
        for run in runs {
            agent.record(run, llm(1)).await.unwrap();
        }
        db.take_away().await;
        for run in runs {
            for index in [1, 2] {
                let passed = agent.record(run, tool("get_weather")).await.unwrap();
                assert_eq!((passed.recorded, passed.step_index), (false, index));
            }
        }
        db.bring_back().await;
        let Agent { ctx, admin, .. } = agent;
        Some(Self { kit, folder, db, runs, ctx, admin })
    }

    pub(crate) fn agent(&self) -> Agent<'_> {
        Agent { kit: &self.kit, ctx: self.ctx.clone(), admin: self.admin.clone() }
    }

    /// Has Postgres ask this function of each row of a run's records, until [`Self::refuses_no_more`].
    pub(crate) async fn refuses_by(&self, refused: &str) {
        self.refuses_in("run_segments", refused).await;
    }

    /// The same of each row that is written to a table.
    pub(crate) async fn refuses_in(&self, table: &str, refused: &str) {
        let trigger = format!(
            "CREATE TRIGGER refused BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refused()"
        );
        self.db.tamper(&format!("{refused}; {trigger}")).await.unwrap();
    }

    pub(crate) async fn refuses_no_more(&self) {
        self.db.tamper("DROP FUNCTION refused CASCADE").await.unwrap();
    }

    /// How many lines wait in the spool, and how many were set aside.
    pub(crate) fn spooled(&self) -> (usize, usize) {
        spooled(self.folder.path())
    }

    /// As [`drained`].
    pub(crate) async fn drained(&self) {
        drained(&self.kit, self.folder.path()).await;
    }

    /// All that was answered is written, and its runs go on behind it.
    pub(crate) async fn is_written(&self) {
        assert_eq!(self.spooled(), (0, 0), "nothing is kept apart");
        self.refuses_no_more().await;
        let agent = self.agent();
        for run in self.runs {
            assert_eq!(agent.run(run).await.step_count, 3);
            assert_eq!(
                agent.record(run, llm(1)).await.unwrap().step_index,
                3,
                "after those that it was told of"
            );
        }
    }
}
