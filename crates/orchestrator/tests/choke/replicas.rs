//! Two replicas on one store: what one of them read before it locked may be old news.

use chrono::Duration;
use futures::join;
use kit::Kit;
use models::ids::LimitId;
use orchestrator::{
    Error,
    choke::call::{EstimateRequest, PermitRequest},
    handlers::activity,
};
use proof::words::LimitType;
use testkit::{Store, TestDatabase, on_both};

use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    spans::{call, send},
};

/// Leave to use so many tokens.
fn tokens(count: u64, key: &str) -> PermitRequest {
    PermitRequest {
        estimate: EstimateRequest { input_tokens: count, ..EstimateRequest::default() },
        idempotency_key: Some(key.to_owned()),
        ..ask("get_weather")
    }
}

/// What is used and what is reserved of a limit, over all windows.
async fn counted(agent: &Agent<'_>, limit: &str) -> (u64, u64) {
    let limit: LimitId = limit.parse().unwrap();
    let read = agent.kit.db.read().await.unwrap();
    let usage = read.policies().usage_of(agent.ctx.tenant.id, &[limit]).await.unwrap();
    usage.iter().fold((0, 0), |(used, reserved), window| (used + window.used, reserved + window.reserved))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lapsed_permit_is_released_by_whoever_holds_it_alone() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let (one, two) = (Kit::on(&db).await, Kit::replica(&db, 1).await);
    let (a, b) = (Agent::of(&one, "acme").await, Agent::of(&two, "acme").await);
    let limit = a.limit(LimitType::TokensTotal, 100).await;
    let (of_a, of_b) = (a.start().await, b.start().await);
    a.permit(of_a, tokens(40, "first")).await.unwrap();
    one.clock.advance(Duration::seconds(30));
    a.permit(of_a, tokens(50, "second")).await.unwrap();
    one.clock.advance(Duration::seconds(31));
    two.clock.advance(Duration::seconds(61));
    assert_eq!(counted(&a, &limit).await, (0, 90));

    // B has locked the lapsed permit and waits for its window; A reads the permit by the key of a call, and waits
    // behind.
    let stranger = db.stranger("SELECT * FROM limit_usage FOR UPDATE").await;
    let repeats = vec![tool("get_weather"), keyed("first", tool("get_weather"))];
    let (released, behind, ()) = join!(
        b.record(of_b, tool("get_weather")),
        async {
            db.until_blocked(1).await;
            activity::record_batch(&one.spine, &a.ctx, of_a, repeats).await
        },
        async {
            db.until_blocked(2).await;
            stranger.let_go().await;
        },
    );
    released.unwrap();
    let behind = behind.unwrap().answers;
    assert!(matches!(behind[..], [Ok(_), Err(Error::IdempotencyConflict { .. })]), "{behind:?}");

    assert_eq!(counted(&a, &limit).await, (0, 50), "what the second holds is still held");
    refused(a.permit(of_a, tokens(60, "third")).await);
    a.permit(of_a, tokens(50, "fourth")).await.unwrap();
    assert_eq!(counted(&a, &limit).await, (0, 100));
}

/// Each of two finds no window of a limit, and both make it: the second waits for the first, and goes by what that
/// used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_both_use_of_a_new_window_is_counted() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let (one, two) = (Kit::on(&db).await, Kit::replica(&db, 1).await);
    let (a, b) = (Agent::of(&one, "acme").await, Agent::of(&two, "acme").await);
    let limit = a.limit(LimitType::TokensTotal, 100).await;
    let (of_a, of_b) = (a.start().await, b.start().await);
    // A has made the window, and cannot write its step; B finds no window, and waits for A's.
    let stranger = db.stranger("LOCK TABLE run_segments IN EXCLUSIVE MODE").await;
    let (first, second, ()) = join!(
        a.record(of_a, llm(1)),
        async {
            db.until_blocked(1).await;
            b.record(of_b, llm(1)).await
        },
        async {
            db.until_blocked(2).await;
            stranger.let_go().await;
        },
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(counted(&a, &limit).await, (60, 0), "30 each");
    refused(b.permit(of_b, tokens(50, "more than is left")).await);
}

on_both! {
    /// Whether there is such a permit is said with the runs that are remembered, and with those that are not.
    async fn whatever_runs_a_group_goes_on_with_it_releases_what_has_lapsed(db: TestDatabase) {
        let (here, elsewhere) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let agent = Agent::of(&here, "acme").await;
        let other = Agent { kit: &elsewhere, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let limit = agent.limit(LimitType::TokensTotal, 1_000_000).await;
        let run = agent.start().await;
        let goes_on = |seconds: i64| {
            for kit in [&here, &elsewhere] {
                kit.clock.advance(Duration::seconds(seconds));
            }
        };
        for (n, remembered) in (0..).zip([[false, false], [true, true], [true, false], [false, true]]) {
            agent.permit(run, tokens(40, &format!("{n}"))).await.unwrap();
            goes_on(50);
            let traces = [2 * n, 2 * n + 1];
            // Who wrote a run last remembers it.
            for (trace, is_here) in traces.into_iter().zip(remembered) {
                send(if is_here { &agent } else { &other }, &[call(trace, 1)]).await;
            }
            assert_eq!(counted(&agent, &limit).await.1, 40, "{remembered:?}: it serves");
            goes_on(11);
            assert_eq!(send(&agent, &traces.map(|trace| call(trace, 2))).await.count, 0);
            assert_eq!(counted(&agent, &limit).await.1, 0, "{remembered:?}: it has lapsed");
        }
    }

    async fn a_release_is_stored_even_where_nothing_else_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let limit = agent.limit(LimitType::TokensTotal, 100).await;
        let run = agent.start().await;
        let granted = agent.permit(run, tokens(40, "first")).await.unwrap();
        kit.clock.advance(Duration::seconds(61));
        let again = agent.permit(run, tokens(40, "first")).await.unwrap();
        assert_eq!(again, granted, "the repeat leaves nothing of its own");
        assert_eq!(counted(&agent, &limit).await, (0, 0));
        let read = kit.db.read().await.unwrap();
        let permit = read.policies().find_permit(agent.ctx.tenant.id, granted.permit_id).await.unwrap().unwrap();
        assert_eq!(permit.status, models::policies::PermitStatus::Lapsed);
    }

    /// Else each group of the tenant would find it again, and lock it.
    async fn a_permit_that_holds_nothing_lapses_as_well(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let granted = agent.permit(run, tokens(40, "first")).await.unwrap();
        kit.clock.advance(Duration::seconds(61));
        agent.record(run, tool("get_weather")).await.unwrap();
        let read = kit.db.read().await.unwrap();
        let permit = read.policies().find_permit(agent.ctx.tenant.id, granted.permit_id).await.unwrap().unwrap();
        assert_eq!(permit.status, models::policies::PermitStatus::Lapsed);
    }
}
