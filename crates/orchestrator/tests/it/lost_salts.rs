//! Runs of which the salt is lost: what brings a text is told, and nobody is kept from halting, ending or erasing them.

use chrono::Duration;
use kit::Kit;
use models::{activity::RunState, ids::RunId, logs::KeptText};
use orchestrator::{
    Error,
    background::sweeper,
    choke::call::{EstimateRequest, PermitRequest, StepReport},
    coordinators::run_proof,
    handlers::{activity, logs},
};
use proof::words::{BindAt, EnforcementMode, StepKind};
use testkit::{ContentsDamage as Damage, on_both};

use crate::{
    agent::{Agent, llm},
    damaged_contents::paged,
    tampering::failures,
};

/// A salt that no run has.
const OTHER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn saying(prompt: &str) -> StepReport {
    let mut report = llm(1);
    if let Some(llm) = &mut report.llm {
        llm.prompt = Some(prompt.to_owned());
    }
    report
}

/// Leave for a tool call that brings a text.
fn ask(tool: &str) -> PermitRequest {
    PermitRequest {
        kind: StepKind::ToolCall,
        skill_name: tool.to_owned(),
        params: Some(r#"{"city":"Oslo"}"#.to_owned()),
        provider: None,
        model: None,
        estimate: EstimateRequest::default(),
        labels: Vec::new(),
        idempotency_key: None,
    }
}

/// Runs that have said something, and whose salts are lost now.
async fn lost<const N: usize>(agent: &Agent<'_>, db: &testkit::TestDatabase) -> [RunId; N] {
    let mut runs = Vec::new();
    for _ in 0..N {
        let run = agent.start().await;
        agent.record(run, saying("What of Ann?")).await.unwrap();
        runs.push(run);
    }
    db.keep_contents().await;
    for run in &runs {
        db.damage_contents(&Damage::NoSalt(run.0.simple().to_string())).await;
    }
    runs.try_into().unwrap()
}

async fn state(agent: &Agent<'_>, run: RunId) -> RunState {
    activity::get(&agent.kit.spine, &agent.admin, run).await.unwrap().state
}

on_both! {
    async fn a_run_whose_salt_is_lost_is_halted_and_ended_as_any_other(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (spine, agent) = (&kit.spine, Agent::of(&kit, "acme").await);
        let condition = "context.step.skill == \"delete\"";
        agent.rule_at("no deletes", EnforcementMode::Stop, condition, Some(BindAt::StepPre)).await;
        let runs: [RunId; 4] = lost(&agent, db).await;
        let [killed, ended, stopped, silent] = runs;
        for run in runs {
            match agent.record(run, saying("What of Bob?")).await {
                Err(Error::Damaged { table: "run_salts", row, .. }) => assert_eq!(row, run.to_string()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(failures(&agent).await.len(), runs.len(), "an incident of each");
        assert_eq!(agent.record(ended, llm(1)).await.unwrap().step_index, 1, "it brings no text");
        activity::permit(spine, &agent.ctx, ended, ask("weather")).await.unwrap();

        activity::kill(spine, &agent.admin, killed, Some("stop it".to_owned())).await.unwrap();
        agent.complete(ended).await.unwrap();
        let refused = activity::permit(spine, &agent.ctx, stopped, ask("delete")).await;
        assert!(matches!(refused, Err(Error::StepHalted(_))), "{refused:?}");
        for run in [killed, stopped] {
            assert!(agent.record(run, llm(1)).await.is_err(), "it is halted");
        }
        kit.clock.advance(Duration::minutes(61));
        while sweeper::tick(spine).await.unwrap() > 0 {}
        for run in [killed, ended, stopped, silent] {
            assert_eq!(state(&agent, run).await, RunState::Completed);
        }
        assert_eq!(failures(&agent).await.len(), runs.len(), "as before");

        for run in runs {
            logs::erase_contents(spine, agent.admin.tenant.id, run, "ann", "asked for").await.unwrap();
            let proof = run_proof::proof(spine, &agent.admin, run, false).await.unwrap();
            assert_eq!(proof.integrity.failure_reason, None, "nothing is missed any more");
        }
    }
    /// The server remembers what it was when it served the run last, and does not go by that.
    async fn a_salt_that_is_another_now_is_met_by_the_next_step(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let other = agent.start().await;
        agent.record(other, llm(1)).await.unwrap();
        db.keep_contents().await;
        db.damage_contents(&Damage::Salt(other.0.simple().to_string(), OTHER)).await;
        agent.record(other, saying("What of Bob?")).await.unwrap();
        let (texts, missing) = paged(&agent, other, 50).await;
        let prompt = texts.last().and_then(|texts| texts.prompt.as_ref());
        assert!(matches!(prompt, Some(KeptText::Text(text)) if text == "What of Bob?"), "{texts:?}, {missing:?}");
    }
}
