//! Counters: what lists and Overview show is what there is, and a counter that is wrong is found, named and mended.

use std::cell::Cell;

use chrono::Duration;
use kit::Kit;
use models::{
    activity::{RiskLevel, RunFilter, RunState},
    counters::Miscount,
    ids::TenantId,
    logs::LlmRunFilter,
    page::PageRequest,
};
use orchestrator::{
    Error, Spine,
    background::{checker::Checker, stalls},
    coordinators::check_counters,
    handlers::{activity, logs, overview},
};
use proof::words::{EnforcementMode, RunStatus};
use testkit::{Store, TestDatabase, on_both};

use crate::{
    agent::{Agent, llm, refused},
    tampering::{failures, pass},
};

/// Runs that end in every way, and calls on two days.
async fn something_of_everything(kit: &Kit, agent: &Agent<'_>) {
    agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
    agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 900000").await;
    let [sealed, killed, open] = [agent.start().await, agent.start().await, agent.start().await];
    for run in [sealed, killed, open] {
        agent.record(run, llm(7)).await.unwrap();
    }
    refused(agent.record(open, llm(600_000)).await);
    refused(agent.record(killed, llm(950_000)).await);
    agent.complete(sealed).await.unwrap();
    kit.clock.advance(Duration::hours(30));
    let late = agent.start().await;
    agent.record(late, llm(11)).await.unwrap();
    stalls::tick(&kit.spine).await.unwrap();
}

/// What `hoc doctor --recount` does.
async fn recount(spine: &Spine, tenant: TenantId) -> Result<Vec<Miscount>, Error> {
    check_counters::recount(spine, tenant, &|_| ()).await
}

