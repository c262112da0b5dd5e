//! Every action, and what it leaves behind.

use kit::Kit;
use models::{
    activity::{RiskLevel, RunState},
    page::PageRequest,
};
use orchestrator::{Error, coordinators::run_evidence, handlers::activity};
use proof::words::{
    Action, EnforcementMode, HaltReason, IncidentCategory, IncidentRelation, PermitNote, PreventionOutcome,
    RunStatus, Severity, StepStatus,
};
use testkit::on_both;

use crate::agent::{Agent, ask, llm, refused, tool};

const COSTLY: &str = "context.step.cost_microusd > 500000";

on_both! {
    async fn block_refuses_the_step_and_the_run_goes_on(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Block, COSTLY).await;
        let run = agent.start().await;
        agent.record(run, llm(500_000)).await.unwrap();
        let halted = refused(agent.record(run, llm(500_001)).await);
        assert_eq!((halted.step_index, halted.run_status, halted.recorded), (Some(1), RunStatus::Running, true));
        assert_eq!(halted.verdict.action, Action::Block);
        assert_eq!(halted.verdict.deciding_policy_id.as_deref(), Some(rule.as_str()));
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::PolicyStop));
        assert_eq!(agent.record(run, llm(1)).await.unwrap().step_index, 2, "the refusal has its place in the chain");

        let after = agent.run(run).await;
        assert!(after.policy_violation);
        assert_eq!((after.step_count, after.refused_count, after.incident_count), (2, 1, 1));
        assert_eq!(after.cost_nanousd, 1_000_002_000, "what was spent is counted");
        assert_eq!(after.risk_level, RiskLevel::Violated);

        let steps = activity::steps(&kit.spine, &agent.admin, run, PageRequest::default()).await.unwrap().items;
        assert_eq!(steps[1].step.record.status, StepStatus::Refused);
        assert_eq!(steps.iter().map(|step| step.action).collect::<Vec<_>>(), [Action::Allow, Action::Block, Action::Allow].map(Some));

        let evidence = run_evidence::evidence(&kit.spine, &agent.admin, run).await.unwrap().0;
        assert!(evidence.completeness.values().all(|part| *part == run_evidence::Part::Complete));
        assert_eq!(evidence.decisions_made.len(), 1);
        assert_eq!(evidence.policies_evaluated[0].outcome, PreventionOutcome::Audited, "it had been done");
        assert_eq!(evidence.policies_evaluated[0].would_have, Some(Action::Block));
        assert_eq!(evidence.policies_evaluated[0].policy_id.as_deref(), Some(rule.as_str()));
        let incident = &evidence.incidents_caused[0];
        assert_eq!(incident.of.relation, IncidentRelation::Source);
        let incident = &incident.incident;
        assert_eq!((incident.category, incident.severity), (IncidentCategory::PolicyViolation, Severity::High));
        assert_eq!(evidence.policies_evaluated[0].blocked_incident_id, Some(incident.id.to_string()));
    }

    async fn stop_takes_no_more_steps_but_an_end(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Stop, COSTLY).await;
        let run = agent.start().await;
        let halted = refused(agent.record(run, llm(600_000)).await);
        assert_eq!((halted.verdict.action, halted.run_status), (Action::Stop, RunStatus::Halted));
        assert_eq!(agent.run(run).await.state, RunState::Live);
        let next = agent.record(run, llm(1)).await.unwrap_err();
        assert!(matches!(next, Error::RunNotRunning { status: RunStatus::Halted, .. }), "{next}");
        let asked = agent.permit(run, ask("get_weather")).await.unwrap_err();
        assert!(matches!(asked, Error::RunNotRunning { .. }), "{asked}");
        let sealed = agent.complete(run).await.unwrap();
        assert_eq!((sealed.status, sealed.state), (RunStatus::Halted, RunState::Completed));
    }

    async fn kill_seals_at_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Kill, COSTLY).await;
        let run = agent.start().await;
        let halted = refused(agent.record(run, llm(600_000)).await);
        assert_eq!((halted.verdict.action, halted.run_status), (Action::Kill, RunStatus::Halted));
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::PolicyKill));
        assert_eq!(agent.run(run).await.state, RunState::Completed);
        for late in [agent.record(run, llm(1)).await.map(drop), agent.complete(run).await.map(drop)] {
            assert!(matches!(late, Err(Error::RunKilled { .. })), "{late:?}");
        }
    }

    async fn abort_seals_as_aborted(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Abort, COSTLY).await;
        let run = agent.start().await;
        let halted = refused(agent.record(run, llm(600_000)).await);
        assert_eq!((halted.verdict.action, halted.run_status), (Action::Abort, RunStatus::Aborted));
        let after = agent.run(run).await;
        assert_eq!((after.state, after.status), (RunState::Completed, RunStatus::Aborted));
    }

    async fn warn_and_audit_let_it_pass(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, COSTLY).await;
        agent.rule_named("watch", EnforcementMode::Audit, COSTLY).await;
        agent.rule_named("off", EnforcementMode::Disabled, COSTLY).await;
        let run = agent.start().await;
        let recorded = agent.record(run, llm(600_000)).await.unwrap();
        assert_eq!(recorded.verdict.action, Action::Warn);
        assert_eq!(recorded.verdict.fired.len(), 2);
        let after = agent.run(run).await;
        assert!(!after.policy_violation && after.incident_count == 0);
        let evidence = run_evidence::evidence(&kit.spine, &agent.admin, run).await.unwrap().0;
        let mut outcomes: Vec<_> = evidence.policies_evaluated.iter().map(|record| record.outcome).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, [PreventionOutcome::Warned, PreventionOutcome::Audited]);
    }

    async fn a_refused_permit_is_a_step(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no mail", EnforcementMode::Block, r#"context.step.skill == "send_email""#).await;
        let run = agent.start().await;
        let halted = refused(agent.permit(run, ask("send_email")).await);
        assert_eq!(halted.step_index, Some(0));
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        let report = orchestrator::choke::call::StepReport {
            permit_id: Some(granted.permit_id),
            ..tool("get_weather")
        };
        let recorded = agent.record(run, report.clone()).await.unwrap();
        assert_eq!((recorded.step_index, recorded.verdict.permit_note), (1, None));
        let again = agent.record(run, report).await.unwrap();
        assert_eq!(again.verdict.permit_note, Some(PermitNote::Lapsed), "a permit counts once");
        agent.complete(run).await.unwrap();
        let proof = orchestrator::coordinators::run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
    }

    async fn a_permit_lapses_and_binds_to_its_parameters(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        let named = |report| orchestrator::choke::call::StepReport {
            permit_id: Some(granted.permit_id),
            ..report
        };
        let other = orchestrator::choke::call::StepReport {
            params: Some(r#"{"city":"Bergen"}"#.to_owned()),
            ..tool("get_weather")
        };
        let recorded = agent.record(run, named(other)).await.unwrap();
        assert_eq!(recorded.verdict.permit_note, Some(PermitNote::Mismatch));
        kit.clock.advance(chrono::Duration::seconds(61));
        let recorded = agent.record(run, named(tool("get_weather"))).await.unwrap();
        assert_eq!(recorded.verdict.permit_note, Some(PermitNote::Lapsed));
    }

    async fn a_rule_on_an_unknown_cost_fails_closed(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, COSTLY).await;
        let run = agent.start().await;
        let mut unknown = llm(0);
        let llm = unknown.llm.as_mut().unwrap();
        (llm.cost_nanousd, llm.model) = (None, Some("a-model-in-no-price-book".to_owned()));
        let halted = refused(agent.record(run, unknown).await);
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::EvaluationError));
    }
}
