//! Windows of limits: none opens twice by a change of zone, and those that are over are forgotten.

use std::sync::Arc;

use chrono::TimeDelta;
use kit::{Kit, limit};
use models::policies::LimitDraft;
use orchestrator::{
    background::windows,
    handlers::account::{self, SettingsChange},
};
use proof::words::{LimitType, ResetPeriod};
use testkit::on_both;

use crate::agent::{Agent, ask, refused, tool};

async fn daily_steps(agent: &Agent<'_>, max: u64) {
    let draft = LimitDraft { reset_period: Some(ResetPeriod::Daily), ..limit(LimitType::Steps, max) };
    agent.limit_as(draft).await;
}

async fn move_to(agent: &Agent<'_>, zone: &str) {
    let change = SettingsChange { time_zone: Some(zone.to_owned()), ..SettingsChange::default() };
    let before = account::settings(&agent.kit.spine, &agent.admin).await.unwrap();
    account::update_settings(&agent.kit.spine, &agent.admin, before.settings_version, change).await.unwrap();
}

on_both! {
    async fn a_change_of_zone_opens_no_budget_twice(db: TestDatabase) {
        let kit = Kit::on(db).await;
        // Whatever the time is, the date is another than UTC's in one of them.
        for (tenant, zone) in [("east", "Pacific/Kiritimati"), ("west", "Pacific/Midway")] {
            let mut agent = Agent::of(&kit, tenant).await;
            daily_steps(&agent, 2).await;
            let run = agent.start().await;
            for _ in 0..2 {
                agent.record(run, tool("search")).await.unwrap();
            }
            refused(agent.record(run, tool("search")).await);
            move_to(&agent, zone).await;
            // With the settings as the next call reads them.
            let fresh = Agent::of(&kit, tenant).await;
            agent.ctx.tenant = Arc::clone(&fresh.ctx.tenant);
            let new = fresh.start().await;
            refused(fresh.record(new, tool("search")).await);
            refused(fresh.permit(new, ask("search")).await);
            refused(agent.record(run, tool("search")).await);
            // The next day is one day for runs from before and after the change.
            kit.clock.advance(TimeDelta::days(3));
            agent.record(run, tool("search")).await.unwrap();
            fresh.record(new, tool("search")).await.unwrap();
            refused(agent.record(run, tool("search")).await);
            refused(fresh.record(new, tool("search")).await);
        }
    }

    async fn windows_that_are_over_are_forgotten(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        daily_steps(&agent, 10).await;
        agent.limit(LimitType::RequestsPerMinute, 10).await;
        let total = agent.limit(LimitType::CostUsd, 1_000).await;
        let run = agent.start().await;
        agent.record(run, tool("search")).await.unwrap();
        agent.permit(run, ask("search")).await.unwrap();
        let rows = async || db.row_counts().await["limit_usage"];
        assert_eq!((windows::tick(&kit.spine).await.unwrap(), rows().await), (0, 3), "they are not over");
        kit.clock.advance(TimeDelta::days(5));
        assert_eq!((windows::tick(&kit.spine).await.unwrap(), rows().await), (0, 3), "a permit holds something of them");
        // The next call releases it, and opens windows of its own.
        agent.record(run, tool("search")).await.unwrap();
        assert_eq!((windows::tick(&kit.spine).await.unwrap(), rows().await), (2, 3));
        assert_eq!((windows::tick(&kit.spine).await.unwrap(), rows().await), (0, 3), "and the one without an end, {total}");
        // A window that a change of zone has left open may be open for longer than was said when it began.
        move_to(&agent, "Pacific/Midway").await;
        kit.clock.advance(TimeDelta::days(5));
        assert_eq!((windows::tick(&kit.spine).await.unwrap(), rows().await), (0, 3));
        kit.clock.advance(TimeDelta::days(100));
        assert_eq!((windows::tick(&kit.spine).await.unwrap(), rows().await), (2, 1));
        agent.record(run, tool("search")).await.unwrap();
        assert_eq!(rows().await, 3);
    }
}
