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

use crate::agent::{Agent, ask, keyed, refused, tool};

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

on_both! {
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
