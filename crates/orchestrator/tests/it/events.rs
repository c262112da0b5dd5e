//! Streams of events: who may have how many, what they cost while nothing happens, and what wakes them.

use std::time::{Duration, Instant};

use kit::Kit;
use models::account::Role;
use orchestrator::{
    CallContext, Error, Settings, Spine,
    choke::call::StartRun,
    handlers::{
        account::{self, SystemCaller},
        activity::{self, RunEvent, RunPlace, TenantEvent, TenantEvents},
    },
};
use proof::keys::SigningKey;
use testkit::{Store, TestDatabase, on_both};

/// Who sends so little in it is quiet.
const LONG: Duration = Duration::from_secs(10);

async fn tuned(db: &TestDatabase, max_streams: usize) -> Kit {
    let settings = Settings { installation: "test".to_owned(), max_streams, ..Settings::default() };
    Kit::with(db, settings).await
}

async fn follow(spine: &Spine, ctx: &CallContext) -> Result<TenantEvents, Error> {
    activity::tenant_events(spine, ctx, None).await
}

/// Opens streams until there are no more for the caller; gives how many are open then.
async fn take_all(kit: &Kit, ctx: &CallContext, open: &mut Vec<TenantEvents>) -> usize {
    loop {
        match follow(&kit.spine, ctx).await {
            Ok(stream) => open.push(stream),
            Err(err) => {
                assert!(matches!(err, Error::Busy), "{err}");
                return open.len();
            }
        }
    }
}

fn start(agent: &str) -> StartRun {
    StartRun { agent_id: agent.to_owned(), ..StartRun::default() }
}

#[tokio::test]
async fn nobody_takes_the_streams_of_others() {
    let db = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
    let kit = tuned(&db, 8).await;
    let (greedy, beside) = (kit.caller("acme", Role::Agent).await, kit.caller("acme", Role::Agent).await);
    let third = kit.caller("acme", Role::Viewer).await;
    let stranger = kit.caller("other", Role::Agent).await;
    let mut open = Vec::new();
    assert_eq!(take_all(&kit, &greedy, &mut open).await, 2, "a key has a quarter");
    assert_eq!(take_all(&kit, &beside, &mut open).await, 4, "another key of the tenant has one of its own");
    assert_eq!(take_all(&kit, &third, &mut open).await, 4, "a tenant has half");
    assert_eq!(take_all(&kit, &stranger, &mut open).await, 6, "another tenant has what is its own");
    // A place is given back when the stream is over.
    drop(open.remove(0));
    assert_eq!(take_all(&kit, &greedy, &mut open).await, 6);
}

