//! Budgets hold under a crowd: what is admitted is never more than what there is.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use kit::{Kit, limit};
use models::{logs::LlmRunFilter, page::PageRequest, policies::LimitDraft};
use orchestrator::{
    Error,
    choke::call::{EstimateRequest, PermitRequest, StepReport},
    handlers::{logs, policies},
};
use proof::words::{
    Action, AuditEventType, BreachType, Consequence, HaltReason, IncidentCategory, LimitStanding, LimitType,
    ResetPeriod,
};
use testkit::on_both;

use crate::agent::{Agent, ask, llm, refused, tool};

on_both! {
    async fn a_thousand_permits_at_a_cap_of_a_hundred_admit_a_hundred(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Arc::new(Agent::of(&kit, "acme").await);
        agent.limit(LimitType::Steps, 100).await;
        let mut runs = Vec::new();
        for _ in 0..10 {
            runs.push(agent.start().await);
        }
        let asked = stream::iter(0..1_000).map(|n| {
            let (agent, run) = (Arc::clone(&agent), runs[n % runs.len()]);
            async move { agent.permit(run, ask("get_weather")).await }
        });
        let answers: Vec<_> = asked.buffer_unordered(1_000).collect().await;
        let granted = answers.iter().filter(|answer| answer.is_ok()).count();
        let halted = answers.iter().filter(|answer| matches!(answer, Err(Error::StepHalted(_)))).count();
        assert_eq!((granted, halted), (100, 900));
    }

    async fn equal_to_the_cap_is_allowed_and_above_is_not(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let limit = agent.limit(LimitType::CostUsd, 1_000).await;
        let run = agent.start().await;
        assert_eq!(agent.record(run, llm(700)).await.unwrap().verdict.action, Action::Allow);
        let near = agent.record(run, llm(300)).await.unwrap();
        assert_eq!(near.verdict.action, Action::Warn, "80 % and more is near");
        assert_eq!(near.verdict.limits[0].status, LimitStanding::NearThreshold);
        assert_eq!(near.verdict.limits[0].remaining.get(), 0);
        let halted = refused(agent.record(run, llm(1)).await);
        assert_eq!(halted.verdict.deciding_policy_id, Some(limit.clone()));
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::BudgetExceeded));
        let breaches = policies::limit_breaches(&kit.spine, &agent.admin, limit.parse().unwrap(), PageRequest::default())
            .await
            .unwrap()
            .items;
        assert_eq!((breaches.len(), breaches[0].breach_type), (1, BreachType::Exhausted));
        assert_eq!((breaches[0].breached_value, breaches[0].threshold_value), (1_001_000, 1_000_000));
        refused(agent.record(run, llm(5)).await);
        let filter = models::logs::AuditFilter {
            event_type: Some(AuditEventType::LimitBreached),
            ..Default::default()
        };
        let audit = logs::list_audit(&kit.spine, &agent.admin, filter, PageRequest::default()).await.unwrap().items;
        assert_eq!(audit.len(), 1, "once for a limit, window and run");
        assert_eq!(audit[0].record.run_seq, Some(1));
    }

    /// A limit that only warns lets more be held than a record has numbers for.
    async fn a_hold_beyond_all_numbers_leaves_the_others_theirs(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let warns = Some(proof::words::LimitEnforcement::Warn);
        agent.limit_as(LimitDraft { enforcement: warns, ..limit(LimitType::TokensTotal, 1_000) }).await;
        let run = agent.start().await;
        let hold = async |input_tokens: u64| {
            let estimate = EstimateRequest { input_tokens, ..EstimateRequest::default() };
            agent.permit(run, PermitRequest { estimate, ..ask("get_weather") }).await.unwrap()
        };
        assert_eq!(hold(900).await.verdict.limits[0].reserved.get(), 900);
        let absurd = hold(1 << 53).await;
        assert_eq!(absurd.verdict.limits[0].reserved.get(), 1 << 53, "as far as a number goes");
        let done = StepReport { permit_id: Some(absurd.permit_id), ..tool("get_weather") };
        agent.record(run, done).await.unwrap();
        assert_eq!(hold(1).await.verdict.limits[0].reserved.get(), 901);
    }

    async fn a_lapsed_reservation_is_given_back(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::Steps, 1).await;
        let run = agent.start().await;
        agent.permit(run, ask("get_weather")).await.unwrap();
        refused(agent.permit(run, ask("get_weather")).await);
        kit.clock.advance(chrono::Duration::seconds(61));
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        let report = StepReport {
            permit_id: Some(granted.permit_id),
            ..tool("get_weather")
        };
        agent.record(run, report).await.unwrap();
        refused(agent.record(run, tool("get_weather")).await);
    }

    async fn what_a_permit_spends_above_its_estimate_stops_the_next(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::CostUsd, 1_000).await;
        let run = agent.start().await;
        let mut asked = ask("gpt-4o");
        asked.kind = proof::words::StepKind::LlmCall;
        asked.params = None;
        (asked.provider, asked.model) = (Some("openai".to_owned()), Some("gpt-4o".to_owned()));
        asked.estimate.cost_nanousd = Some(100_000);
        let granted = agent.permit(run, asked).await.unwrap();
        let report = StepReport {
            permit_id: Some(granted.permit_id),
            ..llm(5_000)
        };
        let recorded = agent.record(run, report).await.unwrap();
        assert_eq!(recorded.verdict.permit_note, None);
        assert_eq!(recorded.verdict.action, Action::Warn, "it has happened, with leave");
        refused(agent.record(run, llm(1)).await);
    }

    async fn a_daily_budget_starts_anew(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit_as(budget(ResetPeriod::Daily, Consequence::Incident)).await;
        let run = agent.start().await;
        agent.record(run, llm(1_000)).await.unwrap();
        let halted = refused(agent.record(run, llm(1)).await);
        assert_eq!(halted.verdict.action, Action::Block);
        let found = orchestrator::handlers::incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap();
        assert_eq!(found[0].incident.category, IncidentCategory::BudgetExceeded);
        assert!(!agent.run(run).await.policy_violation, "limits do not set it");
        kit.clock.advance(chrono::Duration::hours(24));
        agent.record(run, llm(900)).await.unwrap();
    }

    async fn a_consequence_of_abort_ends_the_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit_as(budget(ResetPeriod::None, Consequence::Abort)).await;
        let run = agent.start().await;
        let halted = refused(agent.record(run, llm(1_001)).await);
        assert_eq!(halted.verdict.action, Action::Abort);
        let proof = orchestrator::coordinators::run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
    }

    async fn a_rate_rejects_and_leaves_no_step(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit_as(LimitDraft {
            window_seconds: Some(60),
            enforcement: Some(proof::words::LimitEnforcement::Reject),
            ..limit(LimitType::RequestsPerMinute, 1)
        })
        .await;
        let run = agent.start().await;
        agent.record(run, tool("get_weather")).await.unwrap();
        let rejected = agent.record(run, crate::agent::keyed("k", tool("get_weather"))).await.unwrap_err();
        let Error::RateLimited { retry_after_ms, .. } = rejected else { panic!("{rejected}") };
        assert_eq!(retry_after_ms, 60_000);
        assert_eq!(agent.run(run).await.refused_count, 0);
        kit.clock.advance(chrono::Duration::seconds(60));
        let recorded = agent.record(run, crate::agent::keyed("k", tool("get_weather"))).await.unwrap();
        assert_eq!(recorded.step_index, 1, "a 429 never occupies a key");
        agent.complete(run).await.unwrap();
        let proof = orchestrator::coordinators::run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
    }
}

