//! A run of any length is checked and proven a page of its segments at a time, and comes to what it was.

use kit::Kit;
use models::{activity::RunState, ids::RunId};
use orchestrator::{
    background::checker::Checker,
    coordinators::run_proof::{self, RunProof, VerificationStatus},
};
use testkit::{Damage, on_both};

use crate::{
    agent::{Agent, llm},
    tampering::{failures, pass},
};

/// Each is a segment of its own: these are three pages.
const STEPS: u64 = 170;

async fn proof(agent: &Agent<'_>, run: RunId) -> RunProof {
    run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap()
}

async fn with_steps(agent: &Agent<'_>, steps: u64) -> RunId {
    let run = agent.start().await;
    for _ in 0..steps {
        agent.record(run, llm(1)).await.unwrap();
    }
    run
}

on_both! {
    async fn a_long_run_is_read_page_by_page(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (short, long) = (with_steps(&agent, 1).await, with_steps(&agent, STEPS).await);
        let checker = Checker::default();
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "they are open, and as their traces say");
        let mut sent = Vec::new();
        for (run, steps) in [(short, 1), (long, STEPS)] {
            assert_eq!(agent.complete(run).await.unwrap().state, RunState::Completed);
            let before = kit.db.statements();
            let proof = proof(&agent, run).await;
            sent.push(kit.db.statements() - before);
            assert_eq!(proof.integrity.verification_status, VerificationStatus::Verified, "{:?}", proof.integrity);
            assert_eq!(proof.integrity.chain_length, steps);
            let indices = proof.aos_trace_steps.iter().map(|step| step.record.step_index);
            assert!(indices.eq(0..steps));
        }
        // Of each page behind the first its segments are asked for, and the records of its calls.
        assert!(sent[1] >= sent[0] + 4, "{sent:?}: all of it was read at once");
        pass(&kit, &checker).await;
        assert_eq!(failures(&agent).await, [], "and as they were sealed");

        let shown = run_proof::proof_with_steps(&kit.spine, &agent.admin, long, 3).await.unwrap();
        assert_eq!((shown.integrity, shown.aos_trace_steps.len()), (proof(&agent, long).await.integrity, 3));
    }

    /// Whatever page it is on.
    async fn what_is_changed_of_a_long_run_is_found_on_any_page(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = with_steps(&agent, STEPS).await;
        agent.complete(run).await.unwrap();
        db.keep_segments().await;
        let all = db.segments_of(&run.to_string()).await;
        let checker = Checker::default();
        for at in [1, 31, 32, 159, 160, all.len() - 2] {
            db.damage(&Damage::Put(all[at].flipped(all[at].body.len() / 2))).await;
            let proof = proof(&agent, run).await;
            let name = format!("run_segments row {run}/{}:", all[at].first_record);
            let why = proof.integrity.failure_reason.unwrap_or_default();
            assert!(why.starts_with(&name), "{at}: {why}");
            assert_eq!((proof.integrity.chain_length, proof.aos_trace_steps.len()), (STEPS - 1, 169), "{at}");
            pass(&kit, &checker).await;
            assert_eq!(failures(&agent).await.len(), 1, "{at}: one incident of a run");
            db.restore_segments().await;
        }
        db.disarm("llm_run_records").await;
        // The call of a step on the last page, and one of no step.
        let of_run = db.id(&run.to_string());
        for (change, says) in [
            (
                format!("UPDATE llm_run_records SET input_tokens = 7 WHERE run_id = {of_run} AND step_index = 165"),
                "the record of the call of step 165 does not say what the step says",
            ),
            (
                format!("UPDATE llm_run_records SET step_index = 999 WHERE run_id = {of_run} AND step_index = 40"),
                "the call to a model of step 40 has no record",
            ),
        ] {
            db.tamper("CREATE TABLE kept_calls AS SELECT * FROM llm_run_records").await.unwrap();
            db.tamper(&change).await.unwrap();
            assert_eq!(proof(&agent, run).await.integrity.failure_reason.as_deref(), Some(says));
            db.tamper("DELETE FROM llm_run_records").await.unwrap();
            db.tamper("INSERT INTO llm_run_records SELECT * FROM kept_calls; DROP TABLE kept_calls").await.unwrap();
        }
        assert_eq!(proof(&agent, run).await.integrity.failure_reason, None, "it is as it was");
    }
}
