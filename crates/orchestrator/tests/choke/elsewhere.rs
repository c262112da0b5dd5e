//! What seems to lie in the row of an answer must fail on another connection too, before the answer is kept apart.

use drivers::ConnectConfig;
use kit::{Kit, spooled};
use models::account::FailureMode;
use orchestrator::background::overdue;
use testkit::{Store, TestDatabase};

use crate::{
    agent::llm,
    late::{drained, set, unrecorded},
};

/// The first connection that writes refuses for ever.
const REFUSING: &str = "\
    CREATE SEQUENCE refusing;
    CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NOT (SELECT is_called FROM refusing) THEN
            PERFORM setval('refusing', pg_backend_pid());
        END IF;
        IF (SELECT last_value FROM refusing) = pg_backend_pid() THEN
            RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER refused BEFORE INSERT ON run_segments FOR EACH ROW EXECUTE FUNCTION refused()";

/// How often a session is seen that keeps what failed: more often than one that only passes through it.
const LOOKS: i64 = 8;

/// All connections but one are taken, so whoever lets go of the one that failed before he asks for another is lent the
/// same again, and finds that the row is the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_is_waited_for_while_the_one_that_failed_is_kept() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let agent = set(&kit, FailureMode::Degrade).await;
    let runs = unrecorded(&db, &agent).await;
    db.bring_back().await;
    db.tamper(REFUSING).await.unwrap();
    let mut taken = Vec::new();
    for _ in 1..ConnectConfig::new(db.url()).max_connections {
        taken.push(kit.db.begin().await.unwrap());
    }
    let (tried, ()) = tokio::join!(overdue::tick(&kit.spine), async {
        let keeps = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND state = 'idle in transaction (aborted)'";
        let mut seen = 0;
        for _ in 0..2_000 {
            if seen >= LOOKS || spooled(folder.path()).1 > 0 {
                break;
            }
            seen += db.number(keeps).await;
        }
        drop(taken);
    });
    tried.unwrap();
    drained(&kit, folder.path()).await;
    assert_eq!(spooled(folder.path()), (0, 0), "nothing is kept apart for the sake of one connection");
    db.tamper("DROP TRIGGER refused ON run_segments").await.unwrap();
    for run in runs {
        assert_eq!(agent.run(run).await.step_count, 3);
        assert_eq!(agent.record(run, llm(1)).await.unwrap().step_index, 3, "after those that it was told of");
    }
}