on_both! {
    async fn a_rate_that_rejects_is_a_breach_once_a_window_and_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let limit = agent.limit_as(LimitDraft {
            window_seconds: Some(60),
            enforcement: Some(proof::words::LimitEnforcement::Reject),
            consequence: Some(Consequence::Incident),
            ..limit(LimitType::RequestsPerMinute, 1)
        })
        .await;
        let run = agent.start().await;
        for window in 1..=2 {
            agent.record(run, tool("get_weather")).await.unwrap();
            for _ in 0..2 {
                let recorded = agent.record(run, tool("get_weather")).await.unwrap_err();
                assert!(matches!(recorded, Error::RateLimited { .. }), "{recorded}");
                let asked = agent.permit(run, ask("get_weather")).await.unwrap_err();
                assert!(matches!(asked, Error::RateLimited { .. }), "{asked}");
            }
            let breaches = policies::limit_breaches(&kit.spine, &agent.admin, limit.parse().unwrap(), PageRequest::default());
            let breaches = breaches.await.unwrap().items;
            assert_eq!(breaches.len(), window, "four calls were rejected");
            assert_eq!((breaches[0].breach_type, breaches[0].step_index), (BreachType::Throttled, None));
            assert_eq!((breaches[0].breached_value, breaches[0].threshold_value), (2, 1));
            kit.clock.advance(chrono::Duration::seconds(60));
        }
        let breached = models::logs::AuditFilter { event_type: Some(AuditEventType::LimitBreached), ..Default::default() };
        let audit = logs::list_audit(&kit.spine, &agent.admin, breached, PageRequest::default()).await.unwrap().items;
        assert_eq!(audit.len(), 2);
        let found = orchestrator::handlers::incidents::by_run(&kit.spine, &agent.admin, run).await.unwrap();
        let one = &found[0].incident;
        assert_eq!((found.len(), one.category, one.affected_count, one.occurrences), (1, IncidentCategory::RateLimit, 1, 2));
        let after = agent.run(run).await;
        assert_eq!((after.step_count, after.refused_count, after.incident_count), (2, 0, 1), "a 429 is no step");
        assert_eq!(after.risk_level, models::activity::RiskLevel::AtRisk);
        agent.complete(run).await.unwrap();
        let proof = orchestrator::coordinators::run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
    }
}

