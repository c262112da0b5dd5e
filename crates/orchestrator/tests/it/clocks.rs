//! A clock that is not the store's, or that jumps: nothing is ended by it.

use std::time::{Duration as Wait, Instant};

use chrono::Duration;
use kit::{Kit, limit};
use models::activity::RunState;
use orchestrator::{
    CallContext, Error,
    background::{outages::Outages, sweeper},
    choke::call::StartRun,
    handlers::{
        activity, policies,
        system::{self, NotReady},
    },
};
use proof::words::LimitType;
use testkit::{Store, TestDatabase};

use crate::agent::Agent;

/// Only a hang takes so long.
const DEADLINE: Wait = Wait::from_mins(1);

#[tokio::test]
async fn a_clock_that_jumps_ends_no_run() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&database).await;
    let agent = Agent::of(&kit, "acme").await;
    kit.clock.set(kit::time::beginning());
    let run = agent.start().await;
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "nothing is due");
    for jump in [Duration::days(1), -Duration::days(40), Duration::days(400)] {
        kit.clock.set(orchestrator::Clock::now(&*kit.clock) + jump);
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "{jump}");
        system::readyz(&kit.spine).await.unwrap();
    }
    kit.clock.advance(Duration::minutes(59));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "it may still speak");
    assert_eq!(activity::get(&kit.spine, &agent.ctx, run).await.unwrap().state, RunState::Live);
    kit.clock.advance(Duration::minutes(2));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "it was silent for an hour");
}

#[tokio::test]
async fn a_start_far_from_the_newest_leaf_gives_up_no_run() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&database).await;
    let agent = Agent::of(&kit, "acme").await;
    let run = agent.start().await;
    // It comes up again with a clock that is two days ahead; or it was away for two days. Nobody could speak meanwhile.
    kit.clock.set(kit::time::beginning() + Duration::days(2));
    system::look_at_clock(&kit.spine).await.unwrap();
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0);
    system::readyz(&kit.spine).await.unwrap();
    kit.clock.advance(Duration::minutes(59));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "it may still speak");
    assert_eq!(activity::get(&kit.spine, &agent.ctx, run).await.unwrap().state, RunState::Live);
    kit.clock.advance(Duration::minutes(2));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "it was silent for an hour");
}

#[tokio::test]
async fn a_start_counts_no_silence_of_before_it() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&database).await;
    let agent = Agent::of(&kit, "acme").await;
    agent.start().await;
    // Away for less than a run may be silent.
    kit.clock.set(kit::time::beginning() + Duration::minutes(50));
    system::look_at_clock(&kit.spine).await.unwrap();
    for minutes in [0, 11, 48] {
        kit.clock.advance(Duration::minutes(minutes));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "nobody could speak for most of the time");
    }
    kit.clock.advance(Duration::minutes(1));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "it was silent for an hour");
}

/// The same where the store has the time, and where the store was away and not its servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_silent_to_a_server_that_could_not_hear() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&database).await;
    // Of long ago, by the store's clock.
    Agent::of(&kit, "acme").await.start().await;
    at_the_stores_time(&kit).await;
    let outages = Outages::default();
    database.take_away().await;
    let away = outages.tick(&kit.spine).await.unwrap_err();
    assert!(matches!(away, Error::Unavailable(_)), "{away}");
    database.bring_back().await;
    outages.tick(&kit.spine).await.unwrap();
    at_the_stores_time(&kit).await;
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "the store is back just now");

    kit.clock.advance(Duration::minutes(61));
    system::look_at_clock(&kit.spine).await.unwrap();
    at_the_stores_time(&kit).await;
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "the server is there just now");
    kit.clock.advance(Duration::minutes(61));
    let begun = Instant::now();
    loop {
        kit.clock.set(kit.db.now().await.unwrap().unwrap());
        match sweeper::tick(&kit.spine).await.unwrap() {
            0 => assert!(begun.elapsed() < DEADLINE, "what was silent for an hour is not ended"),
            ended => break assert_eq!(ended, 1),
        }
    }
}

