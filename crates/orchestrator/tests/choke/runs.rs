//! A run from start to seal, and what its receipt says.

use kit::Kit;
use models::activity::{RiskLevel, RunState};
use orchestrator::{choke::call::EndRun, coordinators::run_proof, handlers::activity};
use proof::words::{Action, IntegrityStatus, RunStatus};
use serde_json::Value;
use testkit::on_both;

use crate::agent::{Agent, llm, refused, tool};

on_both! {
    async fn a_clean_run_is_sealed_and_verifies(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let first = agent.record(run, tool("get_weather")).await.unwrap();
        assert_eq!((first.step_index, first.recorded, first.verdict.action), (0, true, Action::Allow));
        let second = agent.record(run, llm(1_000)).await.unwrap();
        assert_eq!((second.step_index, second.run.cost_nanousd, second.run.step_count), (1, 1_000_000, 2));

        let sealed = agent.complete(run).await.unwrap();
        assert_eq!((sealed.status, sealed.state), (RunStatus::Succeeded, RunState::Completed));
        assert_eq!(sealed.integrity_status, IntegrityStatus::Verified);
        assert_eq!(sealed.risk_level, RiskLevel::Normal);
        assert_eq!((sealed.step_count, sealed.llm_call_count, sealed.tool_call_count), (2, 1, 1));
        assert_eq!(agent.complete(run).await.unwrap(), sealed, "again, the same answer");

        let proof = run_proof::proof(&kit.spine, &agent.admin, run, true).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
        assert_eq!(proof.integrity.chain_length, 2);
        assert_eq!(proof.raw_logs.unwrap().llm_run_records.len(), 1);
    }

    async fn an_open_run_proves_nothing_yet(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.verification_status, run_proof::VerificationStatus::Unsupported);
    }

    async fn a_sealed_run_takes_nothing_more(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.complete(run).await.unwrap();
        let late = agent.record(run, llm(1)).await.unwrap_err();
        assert!(matches!(late, orchestrator::Error::RunNotRunning { .. }), "{late}");
        let other = activity::complete(&kit.spine, &agent.ctx, run, EndRun::Failed { error: None }).await.unwrap_err();
        assert!(matches!(other, orchestrator::Error::RunNotRunning { .. }), "{other}");
    }

    async fn a_failed_run_opens_an_incident(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let how = EndRun::Failed { error: Some("provider timeout".to_owned()) };
        let sealed = activity::complete(&kit.spine, &agent.ctx, run, how).await.unwrap();
        assert_eq!((sealed.status, sealed.incident_count), (RunStatus::Failed, 1));
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
    }

    async fn a_model_call_without_its_provider_is_a_gap_in_the_evidence(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let silent = orchestrator::choke::call::StepReport { llm: None, ..llm(0) };
        agent.record(run, silent).await.unwrap();
        let sealed = agent.complete(run).await.unwrap();
        assert_eq!(sealed.integrity_status, IntegrityStatus::Degraded);
    }

    async fn a_step_out_of_order_is_refused_and_stored_nowhere(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let ahead = orchestrator::choke::call::StepReport { step_index: Some(3), ..llm(1) };
        let err = agent.record(run, ahead).await.unwrap_err();
        assert!(matches!(err, orchestrator::Error::StepOutOfOrder { expected: 0, given: 3 }), "{err}");
        assert_eq!(agent.record(run, llm(1)).await.unwrap().step_index, 0);
    }

    async fn another_tenant_sees_nothing_of_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let stranger = Agent::of(&kit, "umbrella").await;
        let run = agent.start().await;
        for ctx in [&stranger.ctx, &stranger.admin] {
            let err = activity::get(&kit.spine, ctx, run).await.unwrap_err();
            assert!(matches!(err, orchestrator::Error::NotFound { .. }), "{err}");
        }
        let err = stranger.record(run, llm(1)).await.unwrap_err();
        assert!(matches!(err, orchestrator::Error::NotFound { .. }), "{err}");
    }

    async fn stored_evidence_that_was_changed_does_not_verify(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(proof::words::EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        refused(agent.record(run, llm(500_001)).await);
        agent.complete(run).await.unwrap();
        // Whoever owns the file can drop a trigger; the proof is what is left.
        let warned = |record: &Value| {
            let mut record = record.clone();
            if record["action"] == "BLOCK" {
                record["action"] = "WARN".into();
            }
            Some(record)
        };
        db.change_records(warned).await;
        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.verification_status, run_proof::VerificationStatus::Failed);
    }
}
