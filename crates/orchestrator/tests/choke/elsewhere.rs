//! What seems to lie in the row of an answer must fail on another connection too, before the answer is kept apart.

use drivers::ConnectConfig;
use orchestrator::background::overdue;

use crate::away::Back;

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
    END $$";

/// How often a session is seen that keeps what failed: more often than one that only passes through it.
const LOOKS: i64 = 8;

/// All connections but one are taken, so whoever lets go of the one that failed before he asks for another is lent the
/// same again, and finds that the row is the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_is_waited_for_while_the_one_that_failed_is_kept() {
    Box::pin(refused_in("run_segments")).await;
}

/// What is counted comes behind all else, and is a row as any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn also_where_what_failed_is_what_is_counted() {
    Box::pin(refused_in("counters")).await;
}

async fn refused_in(table: &str) {
    let Some(back) = Back::on_postgres().await else { return };
    back.refuses_in(table, REFUSING).await;
    let (kit, db) = (&back.kit, &back.db);
    let mut taken = Vec::new();
    for _ in 1..ConnectConfig::new(db.url()).max_connections {
        taken.push(kit.db.begin().await.unwrap());
    }
    let (tried, ()) = tokio::join!(overdue::tick(&kit.spine), async {
        let keeps = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND state = 'idle in transaction (aborted)'";
        let mut seen = 0;
        for _ in 0..2_000 {
            if seen >= LOOKS || back.spooled().1 > 0 {
                break;
            }
            seen += db.number(keeps).await;
        }
        assert!(seen >= LOOKS || back.spooled().1 > 0, "the one that failed was seen {seen} times");
        drop(taken);
    });
    tried.unwrap();
    back.drained().await;
    // Nothing is kept apart for the sake of one connection.
    back.is_written().await;
}
