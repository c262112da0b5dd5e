//! Costs on Overview: sums that follow what runs spent, to the micro-USD, on both stores.

use chrono::Duration;
use kit::{Kit, limit};
use models::{account::Role, policies::LimitDraft};
use orchestrator::{
    Error,
    background::windows,
    choke::call::{LlmReport, StepReport},
    handlers::{
        overview::{self, BudgetStatus, BudgetUnit},
        policies,
    },
};
use proof::words::{EnforcementMode, LimitType, ResetPeriod};
use testkit::on_both;

use crate::agent::{Agent, llm, refused};

/// A call of a model that no price book knows, with or without a cost.
fn call(model: &str, cost: Option<u64>) -> StepReport {
    let step = llm(0);
    let said = step.llm.clone().unwrap_or_default();
    let said = LlmReport {
        provider: Some("in-house".to_owned()),
        model: Some(model.to_owned()),
        cost_nanousd: cost.map(|micro_usd| micro_usd * 1_000),
        ..said
    };
    StepReport { llm: Some(said), ..step }
}

on_both! {
    async fn costs_are_what_was_spent_in_the_period(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let nothing = overview::costs(spine, admin, None, None).await.unwrap();
        assert_eq!((nothing.spent.calls, nothing.spent.cost_nanousd, nothing.limits.len()), (0, 0, 0));
        assert!(nothing.period.from <= spine.now() && spine.now() < nothing.period.until);

        let before = spine.now();
        agent.rule(EnforcementMode::Block, "context.step.model == \"huge\"").await;
        let run = agent.start().await;
        agent.record(run, call("small", Some(1))).await.unwrap();
        agent.record(run, call("large", Some(250_000))).await.unwrap();
        refused(agent.record(run, call("huge", Some(600_000))).await);
        agent.record(run, call("large", None)).await.unwrap();
        let month = overview::costs(spine, admin, None, None).await.unwrap();
        assert_eq!(month.spent.cost_nanousd, 850_001_000, "what a refused call says it spent is gone");
        assert_eq!((month.spent.calls, month.spent.unknown), (4, 1));

        kit.clock.advance(Duration::days(2));
        let run = agent.start().await;
        agent.record(run, call("small", Some(7))).await.unwrap();
        let later = overview::costs(spine, admin, Some(spine.now()), Some(spine.now() + Duration::seconds(1))).await.unwrap();
        assert_eq!((later.spent.calls, later.spent.cost_nanousd, later.spent.unknown), (1, 7_000, 0));
        let until = overview::costs(spine, admin, Some(before), Some(spine.now())).await.unwrap();
        assert_eq!(until.spent.cost_nanousd, 850_001_000, "the end of a period is not in it");

        let trend = overview::costs_trend(spine, admin, None, None).await.unwrap();
        assert_eq!(trend.by_day.len(), 30);
        let of = |ago: usize| trend.by_day[trend.by_day.len() - 1 - ago].spent.cost_nanousd;
        assert_eq!([of(0), of(1), of(2)], [7_000, 0, 850_001_000]);
        assert_eq!(trend.by_day.last().unwrap().day, spine.now().date_naive());
        let models: Vec<_> = trend.by_model.iter().map(|of| (of.model.as_deref().unwrap(), of.spent.cost_nanousd, of.spent.unknown)).collect();
        assert_eq!(models, [("huge", 600_000_000, 0), ("large", 250_000_000, 1), ("small", 8_000, 0)]);
        assert_eq!(trend.by_agent.len(), 1);
        assert_eq!(trend.by_agent[0].spent.cost_nanousd, 850_008_000);
        let days: u64 = trend.by_day.iter().map(|day| day.spent.input_tokens).sum();
        assert_eq!(days, trend.by_agent[0].spent.input_tokens, "every way to add up gives the same");

        let stranger = kit.caller("other", Role::Viewer).await;
        assert_eq!(overview::costs(spine, &stranger, Some(before), None).await.unwrap().spent.calls, 0);
        assert!(overview::costs_trend(spine, &stranger, None, None).await.unwrap().by_model.is_empty());
        let odd = overview::costs(spine, admin, Some(spine.now()), Some(before)).await.unwrap_err();
        assert!(matches!(odd, Error::Invalid(errors) if errors[0].pointer == "/from"));
    }

    async fn a_budget_is_compared_with_its_own_use(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let cap = agent.budget("cap", 1_000).await;
        agent.budget("wide", 1_000_000).await;
        let run = agent.start().await;
        agent.record(run, llm(850)).await.unwrap();
        for _ in 0..2 {
            refused(agent.record(run, llm(400)).await);
        }
        let costs = overview::costs(spine, admin, None, None).await.unwrap();
        let wide = costs.limits.iter().find(|limit| limit.name == "wide").unwrap();
        assert_eq!((wide.unit, wide.status), (BudgetUnit::Usd, BudgetStatus::Ok));
        let narrow = costs.limits.iter().find(|limit| limit.limit_id == cap).unwrap();
        assert_eq!(wide.used_value, narrow.used_value, "the same scope and type");
        assert_eq!(narrow.remaining_value, narrow.max_value.saturating_sub(narrow.used_value));
        let expected = if narrow.used_value > 1_000 { BudgetStatus::Breached } else { BudgetStatus::NearThreshold };
        assert_eq!(narrow.status, expected);
        assert!(narrow.used_value >= 850);
        // Two refusals in one run are one breach; a second run's breach of the same window is no second overage.
        assert_eq!((costs.violations.breaches, costs.violations.nanousd), (1, 650_000), "all of 850 + 400 + 400 beyond 1,000");
        let run = agent.start().await;
        refused(agent.record(run, llm(1)).await);
        let two = overview::costs(spine, admin, None, None).await.unwrap().violations;
        assert_eq!((two.breaches, two.nanousd), (2, 651_000), "850 + 400 + 400 + 1 of 1,000, once");
    }

    async fn an_overage_is_known_when_its_window_is_long_over(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let a_day = |max| LimitDraft { reset_period: Some(ResetPeriod::Daily), ..limit(LimitType::CostUsd, max) };
        policies::create_limit(spine, admin, a_day(1_000)).await.unwrap();
        policies::create_limit(spine, admin, a_day(1_000_000)).await.unwrap();
        let before = spine.now();
        for _ in 0..2 {
            let run = agent.start().await;
            agent.record(run, llm(900)).await.unwrap();
            for cost in [200, 5_000, 5_000] {
                refused(agent.record(run, llm(cost)).await);
            }
            kit.clock.advance(Duration::days(1));
        }
        let overage = async || overview::costs(spine, admin, Some(before), None).await.unwrap().violations;
        let told = overage().await;
        assert_eq!((told.breaches, told.nanousd), (2, 20_200_000), "10,100 on each of two days");
        kit.clock.advance(Duration::days(10));
        assert_eq!(windows::tick(spine).await.unwrap(), 2, "those in which nothing was passed");
        assert_eq!(windows::tick(spine).await.unwrap(), 0);
        assert_eq!(overage().await, told);
    }
}