/// Sets the clock by the store's, until it is told to be right: by the time that it is looked at, the store's has gone
/// on.
async fn at_the_stores_time(kit: &Kit) {
    let begun = Instant::now();
    loop {
        kit.clock.set(kit.db.now().await.unwrap().unwrap());
        match system::readyz(&kit.spine).await {
            Ok(()) => return,
            Err(why) => assert!(begun.elapsed() < DEADLINE, "{why}"),
        }
    }
}

#[tokio::test]
async fn a_start_far_from_the_newest_leaf_forgets_no_answer() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&database).await;
    let agent = Agent::of(&kit, "acme").await;
    let [makes, kills] = ["makes", "kills"]
        .map(|key| CallContext { idempotency_key: Some(key.to_owned()), ..agent.admin.clone() });
    let (killed, other) = (agent.start().await, agent.start().await);
    let make = || policies::create_limit(&kit.spine, &makes, limit(LimitType::CostUsd, 5));
    let first = make().await.unwrap();
    activity::kill(&kit.spine, &kills, killed, None).await.unwrap();
    kit.clock.set(kit::time::beginning() + Duration::days(2));
    system::look_at_clock(&kit.spine).await.unwrap();
    let again = make().await.unwrap();
    assert_eq!(again.limit.definition.limit_id, first.limit.definition.limit_id, "it is not made twice");
    let taken = activity::kill(&kit.spine, &kills, other, None).await.unwrap_err();
    assert!(matches!(taken, Error::IdempotencyConflict { .. }), "{taken}");
    kit.clock.advance(Duration::minutes(61));
    activity::kill(&kit.spine, &kills, other, None).await.unwrap();
}

#[tokio::test]
async fn an_embedded_store_that_reaches_into_the_future_is_told_until_that_has_come() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&database).await;
    Agent::of(&kit, "acme").await.start().await;
    kit.clock.set(kit::time::beginning() - Duration::days(2));
    system::look_at_clock(&kit.spine).await.unwrap();
    let not_ready = system::readyz(&kit.spine).await.unwrap_err();
    assert!(
        matches!(&not_ready, NotReady::Clock(why) if why.contains("reach into the future")),
        "{not_ready}"
    );
    let told = system::logs_ahead(&kit.spine).await.unwrap();
    assert!(told.is_some_and(|told| told.contains("172800 s ahead")));
    kit.clock.advance(Duration::days(2));
    system::readyz(&kit.spine).await.unwrap();
    assert_eq!(system::logs_ahead(&kit.spine).await.unwrap(), None);
}

#[tokio::test]
async fn a_clock_that_is_not_the_stores_begins_and_ends_no_run() {
    let Some(database) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&database).await;
    let agent = Agent::of(&kit, "acme").await;
    // Of long ago, by the store's clock.
    let run = agent.start().await;
    for off in [Duration::days(1), Duration::milliseconds(61_500), -Duration::hours(2)] {
        kit.clock.set(kit.db.now().await.unwrap().unwrap() + off);
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "{off}");
        let not_ready = system::readyz(&kit.spine).await.unwrap_err();
        let how = if off > Duration::zero() { "ahead of" } else { "behind" };
        assert!(matches!(&not_ready, NotReady::Clock(why) if why.contains(how)), "{not_ready}");
        let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
        let refused = activity::start(&kit.spine, &agent.ctx, request).await.unwrap_err();
        assert!(matches!(refused, Error::ClockOff(_)), "{refused}");
    }
    at_the_stores_time(&kit).await;
    agent.start().await;
    let begun = Instant::now();
    loop {
        kit.clock.set(kit.db.now().await.unwrap().unwrap());
        match sweeper::tick(&kit.spine).await.unwrap() {
            0 => assert!(begun.elapsed() < DEADLINE, "what was silent for months is not ended"),
            ended => break assert_eq!(ended, 1),
        }
    }
    assert_eq!(activity::get(&kit.spine, &agent.ctx, run).await.unwrap().state, RunState::Completed);
}