on_both! {
    async fn overview_contradicts_no_list(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        something_of_everything(&kit, &agent).await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let page = PageRequest::new(Some(200), None, true).unwrap();
        let listed = async |filter: RunFilter| {
            let found = activity::list(spine, admin, filter.clone(), page).await.unwrap();
            assert_eq!(found.total, Some(found.items.len() as u64), "{filter:?}");
            found.items.len() as u64
        };
        let f = RunFilter::default;
        let shown = overview::highlights(spine, admin).await.unwrap();
        let of_activity = shown.domain_counts.iter().find(|line| line.domain == "Activity").unwrap();
        assert_eq!(of_activity.total, listed(f()).await);
        assert_eq!(of_activity.pending, listed(RunFilter { state: Some(RunState::Live), ..f() }).await);
        assert_eq!(of_activity.critical, listed(RunFilter { risk_level: Some(RiskLevel::Violated), ..f() }).await);
        assert_eq!(shown.pulse.live_runs, of_activity.pending);
        assert_eq!(of_activity.total, 4);
        for status in RunStatus::ALL {
            listed(RunFilter { status: Some(*status), agent_id: Some("researcher".to_owned()), ..f() }).await;
            listed(RunFilter { status: Some(*status), risk: Some(true), ..f() }).await;
            listed(RunFilter { status: Some(*status), started_after: Some(spine.now() - Duration::hours(29)), ..f() }).await;
        }
        let calls = logs::list_llm_runs(spine, admin, LlmRunFilter::default(), page).await.unwrap();
        assert_eq!(calls.total, Some(calls.items.len() as u64));
        let costs = overview::costs(spine, admin, Some(spine.now() - Duration::days(7)), Some(spine.now() + Duration::seconds(1)));
        let spent = costs.await.unwrap().spent;
        assert_eq!(spent.calls, calls.items.len() as u64);
        let trend = overview::costs_trend(spine, admin, None, None).await.unwrap();
        let days = trend.by_day.iter().filter(|day| day.spent.calls > 0).count();
        assert_eq!(days, 2, "thirty hours lie between them");
        for of in [
            trend.by_day.iter().map(|day| day.spent.cost_nanousd).sum::<u64>(),
            trend.by_model.iter().map(|model| model.spent.cost_nanousd).sum(),
            trend.by_agent.iter().map(|agent| agent.spent.cost_nanousd).sum(),
        ] {
            assert_eq!(of, spent.cost_nanousd);
        }
        assert_eq!(check_counters::miscounts(spine, admin.tenant.id).await.unwrap(), []);
    }

    async fn a_counter_that_is_wrong_is_an_incident_that_names_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        something_of_everything(&kit, &agent).await;
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "nothing was changed yet");

        db.tamper("UPDATE counters SET number = number + 1 WHERE counted = 'AGENT_RUNS' AND part = ''").await.unwrap();
        pass(&kit, &checker).await;
        pass(&kit, &checker).await;
        let found = failures(&agent).await;
        assert_eq!(found.iter().map(|one| one.cause_key.as_str()).collect::<Vec<_>>(), ["counters/AGENT_RUNS"]);
        let said = &found[0].description;
        assert!(said.contains("researcher") && said.contains("too high") && said.contains("--recount"), "{said}");

        let (spine, tenant) = (&kit.spine, agent.admin.tenant.id);
        assert!(!check_counters::miscounts(spine, tenant).await.unwrap().is_empty());
        assert!(!recount(spine, tenant).await.unwrap().is_empty());
        assert_eq!(check_counters::miscounts(spine, tenant).await.unwrap(), []);
        assert_eq!(recount(spine, tenant).await.unwrap(), [], "there is nothing to mend any more");
    }

    async fn a_counter_of_no_day_keeps_nobody_from_looking_at_the_others(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        something_of_everything(&kit, &agent).await;
        db.tamper(
            "INSERT INTO counters SELECT tenant_id, counted, '2031-13-77', cell, shard, part, kind, 1, 0, 0, 0, 0, 0, 0, 0 \
             FROM counters WHERE counted = 'RUNS_OF_DAY' AND place = (SELECT MIN(place) FROM counters WHERE counted = 'RUNS_OF_DAY')",
        )
        .await
        .unwrap();
        db.tamper("UPDATE counters SET number = number + 1 WHERE counted = 'AGENT_RUNS'").await.unwrap();
        pass(&kit, &Checker::default()).await;
        let found = failures(&agent).await;
        let causes: Vec<&str> = found.iter().map(|one| one.cause_key.as_str()).collect();
        assert_eq!(causes, ["counters/AGENT_RUNS", "counters/RUNS_OF_DAY"]);
        let said = &found[1].description;
        assert!(said.contains("2031-13-77") && said.contains("it is of no day"), "{said}");
        let (spine, tenant) = (&kit.spine, agent.admin.tenant.id);
        recount(spine, tenant).await.unwrap();
        assert_eq!(check_counters::miscounts(spine, tenant).await.unwrap(), []);
    }

    async fn what_came_to_nothing_is_deleted_when_its_day_is_over(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(7)).await.unwrap();
        agent.complete(run).await.unwrap();
        let empty = "SELECT COUNT(*) FROM counters WHERE number = 0 AND counted = 'RUNS_OF_DAY'";
        assert!(db.number(empty).await > 0, "nothing is left of how it stood while it was live");
        kit.clock.advance(Duration::hours(30));
        pass(&kit, &Checker::default()).await;
        assert_eq!(db.number(empty).await, 0);
        assert_eq!(failures(&agent).await, []);
        assert_eq!(check_counters::miscounts(&kit.spine, agent.admin.tenant.id).await.unwrap(), []);
    }

    /// What was found was thrown away, and the round looked at again, until nothing was left to delete.
    async fn what_is_wrong_is_told_before_all_is_deleted_that_came_to_nothing(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.complete(run).await.unwrap();
        kit.clock.advance(Duration::hours(30));
        // More than one piece deletes, of agents that nobody calls any more.
        db.tamper(
            "INSERT INTO counters WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10100) \
             SELECT c.tenant_id, c.counted, 'agent' || n.i, c.cell, c.shard, c.part, c.kind, 0, 0, 0, 0, 0, 0, 0, 0 \
             FROM n, (SELECT * FROM counters WHERE counted = 'AGENT_RUNS_OF_DAY' LIMIT 1) AS c",
        )
        .await
        .unwrap();
        db.tamper("UPDATE counters SET number = number + 1 WHERE counted = 'RUNS_OF_DAY'").await.unwrap();
        let left = async || {
            db.number("SELECT COUNT(*) FROM counters WHERE number = 0 AND counted = 'AGENT_RUNS_OF_DAY'").await
        };
        let checker = Checker::default();
        while failures(&agent).await.is_empty() {
            assert!(checker.tick(&kit.spine).await.unwrap(), "the pass tells of it");
        }
        assert!((1..10_100).contains(&left().await), "one piece has deleted, and the next ones go on with it");
        pass(&kit, &checker).await;
        assert_eq!(left().await, 0);
    }

    async fn who_writes_all_the_while_counters_are_mended_is_counted(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        something_of_everything(&kit, &agent).await;
        let (spine, tenant) = (&kit.spine, agent.admin.tenant.id);
        for planted in [
            "UPDATE counters SET number = number + 1",
            "DELETE FROM counters",
            "UPDATE counters SET number = 9223372036854775807",
        ] {
            db.tamper(planted).await.unwrap();
            let is_over = Cell::new(false);
            let writes = async {
                let mut written = 0;
                while written == 0 || !is_over.get() {
                    let run = agent.start().await;
                    agent.record(run, llm(3)).await.unwrap();
                    agent.complete(run).await.unwrap();
                    written += 1;
                }
                written
            };
            let mends = async {
                let mended = recount(spine, tenant).await.unwrap();
                is_over.set(true);
                mended
            };
            let (written, mended) = tokio::join!(writes, mends);
            assert!(written > 0 && !mended.is_empty());
            assert_eq!(check_counters::miscounts(spine, tenant).await.unwrap(), [], "{planted}");
        }
    }

    async fn two_who_mend_counters_at_once_mend_them_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        something_of_everything(&kit, &agent).await;
        let (other, tenant) = (Kit::replica(db, 2).await, agent.admin.tenant.id);
        for planted in [
            "UPDATE counters SET number = number + 1",
            "DELETE FROM counters",
            "UPDATE counters SET number = 9223372036854775807",
        ] {
            db.tamper(planted).await.unwrap();
            let both = [&kit.spine, &other.spine].map(|spine| recount(spine, tenant));
            for mended in futures::future::join_all(both).await {
                mended.unwrap();
            }
            if db.store() == Store::Sqlite {
                // It has no lock for two of them: what both did, the next one mends.
                recount(&kit.spine, tenant).await.unwrap();
            }
            assert_eq!(check_counters::miscounts(&kit.spine, tenant).await.unwrap(), [], "{planted}");
        }
    }
}

/// Each read is over when the next begins, where nothing is held for others to wait.
#[tokio::test]
async fn one_connection_to_an_embedded_store_is_enough_to_mend_counters() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::narrow(db.url()).await;
    let agent = Agent::of(&kit, "acme").await;
    something_of_everything(&kit, &agent).await;
    db.tamper("UPDATE counters SET number = number + 1").await.unwrap();
    let tenant = agent.admin.tenant.id;
    assert!(!recount(&kit.spine, tenant).await.unwrap().is_empty());
    assert_eq!(check_counters::miscounts(&kit.spine, tenant).await.unwrap(), []);
}