on_both! {
    async fn streams_that_are_quiet_share_one_look(db: TestDatabase) {
        let kit = tuned(db, 400).await;
        let viewer = kit.caller("acme", Role::Viewer).await;
        let agent = kit.caller("acme", Role::Agent).await;
        let mut readers = tokio::task::JoinSet::new();
        for n in 0..100 {
            let run = activity::start(&kit.spine, &agent, start(&format!("agent-{n}"))).await.unwrap().run;
            let mut one = activity::events(&kit.spine, &agent, run.id, RunPlace::Beginning).await.unwrap().unwrap();
            let mut all = follow(&kit.spine, &viewer).await.unwrap();
            readers.spawn(async move { drop(one.next().await) });
            readers.spawn(async move { drop(all.next().await) });
        }
        // Some of the second kind are told of the runs that began after them, and are through; the others wait.
        let begun = Instant::now();
        loop {
            // A hundred looks of the readers' own every quarter of a second would send so many in no time.
            let (before, since) = (kit.db.statements(), Instant::now());
            while kit.db.statements() - before < 50 && since.elapsed() < LONG {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if since.elapsed() >= LONG / 20 {
                break;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "50 statements in {:?}", since.elapsed());
        }
    }

    async fn what_a_log_says_of_itself_is_no_event_and_has_a_number(db: TestDatabase) {
        let kit = tuned(db, 100).await;
        let other = tuned(db, 100).await;
        let agent = kit.caller("acme", Role::Agent).await;
        let mut all = follow(&kit.spine, &agent).await.unwrap();
        let mut next = async || {
            let run = activity::start(&kit.spine, &agent, start("researcher")).await.unwrap().run;
            let next = tokio::time::timeout(Duration::from_mins(1), all.next()).await.unwrap().unwrap();
            let (number, event) = next.unwrap();
            assert!(matches!(&event, TenantEvent::Opened { run_id, .. } if *run_id == run.id), "{number} {event:?}");
            number
        };
        assert_eq!(next().await, 0);
        let (new, by) = (SigningKey::from_seed(&[4; 32]).public(), SystemCaller { name: "test".to_owned() });
        account::rotate_signing_key(&kit.spine, &new, &by).await.unwrap();
        assert_eq!(next().await, 2, "the log says in leaf 1 that another key signs");
        assert_eq!(next().await, 3);
        // Behind the first event, from a server that has seen none of it.
        let mut again = activity::tenant_events(&other.spine, &agent, Some(0)).await.unwrap();
        for number in [2, 3] {
            assert_eq!(again.next().await.unwrap().map(|(number, _)| number), Some(number));
        }
    }

    async fn who_names_an_event_that_is_not_there_is_told_of_those_that_come(db: TestDatabase) {
        let kit = tuned(db, 100).await;
        let agent = kit.caller("acme", Role::Agent).await;
        for (number, after) in [(0, 0), (1, 1), (2, 999), (3, u64::MAX)] {
            let mut all = activity::tenant_events(&kit.spine, &agent, Some(after)).await.unwrap();
            let run = activity::start(&kit.spine, &agent, start("researcher")).await.unwrap().run;
            let next = tokio::time::timeout(Duration::from_mins(1), all.next()).await.unwrap().unwrap();
            assert!(matches!(&next, Some((told, TenantEvent::Opened { run_id, .. }))
                if *told == number && *run_id == run.id), "{after}: {next:?}");
        }
    }

    async fn a_stream_ends_where_the_store_fell_back(db: TestDatabase) {
        let kit = tuned(db, 100).await;
        let agent = kit.caller("acme", Role::Agent).await;
        let mut all = follow(&kit.spine, &agent).await.unwrap();
        let mut next = async || tokio::time::timeout(Duration::from_mins(1), all.next()).await.unwrap().unwrap();
        activity::start(&kit.spine, &agent, start("researcher")).await.unwrap();
        assert!(matches!(next().await, Some((0, _))));
        db.disarm("log_heads").await;
        db.tamper("DELETE FROM log_heads").await.unwrap();
        assert_eq!(next().await, None, "who reads is to come again");
    }

    async fn a_kill_is_told_while_others_take_every_turn_to_read(db: TestDatabase) {
        let kit = tuned(db, 100).await;
        let (agent, admin) = (kit.caller("acme", Role::Agent).await, kit.caller("acme", Role::Admin).await);
        let run = activity::start(&kit.spine, &agent, start("researcher")).await.unwrap().run;
        let mut turns = Vec::new();
        while let Ok(Ok(turn)) = tokio::time::timeout(Duration::from_secs(1), kit.db.read()).await {
            turns.push(turn);
        }
        assert!(!turns.is_empty());
        let mut one = activity::events(&kit.spine, &agent, run.id, RunPlace::Beginning).await.unwrap().unwrap();
        activity::kill(&kit.spine, &admin, run.id, None).await.unwrap();
        let first = tokio::time::timeout(Duration::from_mins(1), one.next()).await.unwrap().unwrap();
        assert!(matches!(first, Some(RunEvent::Killed(..))), "{first:?}");
    }

    async fn a_kill_wakes_its_agent_and_nothing_is_lost_or_told_twice(db: TestDatabase) {
        let kit = tuned(db, 100).await;
        let (agent, admin) = (kit.caller("acme", Role::Agent).await, kit.caller("acme", Role::Admin).await);
        let mut all = follow(&kit.spine, &agent).await.unwrap();
        let run = activity::start(&kit.spine, &agent, start("researcher")).await.unwrap().run;
        let mut one = activity::events(&kit.spine, &agent, run.id, RunPlace::Beginning).await.unwrap().unwrap();
        let heard = tokio::spawn(async move {
            let first = one.next().await.unwrap();
            (first, one)
        });
        // Whether it waits already or not: it hears.
        activity::kill(&kit.spine, &admin, run.id, None).await.unwrap();
        let (first, mut one) = tokio::time::timeout(Duration::from_mins(1), heard).await.unwrap().unwrap();
        assert!(matches!(first, Some(RunEvent::Killed(..))), "{first:?}");
        assert!(one.next().await.unwrap().is_none());
        let (opened, sealed) = (all.next().await.unwrap().unwrap(), all.next().await.unwrap().unwrap());
        assert!(matches!(opened, (0, TenantEvent::Opened { run_id, .. }) if run_id == run.id), "{opened:?}");
        assert!(matches!(sealed, (1, TenantEvent::Sealed { run_id, .. }) if run_id == run.id), "{sealed:?}");
        // Behind the first event, from a server that has seen none of it.
        let other = tuned(db, 100).await;
        let mut again = activity::tenant_events(&other.spine, &agent, Some(0)).await.unwrap();
        assert_eq!(again.next().await.unwrap(), Some(sealed));
    }
}