fn budget(reset_period: ResetPeriod, consequence: Consequence) -> LimitDraft {
    LimitDraft {
        reset_period: Some(reset_period),
        consequence: Some(consequence),
        ..limit(LimitType::CostUsd, 1_000)
    }
}

on_both! {
    async fn a_call_without_a_cost_is_priced_by_the_book_or_not_known(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::CostUsd, 5_000).await;
        let run = agent.start().await;
        let report = |model: &str| {
            let mut report = llm(0);
            report.llm = report.llm.map(|llm| orchestrator::choke::call::LlmReport {
                model: Some(model.to_owned()), input_tokens: 10_000, output_tokens: 1_000, cost_nanousd: None, ..llm
            });
            report
        };
        let priced = agent.record(run, report("gpt-4o-mini-2024-07-18")).await.unwrap();
        assert_eq!(priced.run.cost_nanousd, 2_100_000);
        let unknown = agent.record(run, report("no-such-model")).await.unwrap();
        assert_eq!((unknown.run.cost_nanousd, unknown.verdict.action), (2_100_000, Action::Warn));
        let fault = unknown.verdict.fired[0].fault.map(|fault| fault.to_string());
        assert_eq!(fault.as_deref(), Some("cost_unknown"), "never zero in silence");
        let mut wish = ask("gpt-4o-mini");
        wish.kind = proof::words::StepKind::LlmCall;
        (wish.provider, wish.model) = (Some("openai".to_owned()), Some("gpt-4o-mini".to_owned()));
        (wish.estimate.input_tokens, wish.estimate.output_tokens) = (10_000, 4_000);
        refused(agent.permit(run, wish).await);
        agent.complete(run).await.unwrap();
        let page = PageRequest::new(Some(10), None, false).unwrap();
        let of_run = LlmRunFilter { run_id: Some(run), ..LlmRunFilter::default() };
        let mut calls = logs::list_llm_runs(&kit.spine, &agent.admin, of_run, page).await.unwrap().items;
        calls.sort_by_key(|call| call.record.step_index);
        assert!(calls[0].record.price_book.as_deref().is_some_and(|book| book.starts_with("genai-prices ")), "{calls:?}");
        assert_eq!((calls[1].record.cost_known, calls[1].record.price_book.as_deref()), (false, None));
    }
}
